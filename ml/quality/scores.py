"""All scores of one picture, as they are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.quality import compression, pages, sharpness, tones

Grey = NDArray[np.uint8]

# A frame on which nothing is: the means of its blocks are all the same, and no pixel is lighter than noise makes it.
_EMPTY_SPREAD = 2.0
_EMPTY_RANGE, _NOISE_RANGE = 14.0, 9.0
_GRAIN = 16


@dataclass(frozen=True, slots=True)
class Scores:
    """What was measured. Whoever sorts or filters needs only this."""

    width: int
    height: int
    # As seen in 1024 pixels, and of the sharpest parts in the picture's own; none where it is too small.
    sharpness: float | None
    sharpest: float | None
    mean: float
    shadows: float
    highlights: float
    contrast: float
    range: float
    darkest: float
    lightest: float
    noise: float
    # Of the means of blocks: what is left of a picture without its noise.
    spread: float
    blockiness: float
    bytes_a_pixel: float
    sort: pages.Sort


def scores(full: Grey, view: Grey, colours: NDArray[np.uint8], size: int) -> Scores:
    """Measure a picture: grey in its own pixels, made to fit into 1024, the same in colour, and the file's bytes."""
    middle = _middle(full)
    found = pages.edges(view, middle)
    light = tones.tones(view)
    spread = _spread(view)
    grain = tones.noise(middle)
    even = light.lightest - light.darkest < _EMPTY_RANGE + _NOISE_RANGE * grain
    empty = spread < _EMPTY_SPREAD and even
    sort = pages.Sort.EMPTY if empty else pages.sort_of(found, view, colours)
    return Scores(
        full.shape[1],
        full.shape[0],
        _rounded(sharpness.sharpness(view)),
        _rounded(sharpness.sharpest_tiles(full)),
        round(light.mean, 2),
        round(light.shadows, 5),
        round(light.highlights, 5),
        light.contrast,
        light.range,
        light.darkest,
        light.lightest,
        round(grain, 3),
        round(spread, 3),
        round(compression.blockiness(middle), 3),
        round(size / max(1, full.size), 5),
        sort,
    )


def _spread(view: Grey) -> float:
    rows, columns = (max(1, side // _GRAIN) for side in view.shape)
    height, width = view.shape[0] // rows * rows, view.shape[1] // columns * columns
    blocks = view[:height, :width].reshape(rows, height // rows, columns, width // columns).mean(axis=(1, 3))
    return float(blocks.std())


def _middle(full: Grey) -> Grey:
    """Give the middle two megapixels: noise and blocks are everywhere, and memory is not."""
    height, width = (min(side, 1448) for side in full.shape)
    top, left = (full.shape[0] - height) // 2, (full.shape[1] - width) // 2
    return full[top : top + height, left : left + width]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
