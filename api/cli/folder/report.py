"""Groups of a folder's files: made, acted on, and shown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import click

from api.cli.common import print_json
from api.cli.folder.acting import Act, Plan, act
from api.cli.folder.seen import Seen
from archive.media.facts import Facts
from ml.duplicates.compare import Kind
from ml.duplicates.grouping import Group, Member, group, relate
from ml.duplicates.keeper import Candidate, Keeper, cut_of, keeper

_KINDS = {Kind.IDENTICAL: "identical", Kind.SAME: "same picture", Kind.SIMILAR: "similar"}
_FACTS = ("taken", "camera_model", "lens", "exposure", "position", "rating", "title", "description", "creator")
# Names of a file are one file already.
_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A group of files, and which of them should stay."""

    group: Group
    files: tuple[Seen, ...]
    keeper: Keeper

    @property
    def kept(self) -> Seen:
        """The file that should stay."""
        return self.files[self.group.members.index(self.keeper.number)]


def grouped(seen: Sequence[Seen], *, similar: bool) -> list[Found]:
    """Group files. Those that cannot be decoded may still be identical."""
    files: dict[_Place, Seen] = {}
    for one in seen:
        if one.digest:
            files.setdefault(one.file.place, one)
    kept = list(files.values())
    groups = group([member(number, one) for number, one in enumerate(kept)], threads=os.cpu_count() or 1)
    return [_found(one, kept) for one in groups if similar or one.kind is not Kind.SIMILAR]


def member(number: int, seen: Seen) -> Member:
    """Give what grouping needs of a file."""
    taken = seen.facts.taken if seen.facts else None
    moment = None
    if taken and taken.source == "exif" and seen.facts and seen.facts.camera_model:
        moment = taken.local.replace(tzinfo=UTC).timestamp()
        if taken.subsecond and taken.subsecond.isdigit() and not taken.local.microsecond:
            moment += float(f"0.{taken.subsecond}")
    camera = f"{seen.facts.camera_model} {seen.facts.camera_serial or ''}" if seen.facts else None
    return Member(number, seen.digest, seen.looked.look if seen.looked else None, moment, camera)


def acted(found: Sequence[Found], plan: Plan, *, same: bool) -> list[str]:
    """Act on what is not kept; says what went wrong. What is similar is never touched."""
    failed = []
    for one in found:
        if one.group.kind is Kind.SIMILAR:
            continue
        for spare, kept in _spare(one, same=same and plan.act is not Act.HARD_LINK):
            if fault := act(plan, spare, kept):
                failed.append(f"{spare.file.path}: {fault}")
    return failed


def _spare(found: Found, *, same: bool) -> Iterator[tuple[Seen, Seen]]:
    """Give files that can go, each with the one that stays for it."""
    stays = {found.kept.digest: found.kept}
    for one in found.files:
        other = stays.get(one.digest)
        if other is not None:
            if one is not other:
                yield one, other
        elif same and _shows_the_same(found.kept, one):
            yield one, found.kept
        else:
            stays[one.digest] = one


def _shows_the_same(kept: Seen, other: Seen) -> bool:
    """Compare once more: a group may hold together by what lies between these two."""
    found = relate(member(0, kept), member(1, other))
    return found is not None and found.kind is not Kind.SIMILAR


def show(found: Sequence[Found], seen: Sequence[Seen], *, as_json: bool, failed: Sequence[str]) -> None:
    """Print the groups; what could not be read goes to standard error."""
    unread = [(one.file.path, one.failure) for one in seen if one.failure]
    if as_json:
        print_json(
            {
                "files": len(seen),
                "groups": [_document(one) for one in found],
                "unread": [{"path": str(path), "why": why} for path, why in unread],
                "failed": list(failed),
            }
        )
        return
    for one in found:
        click.echo(_written(one))
    first: dict[bytes, Seen] = {}
    repeated = [file for one in found for file in one.files if first.setdefault(file.digest, file) is not file]
    # A file may be in a group of the same picture and in one of similar ones.
    spare = sum(size for size in {file.file.path: file.file.size for file in repeated}.values())
    click.echo(f"{len(found)} groups among {len(seen)} files; {spare / 1e6:.1f} MB of identical bytes could go")
    for path, why in unread:
        click.echo(f"tagphoto: {path}: {why}", err=True)
    for line in failed:
        click.echo(f"tagphoto: {line}", err=True)


def candidate(number: int, seen: Seen, *, cut: bool = False) -> Candidate:
    """Give what choosing a keeper needs of a file."""
    facts = seen.facts
    look = seen.looked.look if seen.looked else None
    scores = seen.looked.scores if seen.looked else None
    return Candidate(
        number,
        look.width if look else 0,
        look.height if look else 0,
        facts.format if facts else "",
        seen.file.size,
        _richness(facts) if facts else 0,
        scores.sharpness if scores else None,
        facts.taken.local if facts and facts.taken else None,
        cut=cut,
    )


def _richness(facts: Facts) -> int:
    return sum(bool(getattr(facts, name)) for name in _FACTS) + bool(facts.keywords) + bool(facts.people)


def _found(found: Group, files: Sequence[Seen]) -> Found:
    cut = {number for link in found.links for number in cut_of(link.first, link.second, link.likeness)}
    candidates = [candidate(number, files[number], cut=number in cut) for number in found.members]
    return Found(found, tuple(files[number] for number in found.members), keeper(candidates))


def _document(found: Found) -> dict[str, Any]:
    paths = dict(zip(found.group.members, (str(one.file.path) for one in found.files), strict=True))
    return {
        "kind": found.group.kind,
        "files": [
            {"path": paths[number], "bytes": one.file.size} for number, one in zip(paths, found.files, strict=True)
        ],
        "keep": paths[found.keeper.number],
        "why": found.keeper.why,
        "links": [
            {"first": paths[link.first], "second": paths[link.second]}
            | {name: value for name, value in asdict(link.likeness).items() if value is not None}
            for link in found.group.links
            if link.first in paths and link.second in paths
        ],
    }


def _written(found: Found) -> str:
    reasons = sorted({str(link.likeness.reason) for link in found.group.links})
    lines = [f"{_KINDS[found.group.kind]} ({', '.join(reasons)}); keep: {found.keeper.why}"]
    for one in found.files:
        size = f"{one.looked.look.width} x {one.looked.look.height}" if one.looked else "?"
        star = "*" if one is found.kept else " "
        lines.append(f"  {star} {size:>13} {one.file.size:>12,}  {shown(one.file.path)}")
    return "\n".join(lines)


def shown(path: Path) -> str:
    """Give a path as a terminal may show it."""
    # Names may hold what moves a terminal's cursor.
    return "".join(character if character.isprintable() else "�" for character in str(path))
