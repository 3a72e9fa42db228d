"""What compression left: steps at the edges of the blocks of eight, which no scene has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8
_LEAST_SIDE = 4 * _BLOCK


def blockiness(grey: NDArray[np.uint8]) -> float:
    """Give how much larger steps between blocks are than steps within; 1 where there are no blocks."""
    if min(grey.shape) < _LEAST_SIDE:
        return 1.0
    return float(np.sqrt(_along(grey) * _along(grey.T)))


def _along(grey: NDArray[np.uint8]) -> float:
    steps = np.abs(np.diff(grey.astype(np.int16), axis=1)).mean(axis=0)
    steps = steps[: len(steps) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).mean(axis=0)
    # The last step of eight is the one from a block to the next.
    within = float(np.median(steps[:-1]))
    return (float(steps[-1]) + 0.05) / (within + 0.05)
