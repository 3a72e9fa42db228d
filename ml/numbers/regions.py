"""From lines of text to what may be numbers: rows that belong together are joined, beside and above each other.

Every joining is offered beside its parts; which of them is a number is decided by who reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from ml.numbers.geometry import Corners, around, bounds, overlap, size
from ml.numbers.text_lines import TextLine

_NARROWEST, _WIDEST = 0.55, 12.0
_LOWEST = 7.0
_MOST_LINES = 100
# Where so many lines are, they are many numbers rather than parts of few, and joinings would be without end.
_CROWD = 40


@dataclass(frozen=True, slots=True)
class Region:
    """Where a number may be: its rows from above, and how sure the detector is of the least sure of them."""

    rows: tuple[Corners, ...]
    score: float
    corners: Corners = field(init=False)

    def __post_init__(self) -> None:
        whole = self.rows[0] if len(self.rows) == 1 else around(list(self.rows))
        object.__setattr__(self, "corners", whole)


def regions(lines: Sequence[TextLine]) -> list[Region]:
    """Give what may be numbers: every line of a likely shape, lines joined to one row, and rows joined to two."""
    likely = sorted((line for line in lines if _likely(line.corners)), key=lambda line: -line.score)[:_MOST_LINES]
    single = [Region((line.corners,), line.score) for line in likely]
    if len(likely) > _CROWD:
        return _distinct(single)
    joined = _beside(single)
    rows = single + joined + _beside_again(joined, single)
    return _distinct([region for region in rows if _likely(region.corners)] + _stacked(rows))


def _likely(corners: Corners) -> bool:
    width, height = size(corners)
    return height >= _LOWEST and _NARROWEST <= width / height <= _WIDEST


def _beside(rows: Sequence[Region]) -> list[Region]:
    return [_joined(one, two) for one, two in combinations(rows, 2) if _one_row(one.corners, two.corners)]


def _beside_again(joined: Sequence[Region], single: Sequence[Region]) -> list[Region]:
    """Join a third part, as a region's code behind the two parts of a number."""
    return [
        _joined(pair, third)
        for pair in joined
        for third in single
        if overlap(pair.corners, third.corners) < 0.1 and _one_row(pair.corners, third.corners)
    ]


def _joined(first: Region, second: Region) -> Region:
    return Region((around([first.corners, second.corners]),), min(first.score, second.score))


def _one_row(first: Corners, second: Corners) -> bool:
    """Tell whether two lines are parts of one row: about as high and at one height, with less than that between."""
    a, b = bounds(first), bounds(second)
    if a[0] > b[0]:
        a, b = b, a
    tall, low = max(a[3] - a[1], b[3] - b[1]), min(a[3] - a[1], b[3] - b[1])
    between = b[0] - a[2]
    level = abs((a[1] + a[3]) / 2 - (b[1] + b[3]) / 2)
    return bool(-0.3 * tall < between < 1.1 * tall and tall < 1.9 * low and level < 0.35 * tall)


def _stacked(rows: Sequence[Region]) -> list[Region]:
    found = []
    for first, second in combinations(rows, 2):
        upper, lower = sorted((first, second), key=lambda region: float(region.corners[:, 1].mean()))
        if _over(upper.corners, lower.corners):
            found.append(Region((upper.corners, lower.corners), min(upper.score, lower.score)))
    return found


def _over(upper: Corners, lower: Corners) -> bool:
    """Tell whether a line stands right above another as on a plate of two rows: about as high, and centred."""
    a, b = bounds(upper), bounds(lower)
    tall, low = max(a[3] - a[1], b[3] - b[1]), min(a[3] - a[1], b[3] - b[1])
    wide, narrow = max(a[2] - a[0], b[2] - b[0]), min(a[2] - a[0], b[2] - b[0])
    between = b[1] - a[3]
    aside = abs((a[0] + a[2]) / 2 - (b[0] + b[2]) / 2)
    return bool(-0.45 * low < between < 0.7 * low and tall < 1.8 * low and wide < 3.2 * narrow and aside < 0.35 * wide
                and wide < 7 * tall)  # fmt: skip


def _distinct(found: Sequence[Region]) -> list[Region]:
    kept: list[Region] = []
    for region in found:
        same = (
            other
            for other in kept
            if len(other.rows) == len(region.rows)
            and np.abs(other.corners - region.corners).max() < 0.15 * size(region.corners)[1]
        )
        if next(same, None) is None:
            kept.append(region)
    return kept
