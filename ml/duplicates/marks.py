"""Marks: places of a picture that are found again in a part of it, each with a key that turning does not change.

A hash of the whole picture knows nothing of a crop. So blobs of all sizes are found (extremes of a difference of
Gaussians in place and scale), what surrounds each is brought to one orientation, and the signs of its low frequencies
are its key.
Two pictures that share keys whose places agree about one crop, scale and orientation are worth a look at their pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.duplicates.hashes import cosines, turned
from ml.duplicates.pixels import sample

Floats = NDArray[np.float32]

MOST = 48
_STEPS = 3  # scales an octave
_SIGMA = 1.6
_OCTAVES = 4
_SMALLEST = 24
_CONTRAST = 1.2  # of 255
_EDGE = 10.0  # how much longer than wide a blob may be
_WINDOW = 7.0  # half of what surrounds a mark, in sigmas
_GRID = 16
# Keys of a mark whose orientation is in doubt are given in each that it may be.
_DOUBT = 0.12
_MOST_KEYS = 2
_FIRST, _LAST = 2, 6  # frequencies, by the sum of both directions


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one picture, a row each; places and sizes in pixels of the preview."""

    keys: NDArray[np.uint32]
    x: Floats
    y: Floats
    size: Floats
    orientation: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.keys)


def marks(preview: NDArray[np.uint8], most: int = MOST) -> Marks:
    """Find the strongest marks of a grey preview."""
    found: list[tuple[float, int, float, float, float, int]] = []
    image = preview.astype(np.float32)
    image = _blurred(image, np.sqrt(_SIGMA**2 - 0.5**2))
    scale = 1.0
    for _ in range(_OCTAVES):
        if min(image.shape) < _SMALLEST:
            break
        levels = _levels(image)
        for level, y, x, strength in _extremes(levels):
            sigma = _SIGMA * 2 ** (level / _STEPS)
            for key, orientation in _keys(levels[min(len(levels) - 1, max(0, round(level)))], x, y, sigma):
                found.append(
                    (
                        abs(strength),
                        key | (strength > 0) << 25,
                        (x + 0.5) * scale,
                        (y + 0.5) * scale,
                        sigma * scale,
                        orientation,
                    )
                )
        image = levels[_STEPS][::2, ::2]
        scale *= 2
    found.sort(key=lambda one: -one[0])
    found = found[:most]
    columns = list(zip(*found, strict=True)) if found else [()] * 6
    return Marks(
        np.array(columns[1], np.uint32), np.array(columns[2], np.float32), np.array(columns[3], np.float32),
        np.array(columns[4], np.float32), np.array(columns[5], np.uint8),
    )  # fmt: skip


def _levels(image: Floats) -> list[Floats]:
    levels = [image]
    for step in range(1, _STEPS + 3):
        before, after = (_SIGMA * 2 ** (one / _STEPS) for one in (step - 1, step))
        levels.append(_blurred(levels[-1], np.sqrt(after**2 - before**2)))
    return levels


def _blurred(image: Floats, sigma: float) -> Floats:
    weights = _gaussian(round(float(sigma), 4))
    radius = len(weights) // 2
    for axis in (0, 1):
        padded = np.pad(image, [(radius, radius) if one == axis else (0, 0) for one in (0, 1)], mode="edge")
        length = image.shape[axis]
        total = np.zeros_like(image)
        for place, weight in enumerate(weights):
            part = padded[place : place + length] if axis == 0 else padded[:, place : place + length]
            total += weight * part
        image = total
    return image


@cache
def _gaussian(sigma: float) -> Floats:
    radius = max(1, int(np.ceil(3 * sigma)))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


def _extremes(levels: list[Floats]) -> list[tuple[float, float, float, float]]:
    """Give level, y, x and strength of blobs: extremes among their 26 neighbours, placed between pixels."""
    stack = np.stack([after - before for before, after in pairwise(levels)])
    inner = stack[1:-1, 1:-1, 1:-1]
    high, low = np.full_like(inner, -np.inf), np.full_like(inner, np.inf)
    for offsets in product((0, 1, 2), repeat=3):
        if offsets != (1, 1, 1):
            part = stack[tuple(slice(one, one + length) for one, length in zip(offsets, inner.shape, strict=True))]
            np.maximum(high, part, out=high)
            np.minimum(low, part, out=low)
    strong = np.abs(inner) > _CONTRAST / _STEPS
    places = np.argwhere(((inner > high) | (inner < low)) & strong) + 1
    return [one for place in places if (one := _placed(stack, *place)) is not None]


