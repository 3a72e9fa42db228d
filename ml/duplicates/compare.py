"""Are two pictures the same one? Candidates come from hashes and marks; here their pixels decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ml.duplicates import hashes
from ml.duplicates.agreement import Agreement, agreement, difference
from ml.duplicates.align import Map, aligned, whole
from ml.duplicates.look import PREVIEW_SIDE, Look
from ml.duplicates.matching import match

# Distances of the 64-bit and the 256-bit hash up to which a picture may show all of another.
NEAR, NEAR_LARGE = 10, 80
# What the pixels must say.
_CORRELATION, _ALIKE, _BLOCKS, _SHOWN = 0.9, 0.8, 10, 0.5
# And what they must say for two pictures to be shots of one thing.
_AKIN_CORRELATION, _AKIN_ALIKE = 0.8, 0.4
# Beginning with the map a hash gives, this needs no further search.
_CERTAIN = 0.98
_INK = 10.0
_EVEN = 6.0
_MOVED = 0.012
_FILM_ALIKE, _LENGTH, _LENGTH_MS = 0.75, 0.02, 500


class Kind(StrEnum):
    """How two assets belong together, the strongest first."""

    IDENTICAL = "identical"
    SAME = "same"
    SIMILAR = "similar"


class Reason(StrEnum):
    """Why it is that kind and no other."""

    BYTES = "bytes"  # every byte is the same
    PIXELS = "pixels"  # the previews agree, all over
    PART = "part"  # one shows a part of the other
    WRITING = "writing"  # pages or screens that differ in what is written
    MOVED = "moved"  # as many pixels, and the camera has moved
    MOMENT = "moment"  # taken at two moments
    ANIMATION = "animation"  # one moves, and only first frames were compared
    CHANGED = "changed"  # alike, and something in it is not
    FILM = "film"  # frames of films agree, and so do their lengths


@dataclass(frozen=True, slots=True)
class Likeness:
    """How two pictures are alike, with all that was measured."""

    kind: Kind
    reason: Reason
    # How the second has to be turned to lie as the first, as ``hashes.orient`` numbers it.
    orientation: int = 0
    distance: int | None = None
    distance_large: int | None = None
    correlation: float | None = None
    # The part of the blocks that agree, and how much of each is shown by the other.
    alike: float | None = None
    first_shown: float | None = None
    second_shown: float | None = None
    # Of pages: the largest difference in ink.
    ink: float | None = None
    # Which of both, 1 or 2, has only an even border around what the other shows; 0 is neither.
    border: int = 0


def compare(first: Look, second: Look) -> Likeness | None:
    """Compare two looks; none where they have nothing to do with each other."""
    if first.film or second.film:
        return _films(first, second)
    if not (first.telling and second.telling):
        return None
    orientation, distance = nearest(first, second)
    best: tuple[Agreement, Map] | None = None
    for start in _starts(first, second, orientation, distance):
        found = _laid(first, second, start)
        if best is None or _worth(found[0]) > _worth(best[0]):
            best = found
        if _worth(best[0]) > _CERTAIN:
            break
    if best is None:
        return None
    return _judged(first, second, best, (orientation, distance))


def nearest(first: Look, second: Look) -> tuple[int, int]:
    """Give the orientation in which the first's hash is nearest to the second's, and the distance."""
    distances = [hashes.distance(one, second.hashes[0]) for one in first.hashes]
    best = int(np.argmin(distances))
    return best, distances[best]


def _starts(first: Look, second: Look, orientation: int, distance: int) -> Iterator[Map]:
    if distance <= NEAR:
        yield whole(orientation, _shape(first), _shape(second))
    diagonal = float(np.hypot(*_shape(first)))
    if found := match(first.marks, second.marks, diagonal):
        yield found.map


def _shape(one: Look) -> tuple[int, int]:
    """Give rows and columns of what marks are in: a page's preview is larger."""
    scale = min(1.0, PREVIEW_SIDE / max(one.preview.shape))
    return max(1, round(one.preview.shape[0] * scale)), max(1, round(one.preview.shape[1] * scale))


def _laid(first: Look, second: Look, start: Map) -> tuple[Agreement, Map]:
    """Lay one on the other, and refine that only where it does not fit already."""
    grown = _grown(first), _grown(second)
    there = start.copy()
    there[:, 2] *= grown[0]
    there[:, :2] *= grown[0] / grown[1]
    found = agreement(first.preview, second.preview, there)
    if _worth(found) > _CERTAIN:
        return found, there
    refined = aligned(first.preview, second.preview, there)
    better = agreement(first.preview, second.preview, refined)
    return (better, refined) if _worth(better) >= _worth(found) else (found, there)


def _grown(one: Look) -> float:
    longer: int = max(one.preview.shape)
    return max(1.0, longer / PREVIEW_SIDE)


