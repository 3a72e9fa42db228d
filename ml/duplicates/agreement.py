"""How far two aligned previews show the same: block by block for pictures, and letter by letter for pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.duplicates.align import Map
from ml.duplicates.hashes import orient
from ml.duplicates.pixels import Floats, box_mean, resized, sample

_SIDE = 128
_BLOCKS = 12
_TEXTURE = 4.0  # standard deviation from which a block shows something
_ALIKE = 0.8
_SEEN = 0.9  # the part of a block that must lie on the other picture
_LETTERS = 4  # pixels of a page's preview that a letter has at least


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a map makes of two previews."""

    # Correlation of all pixels that both show, and the part of the blocks with something in them that agree.
    correlation: float
    alike: float
    blocks: int
    # How much of each picture the other one shows.
    first_shown: float
    second_shown: float


def agreement(first: NDArray[np.uint8], second: NDArray[np.uint8], there: Map) -> Agreement:
    """Compare two previews through a map from the second to the first."""
    factor = max(1.0, max(second.shape) / _SIDE)
    height, width = (max(1, round(side / factor)) for side in second.shape)
    shown = resized(second, (height, width))
    y, x = np.mgrid[0:height, 0:width] + 0.5
    x, y = x * second.shape[1] / width, y * second.shape[0] / height
    at_x, at_y = (there[row, 0] * x + there[row, 1] * y + there[row, 2] for row in (0, 1))
    both = (at_x >= 0) & (at_x <= first.shape[1]) & (at_y >= 0) & (at_y <= first.shape[0])
    reach = abs(float(np.linalg.det(there[:, :2])))
    shrink = np.sqrt(reach) * factor
    source, ratio = (resized(first, _shape(first, shrink)), shrink) if shrink > 1 else (first.astype(np.float32), 1.0)
    laid = sample(source, at_x / ratio - 0.5, at_y / ratio - 0.5)
    blocks = _blocks(shown, laid, both)
    return Agreement(
        _correlation(shown[both], laid[both]) if both.any() else 0.0,
        float(np.mean(blocks > _ALIKE)) if len(blocks) else 0.0,
        len(blocks),
        float(both.mean()) * second.size * reach / first.size,
        float(both.mean()),
    )


def _shape(picture: NDArray[Any], factor: float) -> tuple[int, int]:
    return max(1, round(picture.shape[0] / factor)), max(1, round(picture.shape[1] / factor))


def _blocks(one: Floats, other: NDArray[Any], both: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the correlation of each block that shows something."""
    found = []
    down, across = (max(1, round(side * _BLOCKS / _SIDE)) for side in one.shape)
    for rows in np.array_split(np.arange(one.shape[0]), down):
        for columns in np.array_split(np.arange(one.shape[1]), across):
            if len(rows) < 3 or len(columns) < 3:  # noqa: PLR2004 - too few pixels to say anything
                continue
            part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            seen = both[part]
            if seen.mean() < _SEEN:
                continue
            left, right = one[part][seen], other[part][seen]
            if max(left.std(), right.std()) >= _TEXTURE:
                found.append(_correlation(left, right))
    return np.array(found)


def _correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size > 1e-3 else 0.0  # noqa: PLR2004


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8], orientation: int) -> float:
    """Give the largest difference in ink, of 255, between two pages that show all of each other.

    Means of squares of a letter's size: making a page smaller or writing it anew keeps those, another letter does not.
    """
    first = orient(first, orientation)
    shape = min(first.shape[0], second.shape[0]), min(first.shape[1], second.shape[1])
    one, other = resized(first, shape), resized(second, shape)
    spread = float(((one - one.mean()) ** 2).sum())
    contrast = float(((one - one.mean()) * (other - other.mean())).sum()) / spread if spread > 1 else 1.0
    fitted = (one - one.mean()) * contrast + other.mean()
    off = np.abs(box_mean(fitted - other, _LETTERS))
    return float(off.max()) / max(0.2, min(1.0, contrast))
