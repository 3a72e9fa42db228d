"""Places by the offline gazetteer, which a process loads when it is first asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from archive.media.places import Gazetteer


@dataclass(frozen=True, slots=True)
class Name:
    """What a place or a country is called."""

    label: str
    label_ru: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """The place at a position."""

    place_id: int | None = None
    country: str | None = None


def at(latitude: float, longitude: float) -> Found:
    """Find the place at a position; far from any, perhaps its country."""
    place = _gazetteer().find(latitude, longitude)
    return Found() if place is None else Found(place.id, place.country.code)


def by_id(place_id: int) -> Name | None:
    """Name a place."""
    place = _gazetteer().by_id(place_id)
    return None if place is None or place.name is None else Name(place.name, place.name_ru)


def country(code: str) -> Name | None:
    """Name a country by its code of two letters."""
    found = _gazetteer().country(code)
    return None if found is None else Name(found.name, found.name_ru)


def timezone(latitude: float, longitude: float) -> str | None:
    """Name the time zone at a position."""
    place = _gazetteer().find(latitude, longitude)
    return None if place is None else place.timezone


@cache
def _gazetteer() -> Gazetteer:
    return Gazetteer()
