"""From marks that two pictures share to the maps by which one may lie on the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.duplicates.align import Map, turn
from ml.duplicates.marks import Marks

# What marks that agree may be apart, as a part of the preview's diagonal.
_AGREE = 0.04
LEAST_AGREEING = 2
_MOST_SHARED = 400  # of a wallpaper, whose marks are all alike
_FITTED = 3


@dataclass(frozen=True, slots=True)
class Match:
    """A map from the second picture to the first, and how many marks say so."""

    map: Map
    agreeing: int


def match(first: Marks, second: Marks, diagonal: float) -> Match | None:
    """Give the map that most shared marks agree on, if two or more do."""
    one, other = _shared(first, second)
    if len(one) < LEAST_AGREEING:
        return None
    scales = first.size[one] / second.size[other]
    turns = [_turn(first.orientation[a], second.orientation[b]) for a, b in zip(one, other, strict=True)]
    linear = np.stack(turns) * scales[:, None, None]
    there = np.column_stack([first.x[one], first.y[one]]).astype(np.float64)
    here = np.column_stack([second.x[other], second.y[other]]).astype(np.float64)
    origins = there - np.einsum("nij,nj->ni", linear, here)
    # Row by row: where does this map take the marks of the others?
    off = np.linalg.norm(np.einsum("nij,mj->nmi", linear, here) + origins[:, None] - there[None], axis=2)
    same_way = np.abs(np.stack(turns)[:, None] - np.stack(turns)[None]).max(axis=(2, 3)) < 0.5  # noqa: PLR2004
    agrees = (off < _AGREE * diagonal) & same_way
    counts = np.array([len(set(one[row].tolist())) for row in agrees])
    best = int(np.argmax(counts))
    if counts[best] < LEAST_AGREEING:
        return None
    chosen = agrees[best]
    found = np.column_stack([linear[best], origins[best]])
    return Match(_fitted(found, turns[best], here[chosen], there[chosen]), int(counts[best]))


def _shared(first: Marks, second: Marks) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    equal = np.argwhere(first.keys[:, None] == second.keys[None])[:_MOST_SHARED]
    return equal[:, 0], equal[:, 1]


def _turn(first: int, second: int) -> Map:
    """Give the directions of the second's axes in the first, both being brought to the same orientation."""
    return np.asarray(turn(int(first), 1, 1)[:, :2] @ np.linalg.inv(turn(int(second), 1, 1)[:, :2]))


def _fitted(found: Map, directions: Map, here: NDArray[np.float64], there: NDArray[np.float64]) -> Map:
    """Fit scale and place to all marks that agree, where they are far enough apart to tell."""
    if len(here) < _FITTED:
        return found
    turned = here @ directions.T
    spread, wanted = turned - turned.mean(axis=0), there - there.mean(axis=0)
    if (spread**2).sum() < 25:  # noqa: PLR2004 - all within a few pixels
        return found
    scale = float((spread * wanted).sum() / (spread**2).sum())
    if scale <= 0:
        return found
    return np.column_stack([directions * scale, there.mean(axis=0) - scale * turned.mean(axis=0)])
