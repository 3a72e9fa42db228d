"""Which of a million hashes differ from one by at most so many bits: a multi-index over four parts of 16 bits.

Two hashes within ten bits of each other agree within two bits in one of the first three parts or within one in the last
(else they differed in 3 + 3 + 3 + 2 bits). So it is enough to look into the lists of the 137 (or 17) values near
each part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]

RADIUS = 10
PARTS, PART_BITS = 4, 16
_VALUES = 1 << PART_BITS
# So many are searched one by one before the lists are made anew, which takes a tenth of a second for a million.
_MOST_NEW = 1 << 15


class HashIndex:
    """Hashes under numbers of their own. What is removed is gone at once, what is added is found at once."""

    def __init__(self, numbers: Iterable[int] = (), hashes: Iterable[int] = ()) -> None:
        self._hashes: Hashes = np.fromiter(hashes, np.uint64)
        self._numbers: Rows = np.fromiter(numbers, np.int64)
        if len(self._hashes) != len(self._numbers):
            raise ValueError("as many hashes as numbers")
        self._rows: dict[int, int] | None = None
        self._listed = 0
        self._used = len(self._numbers)
        self._there = np.ones(self._used, np.bool_)
        self._lists: list[tuple[Rows, Rows]] = []
        self._list()

    def __len__(self) -> int:
        return int(np.count_nonzero(self._there[: self._used]))

    def add(self, number: int, hash_: int) -> None:
        """Add a hash; one that has this number is replaced."""
        self.remove(number)
        if self._used == len(self._hashes):
            self._grow()
        self._hashes[self._used], self._numbers[self._used] = hash_, number
        self._there[self._used] = True
        self._known()[number] = self._used
        self._used += 1
        if self._used - self._listed > _MOST_NEW:
            self._list()

    def remove(self, number: int) -> bool:
        """Remove a hash by its number; says whether it was there."""
        row = self._known().pop(number, None)
        if row is None:
            return False
        self._there[row] = False
        return True

    def near(self, hashes: Sequence[int], radius: int = RADIUS) -> list[tuple[int, int, int]]:
        """Give number, which of these hashes, and distance, of all that are within the radius of one of them."""
        asked = np.array(hashes, np.uint64)
        which, rows = self._new(len(asked))
        found = [_within(asked, which, rows, self._hashes, radius)]
        for part, reach in enumerate(reaches(radius)):
            if reach >= 0 and self._listed:
                which, rows = self._candidates(asked, part, reach)
                found.append(_within(asked, which, rows, self._hashes, radius))
        keys = np.unique(np.concatenate(found))
        which, rows = keys % len(asked), keys // len(asked)
        kept = self._there[rows]
        which, rows = which[kept], rows[kept]
        distances = np.bitwise_count(self._hashes[rows] ^ asked[which])
        return list(zip(self._numbers[rows].tolist(), which.tolist(), distances.tolist(), strict=True))

    def _candidates(self, asked: Hashes, part: int, reach: int) -> tuple[Rows, Rows]:
        order, starts = self._lists[part]
        values = (part_of(asked, part)[:, None] ^ masks(reach)).ravel().astype(np.int64)
        begins, counts = starts[values], starts[values + 1] - starts[values]
        which = np.repeat(np.arange(len(asked)), counts.reshape(len(asked), -1).sum(axis=1))
        ends = counts.cumsum()
        places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begins - ends + counts, counts)
        return which, order[places]

    def _new(self, asked: int) -> tuple[Rows, Rows]:
        rows = np.arange(self._listed, self._used)
        return np.repeat(np.arange(asked), len(rows)), np.tile(rows, asked)

    def _known(self) -> dict[int, int]:
        # Made when it is first needed: whoever only looks things up does without.
        if self._rows is None:
            there = np.flatnonzero(self._there[: self._used])
            self._rows = dict(zip(self._numbers[there].tolist(), there.tolist(), strict=True))
        return self._rows

    def _grow(self) -> None:
        more = max(1024, self._used // 2)
        self._hashes = np.concatenate([self._hashes[: self._used], np.zeros(more, np.uint64)])
        self._numbers = np.concatenate([self._numbers[: self._used], np.zeros(more, np.int64)])
        self._there = np.concatenate([self._there[: self._used], np.zeros(more, np.bool_)])

    def _list(self) -> None:
        """Make the lists anew, without what is gone."""
        kept = np.flatnonzero(self._there[: self._used])
        if len(kept) != self._used:
            self._hashes, self._numbers = self._hashes[kept], self._numbers[kept]
            self._there = np.ones(len(kept), np.bool_)
            self._used, self._rows = len(kept), None
        self._listed = self._used
        self._lists = [listed(self._hashes[: self._used], part) for part in range(PARTS)]


def listed(hashes: Hashes, part: int) -> tuple[Rows, Rows]:
    """Give rows ordered by a part of their hash, and where each value of that part begins."""
    values = part_of(hashes, part)
    order = np.argsort(values, kind="stable")
    starts = np.concatenate([[0], np.bincount(values, minlength=_VALUES).cumsum()])
    return order, starts


def part_of(hashes: Hashes, part: int) -> NDArray[np.uint16]:
    """Give a part of each hash."""
    return (hashes >> np.uint64(PART_BITS * part)).astype(np.uint16)


@cache
def masks(reach: int) -> NDArray[np.uint16]:
    """Give what a part is changed by, to reach all values within so many bits."""
    found = [
        sum(1 << bit for bit in bits) for size in range(reach + 1) for bits in combinations(range(PART_BITS), size)
    ]
    return np.array(found, np.uint16)


def reaches(radius: int) -> tuple[int, ...]:
    """Give how far to look in each part, so that nothing within the radius is missed; -1 is not at all."""
    return tuple((radius + 1) // PARTS + (part < (radius + 1) % PARTS) - 1 for part in range(PARTS))


def _within(asked: Hashes, which: Rows, rows: Rows, hashes: Hashes, radius: int) -> Rows:
    close = np.bitwise_count(hashes[rows] ^ asked[which]) <= radius
    keys: Rows = rows[close] * len(asked) + which[close]
    return keys