def _worth(found: Agreement) -> float:
    return float(found.alike * max(0.0, found.correlation))


def _judged(first: Look, second: Look, best: tuple[Agreement, Map], near: tuple[int, int]) -> Likeness | None:
    found, there = best
    orientation = _orientation(there)
    turned = orientation == near[0]
    ink = None
    kind, reason = _by_pixels(found)
    if kind is None:
        return None
    if kind is Kind.SAME:
        if first.page or second.page:
            ink = difference(first.preview, second.preview, orientation)
            if ink > _INK or not _covers(there, orientation, first, second):
                kind, reason = Kind.SIMILAR, Reason.WRITING
        elif first.frames > 1 or second.frames > 1:
            kind, reason = Kind.SIMILAR, Reason.ANIMATION
        elif _moved(there, orientation, first, second):
            kind, reason = Kind.SIMILAR, Reason.MOVED
    return Likeness(
        kind,
        reason,
        orientation,
        near[1] if turned else hashes.distance(first.hashes[orientation], second.hashes[0]),
        hashes.distance_large(first.large, second.large) if orientation == 0 else None,
        round(found.correlation, 4),
        round(found.alike, 4),
        round(min(1.0, found.first_shown), 3),
        round(min(1.0, found.second_shown), 3),
        None if ink is None else round(ink, 1),
        _border(first, second, there) if reason is Reason.PART else 0,
    )


def _border(first: Look, second: Look, there: Map) -> int:
    square = np.vstack([there, [0, 0, 1]])
    if _even_around(first, second, square):
        return 1
    return 2 if _even_around(second, first, np.linalg.inv(square)) else 0


def _even_around(outer: Look, inner: Look, there: Map) -> bool:
    """Whether what one shows around the other is of one colour."""
    height, width = inner.preview.shape
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ there[:2].T
    (left, top), (right, below) = corners.min(axis=0).round().astype(int), corners.max(axis=0).round().astype(int)
    around = np.ones(outer.preview.shape, np.bool_)
    # A pixel more: where both meet, colours are mixed.
    around[max(0, top - 2) : below + 2, max(0, left - 2) : right + 2] = False
    return bool(around.any() and outer.preview[around].std() < _EVEN)


def _by_pixels(found: Agreement) -> tuple[Kind | None, Reason]:
    shown = min(found.first_shown, found.second_shown)
    if found.blocks < _BLOCKS or shown < _SHOWN:
        return None, Reason.PIXELS
    if found.correlation >= _CORRELATION and found.alike >= _ALIKE:
        return Kind.SAME, Reason.PIXELS if shown > 1 - 2 * _MOVED else Reason.PART
    if found.correlation >= _AKIN_CORRELATION and found.alike >= _AKIN_ALIKE:
        return Kind.SIMILAR, Reason.CHANGED
    return None, Reason.PIXELS


def _orientation(there: Map) -> int:
    """Give the orientation that a map is nearest to."""
    linear = there[:, :2] / max(1e-9, float(np.abs(there[:, :2]).max()))
    off = [np.abs(linear - whole(one, (1, 1), (1, 1))[:, :2]).sum() for one in range(hashes.ORIENTATIONS)]
    return int(np.argmin(off))


def _covers(there: Map, orientation: int, first: Look, second: Look) -> bool:
    """Whether both show the same, to the edges."""
    expected = whole(orientation, first.preview.shape, second.preview.shape)
    height, width = second.preview.shape
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]])
    off = np.abs(corners @ (there - expected).T).max()
    return bool(off <= _MOVED * max(first.preview.shape))


def _moved(there: Map, orientation: int, first: Look, second: Look) -> bool:
    """Whether both have as many pixels and in other places: two shots, for an edit that cuts makes it smaller."""
    sizes = {tuple(sorted((one.width, one.height))) for one in (first, second)}
    return len(sizes) == 1 and not _covers(there, orientation, first, second)


def _films(first: Look, second: Look) -> Likeness | None:
    """Compare films by frames at equal steps: they must be as long, and nearly all frames near."""
    if not (first.film and second.film) or len(first.film) != len(second.film):
        return None
    one, other = first.duration_ms or 0, second.duration_ms or 0
    if abs(one - other) > max(_LENGTH_MS, _LENGTH * max(one, other)):
        return None
    both = [(a, b) for a, b in zip(first.film, second.film, strict=True) if a and b]
    if len(both) < len(first.film) / 2:
        return None
    distances = [hashes.distance(a, b) for a, b in both]
    alike = float(np.mean([distance <= NEAR for distance in distances]))
    if alike < _FILM_ALIKE:
        return None
    return Likeness(Kind.SAME, Reason.FILM, distance=int(np.median(distances)), alike=round(alike, 4))
