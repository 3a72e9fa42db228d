"""Looking at many files, each in a sandboxed child, as many at a time as there are processors."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from api.cli.folder.cache import Cache
from api.cli.folder.seen import File, Seen, files
from archive.media.facts import Facts
from archive.media.limits import MIB
from archive.media.looked import looked
from archive.media.sandbox import Gathered, Sandbox
from archive.media.source import MemorySource, RangeSource, Source, memory_source
from archive.media.verdict import Verdict

# Larger files are read where the child needs them.
_WHOLE = 256 * MIB
_PIECE = 4 * MIB


def look_through(folder: Path, cache_file: Path, *, quiet: bool = False) -> list[Seen]:
    """Look at all files below a folder that are not known from before."""
    if not folder.is_dir():
        message = f"{folder} is no folder."
        raise click.ClickException(message)
    found = [file for file in files(folder.absolute()) if file.size]
    with Cache(cache_file) as cache:
        return asyncio.run(_looked(found, cache, quiet=quiet))


async def _looked(found: Sequence[File], cache: Cache, *, quiet: bool) -> list[Seen]:
    known = {file: seen for file in found if (seen := cache.get(file))}
    wanted = [file for file in found if file not in known]
    if wanted:
        waiting = iter(wanted)
        done = 0

        async def work(sandbox: Sandbox) -> None:
            nonlocal done
            for file in waiting:
                known[file] = await _look(sandbox, file)
                cache.put(known[file])
                done += 1
                if not quiet and (done % 100 == 0 or done == len(wanted)):
                    click.echo(f"looked at {done} of {len(wanted)}", err=True)

        async with Sandbox() as sandbox, asyncio.TaskGroup() as group:
            for _ in range(os.cpu_count() or 1):
                group.create_task(work(sandbox))
    return [known[file] for file in found]


async def _look(sandbox: Sandbox, file: File) -> Seen:
    try:
        digest = await asyncio.to_thread(digest_of, file.path)
        with ExitStack() as stack:
            source = await _source(file)
            if isinstance(source, MemorySource):
                stack.enter_context(source)
            return await _in_child(sandbox, file, digest, source)
    except (OSError, ValueError, EOFError) as error:
        return Seen(file, b"", None, None, f"cannot be read: {getattr(error, 'strerror', None) or error}")


async def _in_child(sandbox: Sandbox, file: File, digest: bytes, source: Source) -> Seen:
    blobs = Gathered()
    result = await sandbox.run("look", {}, source, blobs=blobs)
    if result.verdict is not Verdict.OK or result.value is None:
        return Seen(file, digest, None, None, f"{result.verdict}: {result.detail}")
    try:
        found = looked(result.value, blobs.blobs)
        described = await sandbox.run("describe", {"name": file.path.name}, source)
        facts = Facts.from_json(described.value["facts"]) if described.value else None
    except (KeyError, ValueError) as error:
        return Seen(file, digest, None, None, f"{Verdict.CRASH}: the decoder said what cannot be: {error}")
    return Seen(file, digest, found, facts)


async def _source(file: File) -> Source:
    if file.size <= _WHOLE:
        content = await asyncio.to_thread(file.path.read_bytes)
        return await memory_source(content, file.size)
    return RangeSource(file.size, partial(_range, file.path))


async def _range(path: Path, start: int, length: int) -> bytes:
    def read() -> bytes:
        with path.open("rb") as opened:
            opened.seek(start)
            return opened.read(length)

    return await asyncio.to_thread(read)


def digest_of(path: Path) -> bytes:
    """Give the SHA-256 of a file."""
    whole = hashlib.sha256()
    with path.open("rb") as opened:
        while piece := opened.read(_PIECE):
            whole.update(piece)
    return whole.digest()
