"""Which of several that show the same should stay, and why: from plain facts, so that anybody can follow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from ml.duplicates.compare import Likeness, Reason

_FORMATS = {
    **dict.fromkeys(("dng", "cr2", "cr3", "nef", "arw", "raf", "orf", "rw2", "pef", "srw"), 5),
    **dict.fromkeys(("tiff", "png", "psd", "bmp"), 4),
    **dict.fromkeys(("heic", "heif", "avif", "jxl"), 3),
    **dict.fromkeys(("jpeg", "jp2", "j2k"), 3),
    "webp": 2,
    "gif": 1,
}
# Differences smaller than these decide nothing.
_MORE_PIXELS, _SHARPER, _MORE_BYTES = 1.02, 0.15, 1.1


class Why(StrEnum):
    """By what the keeper is better than each of the others."""

    UNCUT = "uncut"
    PIXELS = "most_pixels"
    FORMAT = "best_format"
    SHARPNESS = "sharpest"
    METADATA = "richest_metadata"
    ALBUMS = "in_albums"
    OLDEST = "oldest"
    BYTES = "most_bytes"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of one of them; the caller fills in what it has."""

    number: int
    width: int = 0
    height: int = 0
    format: str = ""
    bytes: int = 0
    # How many of the facts that matter it has: date, place, camera, title, people …
    metadata: int = 0
    sharpness: float | None = None
    taken: datetime | None = None
    received: datetime | None = None
    albums: int = 0
    favourite: bool = False
    # Whether another one shows all of it and more: a crop, or a copy with a border.
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Keeper:
    """The suggestion."""

    number: int
    why: Why


_Rule = tuple[Why, Callable[[Candidate], float], Callable[[float, float], bool]]


def cut_of(first: int, second: int, likeness: Likeness) -> tuple[int, ...]:
    """Give which of two that are linked is no whole picture: the one that shows less, or the one with a border."""
    if likeness.reason is not Reason.PART or likeness.first_shown is None or likeness.second_shown is None:
        return ()
    if likeness.border:
        return ((first, second)[likeness.border - 1],)
    # How much of the first the second shows, and the other way round: who is shown entirely is the part.
    return (second,) if likeness.second_shown > likeness.first_shown else (first,)


def keeper(candidates: Sequence[Candidate]) -> Keeper:
    """Suggest one. The first rule that tells the last two apart is the reason."""
    if not candidates:
        raise ValueError("nothing to keep")
    best, why = candidates[0], Why.FIRST
    for other in candidates[1:]:
        winner, reason = _better(best, other)
        # The reason is why it beats the one that came nearest: rules are in order, so the later one.
        why = reason if winner is not best else max(why, reason, key=_rank) if why is not Why.FIRST else reason
        best = winner
    return Keeper(best.number, why)


def _better(one: Candidate, other: Candidate) -> tuple[Candidate, Why]:
    for why, measure, more in _RULES:
        mine, theirs = measure(one), measure(other)
        if more(mine, theirs):
            return one, why
        if more(theirs, mine):
            return other, why
    return (one, Why.FIRST) if one.number <= other.number else (other, Why.FIRST)


def _rank(why: Why) -> int:
    return list(Why).index(why)


def _moment(candidate: Candidate) -> float:
    """Give when it was there first; less is older."""
    at = candidate.taken or candidate.received
    return at.replace(tzinfo=at.tzinfo or UTC).timestamp() if at else float("inf")


def _more(one: float, other: float) -> bool:
    return one > other


_RULES: tuple[_Rule, ...] = (
    (Why.UNCUT, lambda one: 0.0 if one.cut else 1.0, _more),
    (Why.PIXELS, lambda one: float(one.width * one.height), lambda one, other: one > other * _MORE_PIXELS),
    (Why.FORMAT, lambda one: float(_FORMATS.get(one.format, 0)), _more),
    (
        Why.SHARPNESS,
        lambda one: one.sharpness if one.sharpness is not None else -99.0,
        lambda one, other: one > other + _SHARPER and other > -99,  # noqa: PLR2004 - not known
    ),
    (Why.METADATA, lambda one: float(one.metadata), _more),
    (Why.ALBUMS, lambda one: float(one.albums + one.favourite), _more),
    (Why.OLDEST, lambda one: -_moment(one), _more),
    (Why.BYTES, lambda one: float(one.bytes), lambda one, other: one > other * _MORE_BYTES),
)
