"""The files of a folder, and what a look at one gives."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from archive.media.facts import Facts
from archive.media.looked import Looked


@dataclass(frozen=True, slots=True)
class File:
    """A file as the folder lists it."""

    path: Path
    size: int
    # When it was changed last, in nanoseconds, and the place on the disk that hard links share.
    changed: int
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of looking at a file: the look, or why there is none."""

    file: File
    digest: bytes
    looked: Looked | None
    facts: Facts | None
    failure: str | None = None


def files(folder: Path) -> Iterator[File]:
    """Give all files below a folder, in order. Links are not followed: they may lead out of it, or in circles."""

    def refuse(error: OSError) -> None:
        click.echo(f"tagphoto: {error.filename}: {error.strerror}", err=True)

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            try:
                found = path.lstat()
            except OSError as error:
                refuse(error)
                continue
            if stat.S_ISREG(found.st_mode):
                yield File(path, found.st_size, found.st_mtime_ns, (found.st_dev, found.st_ino))
