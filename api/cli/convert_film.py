"""``tagphoto convert-film``: a film, a part of it, or its sound, in another format, without an archive."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from api.cli.common import print_json
from archive.media.converting.filming import ConvertedFilm, convert_film
from archive.media.converting.writing import written
from archive.media.sandbox import Sandbox
from archive.media.source import RangeSource
from archive.media.verdict import Refused
from archive.media.video.wish import Codec, Container, FilmWish


@click.command("convert-film")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "container",
    required=True,
    type=click.Choice(get_args(Container)),
    help="MP4, WebM, or the sound alone as M4A.",
)
@click.option("--codec", type=click.Choice(get_args(Codec)), help="h264 or hevc in MP4, vp9 in WebM.")
@click.option("--crf", type=int, help="The codec's own quality, less is better; 23, 28 and 33 if nothing is said.")
@click.option("--shorter", type=int, help="Pixels of the shorter side at most.")
@click.option("--begin", type=float, default=0.0, help="Seconds from the film's beginning.")
@click.option("--end", type=float, help="Seconds from the film's beginning.")
@click.option("--mute", is_flag=True, help="Leave the sound out.")
@click.option("--output", type=click.Path(path_type=Path), help="Where to; else beside the film, under its name.")
@click.option("--force", is_flag=True, help="Write over what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def convert_one(file: Path, *, mute: bool, output: Path | None, force: bool, as_json: bool, **wanted: Any) -> None:  # noqa: ANN401 - as the options say
    """Convert a film. What is left of a failed conversion is nothing.

    Exit status 1 if it was not converted.
    """
    try:
        wish = FilmWish(**wanted, sound=not mute)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    target = output or file.with_name(f"{file.stem}.{wish.container}")
    if target.exists() and file.exists() and target.samefile(file):
        raise click.ClickException(f"{file} would be written over itself: name another file with --output.")
    try:
        made, size = asyncio.run(_convert(file, target, wish, force=force))
    except Refused as error:
        click.echo(f"{file}: {error.detail}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"{error.filename or file}: {error.strerror or error}", err=True)
        sys.exit(1)
    _tell(target, made, size, as_json=as_json)


async def _convert(file: Path, target: Path, wish: FilmWish, *, force: bool) -> tuple[ConvertedFilm, int]:
    descriptor = os.open(file, os.O_RDONLY)
    try:

        async def read(start: int, length: int) -> bytes:
            return await asyncio.to_thread(os.pread, descriptor, length, start)

        async with Sandbox() as sandbox, written(target, force=force) as out:
            source = RangeSource(os.fstat(descriptor).st_size, read)
            made = await convert_film(sandbox, source, wish, out.take)
            await out.keep()
            return made, out.size
    finally:
        os.close(descriptor)


def _tell(target: Path, made: ConvertedFilm, size: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"output": str(target), "bytes": size, **asdict(made)})
        return
    shape = f"{made.width} x {made.height}, " if made.width else ""
    click.echo(f"{target}: {shape}{made.duration_ms / 1000:g} s, {size} bytes")
    if made.skipped:
        click.echo(f"{target}: {made.skipped} frames could not be decoded and are not in it", err=True)
