"""Laying one preview over another: an affine map, refined on the pixels with brightness and contrast left free.

A map takes places of the second picture to places of the first, in pixels of their previews; the middle of a pixel is
at a half.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.duplicates.hashes import orient
from ml.duplicates.pixels import reduced, sample

Floats = NDArray[np.float32]
Map = NDArray[np.float64]

# The longer side at which it is refined, and how often at most: first coarsely, for places that are far off.
_ROUNDS = ((56, 12), (128, 5))
_STILL = 0.02
_LEAST_PIXELS = 64
_DAMPING = 1e-4
_ROBUST = 3.0


def turn(orientation: int, width: int, height: int) -> Map:
    """Give the map from an oriented picture to the same as it lies, of this size."""
    corners = np.arange(4).reshape(2, 2)  # their numbers, oriented, say which way the axes go
    seen = orient(corners, orientation)
    places = {0: (0, 0), 1: (width, 0), 2: (0, height), 3: (width, height)}
    origin, right, down = (np.array(places[int(seen[place])], float) for place in ((0, 0), (0, 1), (1, 0)))
    across, along = right - origin, down - origin
    return np.column_stack([across / np.abs(across).sum(), along / np.abs(along).sum(), origin])


def whole(orientation: int, first: tuple[int, int], second: tuple[int, int]) -> Map:
    """Give the map of a picture that shows all of the other in some orientation; sizes are of rows and columns."""
    height, width = first
    turned = turn(orientation, width, height)
    shown = np.abs(np.linalg.inv(turned[:, :2]) @ [width, height])
    stretched = np.diag([shown[0] / second[1], shown[1] / second[0], 1.0])
    return np.asarray(np.vstack([turned, [0, 0, 1]]) @ stretched)[:2]


def aligned(first: NDArray[np.uint8], second: NDArray[np.uint8], start: Map) -> Map:
    """Refine a map until the second picture lies on the first as well as it can."""
    found = start
    for side, rounds in _ROUNDS:
        factor = max(1.0, max(second.shape) / side)
        small = reduced(first, factor), reduced(second, factor)
        # Sides are rounded, so that each axis has its own factor.
        before = np.diag([*_factors(small[0], first), 1.0])
        after = np.diag([*_factors(second, small[1]), 1.0])
        there = (before @ np.vstack([found, [0, 0, 1]]) @ after)[:2]
        there = _refined(small[0], small[1], there, rounds)
        found = (np.linalg.inv(before) @ np.vstack([there, [0, 0, 1]]) @ np.linalg.inv(after))[:2]
    return found


def _factors(one: NDArray[Any], other: NDArray[Any]) -> tuple[float, float]:
    return one.shape[1] / other.shape[1], one.shape[0] / other.shape[0]


def _refined(first: Floats, second: Floats, found: Map, rounds: int) -> Map:
    height, width = second.shape
    y, x = (part.ravel() + 0.5 for part in np.mgrid[0:height, 0:width])
    down, across = np.gradient(first)
    slopes = (np.asarray(down, np.float32), np.asarray(across, np.float32))
    for _ in range(rounds):
        step = _step(first, slopes, (x, y, second.ravel(), width, height), found)
        if step is None:
            break
        found = found + step
        if np.abs(step[:, :2]).max() * max(width, height) < _STILL and np.abs(step[:, 2]).max() < _STILL:
            break
    return found


def _step(first: Floats, slopes: Sequence[Floats], second: tuple[Any, ...], found: Map) -> Map | None:
    """Give one step of Gauss and Newton; what fits badly, as a caption that only one has, counts for little."""
    x, y, values, width, height = second
    at_x = found[0, 0] * x + found[0, 1] * y + found[0, 2] - 0.5
    at_y = found[1, 0] * x + found[1, 1] * y + found[1, 2] - 0.5
    both = (at_x >= 0) & (at_x <= first.shape[1] - 1) & (at_y >= 0) & (at_y <= first.shape[0] - 1)
    if np.count_nonzero(both) < _LEAST_PIXELS:
        return None
    at_x, at_y, wanted = at_x[both], at_y[both], values[both]
    shown = sample(first, at_x, at_y)
    down, across = (sample(slope, at_x, at_y) for slope in slopes)
    shown, wanted = shown - shown.mean(), wanted - wanted.mean()
    contrast = float(shown @ wanted) / max(1e-6, float(shown @ shown))
    if contrast <= 0:
        return None
    error = wanted - contrast * shown
    spread = 1.4826 * float(np.median(np.abs(error))) + 1
    weights = 1 / (1 + (error / (_ROBUST * spread)) ** 2)
    # Places from the middle, in widths and heights, so that all unknowns are of one size.
    right, below = x[both] / width - 0.5, y[both] / height - 0.5
    across, down = across * contrast, down * contrast
    terms = [across * right, across * below, across, down * right, down * below, down, shown, np.ones_like(shown)]
    rows = np.stack(terms)
    weighted = rows * weights
    normal = weighted @ rows.T
    normal[np.diag_indices(len(rows))] *= 1 + _DAMPING
    normal[np.diag_indices(len(rows))] += 1e-6
    solved = np.linalg.solve(normal, weighted @ error)[:6].reshape(2, 3)
    step = solved / [width, height, 1]
    step[:, 2] -= (solved[:, 0] + solved[:, 1]) / 2
    return np.asarray(step, np.float64)
