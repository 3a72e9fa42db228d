"""ThumbHash: some 25 bytes that show what a picture looks like, blurred, until it is there.

The published algorithm (https://evanw.github.io/thumbhash/), its sums made products of matrices.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

SIDE = 100
_Array = np.ndarray[Any, np.dtype[np.float64]]


def thumbhash(image: Image.Image) -> bytes:
    """Hash a picture of at most 100 pixels a side."""
    width, height = image.size
    if max(width, height) > SIDE:
        message = f"{width} x {height} is more than {SIDE} x {SIDE}"
        raise ValueError(message)
    pixels = np.asarray(image.convert("RGBA"), dtype=np.float64) / 255
    alpha = pixels[:, :, 3]
    colour = pixels[:, :, :3] * alpha[:, :, None]
    covered = alpha.sum()
    average = colour.sum(axis=(0, 1)) / covered if covered else np.zeros(3)
    colour = average * (1 - alpha[:, :, None]) + colour
    has_alpha = bool(covered < width * height)
    return _written(_channels(colour, alpha, has_alpha=has_alpha), has_alpha=has_alpha)


def _channels(colour: _Array, alpha: _Array, *, has_alpha: bool) -> list[_Channel]:
    height, width = alpha.shape
    limit, longer = 5 if has_alpha else 7, max(width, height)
    across, down = max(1, _half_up(limit * width / longer)), max(1, _half_up(limit * height / longer))
    red, green, blue = colour[:, :, 0], colour[:, :, 1], colour[:, :, 2]
    planes = [
        ((red + green + blue) / 3, max(3, across), max(3, down)),
        ((red + green) / 2 - blue, 3, 3),
        (red - green, 3, 3),
        *([(alpha, 5, 5)] if has_alpha else []),
    ]
    channels = [_Channel(*plane) for plane in planes]
    channels[0].shown = down if width > height else across, width > height
    return channels


class _Channel:
    """One channel's low frequencies."""

    def __init__(self, plane: _Array, across: int, down: int) -> None:
        height, width = plane.shape
        factors = _waves(down, height) @ plane @ _waves(across, width).T / (width * height)
        self.constant = float(factors[0, 0])
        kept = [
            float(factors[row, column])
            for row in range(down)
            for column in range(across)
            if (row or column) and column * down < across * (down - row)
        ]
        self.scale = max((abs(factor) for factor in kept), default=0.0)
        self.factors = [0.5 + 0.5 / self.scale * factor for factor in kept] if self.scale else kept
        self.shown = 0, False


def _written(channels: list[_Channel], *, has_alpha: bool) -> bytes:
    light, yellow, red = channels[:3]
    count, landscape = light.shown
    head = (
        _half_up(63 * light.constant)
        | _half_up(31.5 + 31.5 * yellow.constant) << 6
        | _half_up(31.5 + 31.5 * red.constant) << 12
        | _half_up(31 * light.scale) << 18
        | has_alpha << 23
    )
    tail = count | _half_up(63 * yellow.scale) << 3 | _half_up(63 * red.scale) << 9 | landscape << 15
    written = bytearray(head.to_bytes(3, "little") + tail.to_bytes(2, "little"))
    if has_alpha:
        written.append(_half_up(15 * channels[3].constant) | _half_up(15 * channels[3].scale) << 4)
    nibbles = [_half_up(15 * factor) for channel in channels for factor in channel.factors]
    nibbles += [0] * (len(nibbles) % 2)
    written += bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return bytes(written)


@lru_cache(maxsize=16)
def _waves(count: int, size: int) -> _Array:
    return np.cos(math.pi / size * np.arange(count)[:, None] * (np.arange(size) + 0.5))


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)
