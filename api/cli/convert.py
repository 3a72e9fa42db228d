"""``tagphoto convert``: pictures in other formats, without an archive. Decoded and encoded in the sandbox."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from archive.media.converting.asking import convert as convert_in_sandbox
from archive.media.converting.conversion import PICTURES, Conversion, Converted
from archive.media.converting.writing import written
from archive.media.sandbox import Sandbox
from archive.media.source import Source, memory_source
from archive.media.verdict import Refused

_MOST_BYTES = 2 << 30


@dataclass(slots=True)
class _Run:
    """One call of the command: where results go, and what went wrong."""

    wanted: Conversion
    output: Path | None
    force: bool
    as_json: bool
    refused: list[Path] = field(default_factory=list)

    def target(self, file: Path) -> Path:
        """Say where a file's conversion goes: beside it, into a folder, or to the one name given."""
        name = f"{file.stem}.{self.wanted.ending}"
        if self.output is None:
            return file.with_name(name)
        return self.output / name if self.output.is_dir() else self.output

    def tell(self, file: Path, target: Path, made: Converted, size: int) -> None:
        """Print what was made."""
        if self.as_json:
            document = {"file": str(file), "output": str(target), "bytes": size, **asdict(made)}
            click.echo(json.dumps(document, ensure_ascii=False))
            return
        pages = f", {made.pages} pages" if made.pages > 1 else ""
        score = "" if made.score is None else f", score {made.score:.1f}"
        click.echo(f"{target}: {made.width} x {made.height}{pages}, {size} bytes{score}")
        if made.lost:
            click.echo(f"{file}: {self.wanted.to} cannot carry its {' and '.join(made.lost)}", err=True)
        if made.damaged:
            click.echo(f"{file}: damaged; converted as far as it can be read", err=True)

    def refuse(self, file: Path, why: str) -> None:
        """Say that a file was not converted."""
        self.refused.append(file)
        click.echo(f"{file}: {why}", err=True)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Choice(PICTURES), help="The format to make.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="A folder, or the name of the one result. Without it each result lies beside its picture.",
)
@click.option("--width", type=int, help="Make it fit into so many pixels across; it is never enlarged.")
@click.option("--height", type=int, help="Make it fit into so many pixels down.")
@click.option("--quality", type=int, help="1 to 100; 85 if nothing is said.")
@click.option("--score", type=float, help="Search for the quality that reaches this score of SSIMULACRA 2, 30 to 95.")
@click.option(
    "--metadata",
    type=click.Choice(["keep", "strip"]),
    default="strip",
    show_default=True,
    help="Carry EXIF, XMP and IPTC along, or not.",
)
@click.option(
    "--colours",
    type=click.Choice(["srgb", "keep"]),
    default="srgb",
    show_default=True,
    help="The colours every screen shows, or the picture's own with their profile.",
)
@click.option("--watermark", metavar="TEXT", help="Write a line of text into the lower right corner.")
@click.option("--force", is_flag=True, help="Write over what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document a result, a line each.")
def convert(files: Sequence[Path], *, output: Path | None, force: bool, as_json: bool, **wanted: Any) -> None:  # noqa: ANN401 - as the options say
    """Convert pictures. With --to pdf and a file as --output, all of them become the pages of one.

    Exit status 1 if a picture was not converted; nothing is left behind of what failed.
    """
    try:
        run = _Run(Conversion(**wanted), output, force, as_json)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    one_book = run.wanted.to == "pdf" and output is not None and not output.is_dir()
    if len(files) > 1 and output is not None and not output.is_dir() and not one_book:
        raise click.ClickException(f"{output} is no folder; make it, for there is more than one result.")
    asyncio.run(_all(run, files, one_book=one_book))
    if run.refused:
        sys.exit(1)


async def _all(run: _Run, files: Sequence[Path], *, one_book: bool) -> None:
    async with Sandbox() as sandbox:
        for group in [list(files)] if one_book else [[file] for file in files]:
            try:
                await _one(run, sandbox, group)
            except Refused as error:
                run.refuse(group[0], error.detail)
            except OSError as error:
                run.refuse(Path(error.filename or group[0]), error.strerror or str(error))


async def _one(run: _Run, sandbox: Sandbox, files: Sequence[Path]) -> None:
    target = run.target(files[0])
    if any(target.exists() and file.exists() and target.samefile(file) for file in files):
        raise Refused("it would be written over itself: name another folder with --output")
    async with _opened(files) as (source, sizes), written(target, force=run.force) as out:
        made = await convert_in_sandbox(sandbox, source, run.wanted, out.take, sizes=sizes)
        await out.keep()
    run.tell(files[0], target, made, out.size)


@asynccontextmanager
async def _opened(files: Sequence[Path]) -> AsyncIterator[tuple[Source, list[int]]]:
    sizes = [file.stat().st_size for file in files]
    if sum(sizes) > _MOST_BYTES:
        raise Refused(f"{sum(sizes)} bytes at once are too many; at most {_MOST_BYTES} are held in memory")

    async def pieces() -> AsyncIterator[bytes]:
        for file, size in zip(files, sizes, strict=True):
            content = await asyncio.to_thread(file.read_bytes)
            if len(content) != size:
                raise Refused(f"{file} changed while it was read")
            yield content

    with await memory_source(pieces(), sum(sizes)) as source:
        yield source, sizes
