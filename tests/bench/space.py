"""Exact forms beside the bare codec and Debian's own tools: bytes saved, and what a megabyte costs there and back.

Our way is all of it: read, opened, encoded in a child, sealed, stored; then read back, opened, decoded, compared.
Processor time is counted, of parent and children, so that other work here counts for less.
"""

from __future__ import annotations

import asyncio
import hashlib
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import imagecodecs

from archive.forms import giving, proving
from archive.forms.given import Given
from archive.forms.giving import Giver
from archive.media.exact import jpeg
from archive.media.sandbox import Result, Sandbox
from archive.space.packing import Refused, pack
from archive.vault import files
from archive.vault.contexts import Binding
from archive.vault.files import Durable, Secret
from archive.vault.vault import Vault
from storage.memory import MemoryStore
from tests.bench.figure import Figure
from tests.support.photos import MEGAPIXELS_12, saved, scene

_GENERATED, _CAMERA_BYTES = 6, 1_000_000
_MOST = 60


class _Counting(Sandbox):
    """Counts what its children take."""

    cpu_seconds = 0.0

    async def run(self, *arguments: Any, **more: Any) -> Result:
        result = await super().run(*arguments, **more)
        self.cpu_seconds += result.cpu_seconds
        return result


@dataclass
class _Sums:
    """Bytes and processor seconds of one way, there and back."""

    received: int = 0
    stored: int = 0
    into: float = 0.0
    proof: float = 0.0
    out: float = 0.0
    exact: int = 0
    refused: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


def measure(folder: Path | None = None) -> Iterator[Figure]:
    photos = _photos(folder)
    ours, bare, tools = asyncio.run(_measured(photos))
    megabytes = ours.received / 1e6
    kind = f"camera JPEGs, {len(photos)}" if folder else f"painted JPEGs, {len(photos)}"
    yield Figure("space", f"{kind}: saved", 100 * (1 - ours.stored / ours.received), "%", goal=">= 19 on camera JPEGs")
    yield Figure("space", "bit for bit given back", ours.exact, "files", goal=f"{len(photos) - ours.refused}")
    yield Figure("space", "refused, kept as received", ours.refused, "files")
    yield Figure("space", "in, bare codec", megabytes / bare.into, "MB/cpu-s")
    in_ratio, out_ratio = bare.into / ours.into, bare.out / ours.out
    yield Figure("space", "in", megabytes / ours.into, "MB/cpu-s", "bare codec", in_ratio, ">= 8, ratio >= 0.8")
    yield Figure("space", "proof", megabytes / ours.proof, "MB/cpu-s")
    yield Figure("space", "out, bare codec", megabytes / bare.out, "MB/cpu-s")
    yield Figure("space", "out", megabytes / ours.out, "MB/cpu-s", "bare codec", out_ratio, ">= 16, ratio >= 0.8")
    if tools is not None:
        yield Figure("space", "cjxl of Debian: saved", 100 * (1 - tools.stored / tools.received), "%")
        yield Figure("space", "cjxl of Debian", tools.received / 1e6 / tools.into, "MB/cpu-s")
        yield Figure("space", "djxl of Debian", tools.received / 1e6 / tools.out, "MB/cpu-s")
        yield Figure("space", "djxl: bit for bit given back", tools.exact, "files")


def _photos(folder: Path | None) -> list[bytes]:
    if folder is None:
        return [saved(scene(*MEGAPIXELS_12, seed), "JPEG", quality=93) for seed in range(_GENERATED)]
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in {".jpg", ".jpeg"}]
    camera = [path for path in found if path.stat().st_size >= _CAMERA_BYTES]
    return [path.read_bytes() for path in camera[:: max(1, len(camera) // _MOST)]]


async def _measured(photos: list[bytes]) -> tuple[_Sums, _Sums, _Sums | None]:
    """Take turns, photo by photo, so that a slow moment falls on all."""
    ours, bare = _Sums(), _Sums()
    tools = _Sums() if shutil.which("cjxl") and shutil.which("djxl") else None
    async with _Counting() as sandbox:
        await sandbox.capabilities()
        for photo in photos:
            if await _through_ours(sandbox, photo, ours):
                _through_bare(photo, bare)
                if tools is not None:
                    _through_tools(photo, tools)
    return ours, bare, tools


async def _through_ours(sandbox: _Counting, photo: bytes, sums: _Sums) -> bool:
    # No table is asked by any of this, so there need be no keys.
    giver = Giver(Vault(MemoryStore(), None, cast("Any", None)), sandbox)
    secret = replace(Secret(), sha256=hashlib.sha256(photo).digest(), sha1=hashlib.sha1(photo).digest())
    binding = Binding.new(uuid4(), "original")
    written = await files.write_all(giver.vault.store, secret, binding, _stream(photo))
    received = Given.plain(proving.plan_of(Durable(binding, secret, written)))
    before = _spent(sandbox)
    try:
        made = await pack(giver, binding.library_id, received)
    except Refused as refused:
        sums.refused += 1
        sums.reasons[str(refused)] = sums.reasons.get(str(refused), 0) + 1
        return False
    whole = _spent(sandbox) - before
    given = Given(proving.plan_of(made.file), len(photo), "exact")
    before = _spent(sandbox)
    assert await proving.fault_of(giver, given) is None
    proof = _spent(sandbox) - before
    before = _spent(sandbox)
    back = b"".join([piece async for piece in giving.read(giver, given)])
    sums.out += _spent(sandbox) - before
    sums.into += whole - proof
    sums.proof += proof
    sums.exact += back == photo
    sums.received += len(photo)
    sums.stored += made.file.size
    return True


def _through_bare(photo: bytes, sums: _Sums) -> None:
    end = jpeg.find(memoryview(photo)).end
    started = time.process_time()
    coded = imagecodecs.jpegxl_encode_jpeg(photo[:end], numthreads=1)
    sums.into += time.process_time() - started
    started = time.process_time()
    back = imagecodecs.jpegxl_decode_jpeg(coded, numthreads=1)
    sums.out += time.process_time() - started
    sums.exact += back == photo[:end]
    sums.received += len(photo)
    sums.stored += len(coded) + len(photo[end:])


def _through_tools(photo: bytes, sums: _Sums) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, coded, back = (Path(folder) / name for name in ("a.jpg", "a.jxl", "b.jpg"))
        source.write_bytes(photo)
        into = _command("cjxl", str(source), str(coded), "--num_threads=0")
        if into is None:
            return
        out = _command("djxl", str(coded), str(back), "--num_threads=0")
        if out is None:
            return
        sums.into, sums.out = sums.into + into, sums.out + out
        sums.exact += back.read_bytes() == photo
        sums.received += len(photo)
        sums.stored += coded.stat().st_size


def _command(*words: str) -> float | None:
    before = _children()
    done = subprocess.run(words, capture_output=True, check=False)
    return _children() - before if done.returncode == 0 else None


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _spent(sandbox: _Counting) -> float:
    return time.process_time() + sandbox.cpu_seconds


async def _stream(content: bytes) -> AsyncIterator[bytes]:
    yield content
