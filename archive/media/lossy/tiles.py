"""The parts of a picture that stand for the whole of it: as smooth and as busy as the picture is."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
SIDE = 512
_NUMBER = 4
# A picture up to this size is scored whole.
_WHOLE = 2 * _NUMBER * SIDE * SIDE


def places(pixels: Array) -> list[tuple[slice, slice]]:
    """Choose tiles: one out of each quarter of all, ordered by how much there is to see in them."""
    height, width = pixels.shape[:2]
    if height * width <= _WHOLE or min(height, width) < SIDE:
        return [(slice(0, height), slice(0, width))]
    cells = [(slice(top, top + SIDE), slice(left, left + SIDE)) for top in _starts(height) for left in _starts(width)]
    cells.sort(key=lambda cell: _busy(pixels[cell]))
    step = len(cells) / _NUMBER
    return [cells[int(step * (number + 0.5))] for number in range(_NUMBER)]


def tiles(pixels: Array, where: list[tuple[slice, slice]]) -> list[Array]:
    """Cut tiles out of a picture."""
    return [pixels[place] for place in where]


def joined(parts: list[Array]) -> Array:
    """Lay tiles of one width below each other, for one encoding of all."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def parted(pixels: Array, like: list[Array]) -> list[Array]:
    """Take them apart again."""
    ends = np.cumsum([part.shape[0] for part in like])
    return [pixels[end - part.shape[0] : end] for end, part in zip(ends, like, strict=True)]


def _starts(length: int) -> list[int]:
    """Divide a side into whole tiles, as far apart as it allows; each begins where blocks of codecs do."""
    count = max(1, length // SIDE)
    room = length - SIDE
    return [room * number // max(1, count - 1) // 16 * 16 for number in range(count)]


def _busy(tile: Array) -> float:
    grey = cv2.cvtColor(np.ascontiguousarray(tile[::2, ::2]), cv2.COLOR_RGB2GRAY)
    return float(np.abs(np.diff(grey.astype(np.int16), axis=1)).mean())
