"""Sharpness as what is left of the middle frequencies above the noise, beside the low ones.

Medians over all directions make it fall for motion blur, which leaves one direction sharp; what is beyond 0.85 of the
highest frequency is taken for noise and subtracted, so that noise on a blurred picture does not count as detail.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]

VIEW_SIDE, TILE_SIDE = 1024, 256
_NOISE, _HIGH, _LOW = (0.85, 1.0), (0.30, 0.55), (0.03, 0.08)
_LEAST_SIDE = 64
_LEAST_PART = 1e-3
# Tiles are looked at where there is most to see; the sharpest count, for a background may be blurred on purpose.
_MOST_TILES, _SHARPEST = 12, 3
# An edge: so many pixels from one side to the other, so high, and at least so many of them in a tile.
_REACH, _LEAST_EDGE, _STRONGEST, _LEAST_EDGES = 8, 40, 98, 32


def sharpness(grey: Grey) -> float | None:
    """Score the middle square of a picture made to fit into 1024 pixels; none where it is too small to say."""
    side = min(grey.shape)
    if side < _LEAST_SIDE:
        return None
    top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
    return _score(grey[top : top + side, left : left + side])


def sharpest_tiles(grey: Grey) -> float | None:
    """Score the sharpest parts of a picture in its own pixels, from 0 to 1; none where it has no edges.

    Cameras smooth and compress away the highest frequencies, by which noise is known in the smaller view. So here it is
    how much of an edge's height lies between two neighbouring pixels: half and more when sharp, a fifth when soft.
    """
    scores = sorted((score for tile in _tiles(grey) if (score := _acuity(tile)) is not None), reverse=True)
    return float(np.mean(scores[:_SHARPEST])) if scores else None


def variance_of_laplacian(grey: Grey) -> float:
    """Give the usual yardstick."""
    image = grey.astype(np.float32)
    middle = image[1:-1, 1:-1]
    laplacian = image[:-2, 1:-1] + image[2:, 1:-1] + image[1:-1, :-2] + image[1:-1, 2:] - 4 * middle
    return float(laplacian.var())


def _tiles(grey: Grey) -> list[Grey]:
    side = min(TILE_SIDE, *grey.shape)
    if side < _LEAST_SIDE:
        return []
    rows, columns = grey.shape[0] // side, grey.shape[1] // side
    top, left = (grey.shape[0] - rows * side) // 2, (grey.shape[1] - columns * side) // 2
    places = [(top + row * side, left + column * side) for row in range(rows) for column in range(columns)]
    tiles = [grey[y : y + side, x : x + side] for y, x in places]
    # Every fourth pixel is enough to see where something is.
    tiles.sort(key=lambda tile: -_contrast(tile[::4, ::4]))
    return tiles[:_MOST_TILES]


def _contrast(tile: Grey) -> float:
    rough = tile.astype(np.float32)
    return float(np.abs(np.diff(rough, axis=0)).mean() + np.abs(np.diff(rough, axis=1)).mean())


def _acuity(tile: Grey) -> float | None:
    """Say how steep the steepest edges are, across and down; noise is small beside them."""
    image = tile.astype(np.int16)
    found = [value for one in (image, image.T) if (value := _steepness(one)) is not None]
    return float(np.mean(found)) if found else None


def _steepness(image: NDArray[np.int16]) -> float | None:
    steps = np.abs(np.diff(image, axis=1))
    heights = np.abs(image[:, _REACH:] - image[:, :-_REACH])
    strong = heights >= max(_LEAST_EDGE, float(np.percentile(heights, _STRONGEST)))
    if np.count_nonzero(strong) < _LEAST_EDGES:
        return None
    steepest = np.lib.stride_tricks.sliding_window_view(steps, _REACH, axis=1)[strong].max(axis=1)
    return float(np.median(np.minimum(1.0, steepest / heights[strong])))


def _score(square: Grey) -> float | None:
    window, noise, high, low = _rings(len(square))
    image = square.astype(np.float32)
    power = np.abs(np.fft.rfft2((image - image.mean()) * window)) ** 2
    floor, middle, below = (float(np.median(power[ring])) for ring in (noise, high, low))
    if below <= 0:
        return None
    left = max(middle - floor, _LEAST_PART * floor, 1e-9)
    return float(np.log10(left) - np.log10(below))


@cache
def _rings(side: int) -> tuple[NDArray[Any], ...]:
    wave = np.hanning(side).astype(np.float32)
    down, across = np.fft.fftfreq(side)[:, None] * 2, np.fft.rfftfreq(side)[None] * 2
    radius = np.hypot(down, across)
    rings = [(radius >= begin) & (radius <= end) for begin, end in (_NOISE, _HIGH, _LOW)]
    return (np.outer(wave, wave), *rings)