def _placed(stack: Floats, level: int, y: int, x: int) -> tuple[float, float, float, float] | None:
    cube = stack[level - 1 : level + 2, y - 1 : y + 2, x - 1 : x + 2].astype(np.float64)
    middle = cube[1, 1, 1]
    slope = np.array([cube[2, 1, 1] - cube[0, 1, 1], cube[1, 2, 1] - cube[1, 0, 1], cube[1, 1, 2] - cube[1, 1, 0]]) / 2
    ss, yy, xx = (
        cube[2, 1, 1] + cube[0, 1, 1] - 2 * middle,
        cube[1, 2, 1] + cube[1, 0, 1] - 2 * middle,
        cube[1, 1, 2] + cube[1, 1, 0] - 2 * middle,
    )
    xy = (cube[1, 2, 2] + cube[1, 0, 0] - cube[1, 2, 0] - cube[1, 0, 2]) / 4
    sy = (cube[2, 2, 1] + cube[0, 0, 1] - cube[2, 0, 1] - cube[0, 2, 1]) / 4
    sx = (cube[2, 1, 2] + cube[0, 1, 0] - cube[2, 1, 0] - cube[0, 1, 2]) / 4
    flatness = xx * yy - xy * xy
    if flatness <= 0 or (xx + yy) ** 2 / flatness > (_EDGE + 1) ** 2 / _EDGE:
        return None
    curve = np.array([[ss, sy, sx], [sy, yy, xy], [sx, xy, xx]])
    try:
        shift = -np.linalg.solve(curve, slope)
    except np.linalg.LinAlgError:
        return None
    if np.abs(shift).max() > 1:
        return None
    strength = middle + slope @ shift / 2
    return level + shift[0], y + shift[1], x + shift[2], strength


def _keys(image: Floats, x: float, y: float, sigma: float) -> list[tuple[int, int]]:
    """Give the keys of what surrounds a place, each with the orientation it was brought to."""
    half = _WINDOW * sigma
    height, width = image.shape
    slack = half * 0.15
    if min(x, y) < half - slack or x > width - 1 - half + slack or y > height - 1 - half + slack:
        return []
    steps = (np.arange(_GRID) + 0.5) / _GRID * 2 * half - half
    patch = sample(
        image, np.broadcast_to(x + steps, (_GRID, _GRID)), np.broadcast_to((y + steps)[:, None], (_GRID, _GRID))
    )
    waves = _waves()
    low = waves @ patch @ waves.T
    across, down = low[0, 1], low[1, 0]
    largest = max(abs(across), abs(down))
    if largest <= 0:
        return []
    mirror_x = _choices(across, largest)
    mirror_y = _choices(down, largest)
    exchange = (False, True) if abs(abs(across) - abs(down)) < _DOUBT * largest else (abs(down) > abs(across),)
    possible = list(product(mirror_x, mirror_y, exchange))
    if len(possible) > _MOST_KEYS:
        return []
    return [(_key(turned(low, number)), number) for number in (_NUMBERS[one] for one in possible)]


def _choices(value: float, largest: float) -> tuple[bool, ...]:
    return (False, True) if abs(value) < _DOUBT * largest else (bool(value < 0),)


_NUMBERS = {
    (False, False, False): 0, (True, False, False): 1, (True, True, False): 2, (False, True, False): 3,
    (False, False, True): 4, (False, True, True): 5, (True, True, True): 6, (True, False, True): 7,
}  # fmt: skip


def _key(low: NDArray[Any]) -> int:
    bits = low[_PLACES] > 0
    return int(bits @ (1 << np.arange(len(bits))))


_PLACES = tuple(
    np.array(
        [place for total in range(_FIRST, _LAST + 1) for place in ((one, total - one) for one in range(total + 1))]
    ).T
)


@cache
def _waves() -> NDArray[np.float64]:
    return cosines(_GRID)[: _LAST + 1]
