"""Acting on files that are not needed: link, move, delete. Each time what is kept is looked at once more before."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import click

from api.cli.folder.looker import digest_of
from api.cli.folder.seen import Seen


class Act(StrEnum):
    """What is done with a file."""

    HARD_LINK = "hard-link"
    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and where to."""

    act: Act
    folder: Path
    to: Path | None = None


def chosen(folder: Path, *, hard_link: bool, to: Path | None, delete: bool) -> Plan | None:
    """Read the options; none of them is looking only."""
    if sum((hard_link, to is not None, delete)) > 1:
        raise click.UsageError("Choose one of --hard-link, --move and --delete.")
    if to is not None and to.absolute().is_relative_to(folder.absolute()):
        raise click.UsageError("--move leads into the folder that is looked at; what is moved would be found again.")
    if hard_link:
        return Plan(Act.HARD_LINK, folder)
    if to is not None:
        return Plan(Act.MOVE, folder, to)
    return Plan(Act.DELETE, folder) if delete else None


def act(plan: Plan, seen: Seen, kept: Seen | None) -> str | None:
    """Do it with one file, in favour of another if there is one; says what went wrong."""
    try:
        if digest_of(seen.file.path) != seen.digest:
            return "has changed meanwhile; left alone"
        if kept is not None and digest_of(kept.file.path) != kept.digest:
            return f"{kept.file.path}, which would be kept, has changed meanwhile; left alone"
        if plan.act is Act.HARD_LINK:
            return _link(seen, kept)
        if plan.act is Act.MOVE:
            assert plan.to
            _move(seen.file.path, plan.to / seen.file.path.relative_to(plan.folder.absolute()))
        else:
            seen.file.path.unlink()
    except OSError as error:
        return f"{error.strerror or error}"
    return None


def _link(seen: Seen, kept: Seen | None) -> str | None:
    if kept is None or kept.digest != seen.digest:
        return "only files with the same bytes become one"
    # Made beside it and put in its place in one step: at no moment is there no file.
    beside = seen.file.path.with_name(f".{secrets.token_hex(8)}.tagphoto")
    os.link(kept.file.path, beside)
    try:
        beside.replace(seen.file.path)
    finally:
        beside.unlink(missing_ok=True)
    return None


def _move(path: Path, to: Path) -> None:
    """Move a file to where nothing is yet, to another disk as well."""
    to.parent.mkdir(parents=True, exist_ok=True)
    target, number = to, 1
    while True:
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
            break
        except FileExistsError:
            target, number = to.with_stem(f"{to.stem}-{number}"), number + 1
    try:
        path.replace(target)
    except OSError:
        _copied(path, target)
        path.unlink()


def _copied(path: Path, target: Path) -> None:
    import shutil  # noqa: PLC0415 - for another disk only

    try:
        shutil.copy2(path, target)
        if digest_of(path) != digest_of(target):
            raise OSError("the copy differs")
        with target.open("rb") as written:
            os.fsync(written.fileno())
    except OSError:
        target.unlink(missing_ok=True)
        raise
