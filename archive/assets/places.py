"""Places: the one seam to the gazetteer. Until it is there, places have no names and positions no places."""

from __future__ import annotations

from dataclasses import dataclass


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


def at(_latitude: float, _longitude: float) -> Found:
    """Find the place at a position."""
    return Found()


def by_id(_place_id: int) -> Name | None:
    """Name a place."""
    return None


def country(_code: str) -> Name | None:
    """Name a country by its code of two letters."""
    return None
