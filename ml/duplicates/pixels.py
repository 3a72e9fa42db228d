"""Small grey pictures: made smaller, and read between their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def sample(image: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Read an image between its pixels, at places of their middles; beyond its edges they go on."""
    height, width = image.shape
    x, y = np.clip(x, 0, max(0, width - 1)), np.clip(y, 0, max(0, height - 1))
    left, top = x.astype(np.int32), y.astype(np.int32)
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    part_x, part_y = (x - left).astype(np.float32), (y - top).astype(np.float32)
    upper = image[top, left] * (1 - part_x) + image[top, right] * part_x
    lower = image[below, left] * (1 - part_x) + image[below, right] * part_x
    found: NDArray[Any] = upper * (1 - part_y) + lower * part_y
    return found


def reduced(image: NDArray[Any], factor: float) -> Floats:
    """Make a picture smaller by the mean of what each new pixel covers."""
    found = image.astype(np.float32)
    if factor <= 1:
        return found
    height, width = (max(1, round(side / factor)) for side in image.shape)
    return _means(_means(found, height).T, width).T


def resized(image: NDArray[Any], shape: tuple[int, int]) -> Floats:
    """Make a picture smaller to exactly this many rows and columns, likewise."""
    return _means(_means(image.astype(np.float32), shape[0]).T, shape[1]).T


def box_mean(image: NDArray[Any], side: int) -> Floats:
    """Give the mean of the square of this side that begins at each pixel."""
    if min(image.shape) < side:
        return np.full((1, 1), image.mean(), np.float32)
    total = np.pad(image.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    return np.asarray(sums / side**2, np.float32)


def _means(image: Floats, rows: int) -> Floats:
    """Average rows into fewer, a row that lies across two new ones going to both by its parts."""
    edges = np.linspace(0, len(image), rows + 1)
    total = np.concatenate([np.zeros((1, image.shape[1])), image.cumsum(0, dtype=np.float64)])
    whole = np.minimum(edges.astype(int), len(image) - 1)
    at = total[whole] + (edges - whole)[:, None] * image[whole]
    return np.asarray(np.diff(at, axis=0) / np.diff(edges)[:, None], np.float32)
