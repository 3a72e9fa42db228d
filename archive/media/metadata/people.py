"""Faces with names, as the Metadata Working Group and Microsoft write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archive.media.facts import Person
from archive.media.metadata.positions import number
from archive.media.metadata.texts import clean
from archive.media.metadata.xmp import Value, structure, structures, text

_MOST = 500
_LONGEST_NAME = 200


def people(xmp: dict[str, Value], orientation: int) -> tuple[Person, ...]:
    """Give the named faces, turned as the picture is."""
    found: dict[str, Person] = {}
    for person in (*_of_group(xmp), *_of_microsoft(xmp)):
        if len(found) < _MOST:
            found.setdefault(person.name, turned(person, orientation))
    return tuple(found.values())


def turned(person: Person, orientation: int) -> Person:
    """Turn a face from the picture as stored to the picture as displayed."""
    left, top, wide, high = person.left, person.top, person.width, person.height
    right, bottom = 1 - left - wide, 1 - top - high
    left, top, wide, high = {
        2: (right, top, wide, high),
        3: (right, bottom, wide, high),
        4: (left, bottom, wide, high),
        5: (top, left, high, wide),
        6: (bottom, left, high, wide),
        7: (bottom, right, high, wide),
        8: (top, right, high, wide),
    }.get(orientation, (left, top, wide, high))
    parts = (_part(left), _part(top), _part(wide), _part(high))
    return replace(person, left=parts[0], top=parts[1], width=parts[2], height=parts[3])


def _part(value: float) -> float:
    return min(1.0, max(0.0, round(value, 6)))


def _of_group(xmp: dict[str, Value]) -> Iterator[Person]:
    regions = structures(structure(xmp.get("mwg-rs:Regions")).get("mwg-rs:RegionList"))
    for region in regions:
        area, kind = structure(region.get("mwg-rs:Area")), text(region.get("mwg-rs:Type")) or "Face"
        unit = text(area.get("stArea:unit")) or "normalized"
        parts = [number(text(area.get("stArea:" + part))) for part in "xywh"]
        if kind.casefold() == "face" and unit == "normalized":
            # Theirs are centres.
            yield from _person(text(region.get("mwg-rs:Name")), parts, centred=True)


def _of_microsoft(xmp: dict[str, Value]) -> Iterator[Person]:
    for region in structures(structure(xmp.get("MP:RegionInfo")).get("MPRI:Regions")):
        parts = [number(part) for part in (text(region.get("MPReg:Rectangle")) or "").split(",")]
        yield from _person(text(region.get("MPReg:PersonDisplayName")), parts, centred=False)


def _person(name: str | None, parts: list[float | None], *, centred: bool) -> Iterator[Person]:
    name, known = clean(name), [part for part in parts if part is not None]
    if name is None or len(name) > _LONGEST_NAME or len(known) != 4 or len(parts) != 4:  # noqa: PLR2004  # x, y, width, height
        return
    x, y, wide, high = known
    if centred:
        x, y = x - wide / 2, y - high / 2
    left, top, right, bottom = max(0.0, x), max(0.0, y), min(1.0, x + wide), min(1.0, y + high)
    if left < right and top < bottom:
        yield Person(name, left, top, right - left, bottom - top)
