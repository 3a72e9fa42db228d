"""Exposure, contrast, noise, and frames with nothing on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

_BLACK, _WHITE = 4, 251
_NOISE_SIDE = 3


@dataclass(frozen=True, slots=True)
class Tones:
    """How light and dark a picture is; parts are of all pixels, levels of 255."""

    mean: float
    # The parts that are as good as black and white.
    shadows: float
    highlights: float
    # From the level that 5 % are below to the one that 5 % are above, and the same of 1 %.
    contrast: float
    range: float
    # Of all but three in ten thousand pixels: stars are few.
    darkest: float
    lightest: float


def tones(grey: Grey) -> Tones:
    """Measure the exposure."""
    counts = np.bincount(grey.ravel(), minlength=256)
    total = counts.cumsum() / grey.size
    shares = (0.0003, 0.01, 0.05, 0.95, 0.99, 0.9997)
    darkest, first, low, high, last, lightest = (int(np.searchsorted(total, share)) for share in shares)
    return Tones(
        float(counts @ np.arange(256) / grey.size),
        float(total[_BLACK]),
        float(1 - total[_WHITE - 1]),
        float(high - low),
        float(last - first),
        float(darkest),
        float(lightest),
    )


def noise(grey: Grey) -> float:
    """Estimate the noise's standard deviation by Immerkaer's mask, which sees neither slopes nor straight edges.

    The quietest half of the blocks counts: hair and leaves are no noise.
    """
    image = grey.astype(np.float32)
    if min(image.shape) < _NOISE_SIDE:
        return 0.0
    twice = image[:, :-2] - 2 * image[:, 1:-1] + image[:, 2:]
    masked = np.abs(twice[:-2] - 2 * twice[1:-1] + twice[2:])
    rows, columns = masked.shape[0] // 16, masked.shape[1] // 16
    scale = float(np.sqrt(np.pi / 2) / 6)
    if rows * columns < _NOISE_SIDE:
        return float(masked.mean()) * scale
    blocks = masked[: rows * 16, : columns * 16].reshape(rows, 16, columns, 16).mean(axis=(1, 3))
    return float(np.percentile(blocks, 25)) * scale
