"""What compression left: steps at the edges of the blocks of eight, which no scene has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8
_LEAST_SIDE = 4 * _BLOCK
_LEAST_STEP = 0.05


def blockiness(grey: NDArray[np.uint8]) -> float:
    """Give how much larger steps between blocks are than steps within; 1 where there are no blocks."""
    if min(grey.shape) < _LEAST_SIDE:
        return 1.0
    return float(np.sqrt(_along(grey) * _along(grey.T)))


def _along(grey: NDArray[np.uint8]) -> float:
    steps = np.abs(np.diff(grey.astype(np.int16), axis=1)).mean(axis=0)
    steps = steps[: len(steps) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).mean(axis=0)
    # A picture that was turned or cut has its blocks begin anywhere.
    largest = int(np.argmax(steps))
    within = float(np.median(np.delete(steps, largest)))
    return (float(steps[largest]) + _LEAST_STEP) / (within + _LEAST_STEP)
