"""Which pictures share marks: candidates for crops and borders, that no hash of a whole picture finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ml.duplicates.marks import Marks

Rows = NDArray[np.int64]

LEAST_SHARED = 2
# A key that more pictures have is a pattern's, as of letters or of a wall, and says nothing.
COMMON = 32
_MOST_NEW = 1 << 16


def sharing(all_marks: Sequence[Marks]) -> tuple[Rows, Rows]:
    """Give the rows of all pairs that share keys enough, the smaller first."""
    keys = np.concatenate([np.unique(one.keys) for one in all_marks]) if all_marks else np.zeros(0, np.uint32)
    owners = np.repeat(np.arange(len(all_marks)), [len(np.unique(one.keys)) for one in all_marks])
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    _, counts = np.unique(keys, return_counts=True)
    rare = np.repeat(counts <= COMMON, counts)
    pairs = []
    for apart in range(1, int(min(COMMON, counts.max(initial=1)))):
        both = np.flatnonzero((keys[apart:] == keys[:-apart]) & rare[apart:])
        pairs.append(owners[both] * len(all_marks) + owners[both + apart])
    found, shared = np.unique(np.concatenate(pairs) if pairs else np.zeros(0, np.int64), return_counts=True)
    enough = found[shared >= LEAST_SHARED]
    return enough // max(1, len(all_marks)), enough % max(1, len(all_marks))


class MarkIndex:
    """Marks of many pictures under their numbers, for one that is new."""

    def __init__(self, numbers: Iterable[int] = (), all_marks: Iterable[Marks] = ()) -> None:
        self._keys, self._numbers = np.zeros(0, np.uint32), np.zeros(0, np.int64)
        self._new: dict[int, NDArray[np.uint32]] = {}
        self._gone: set[int] = set()
        pairs = [(number, np.unique(one.keys)) for number, one in zip(numbers, all_marks, strict=True)]
        self._merge(pairs)

    def add(self, number: int, found: Marks) -> None:
        """Add the marks of a picture; one that has this number is replaced."""
        if number in self._new or np.any(self._numbers == number):
            self.remove(number)
            self._merge(list(self._new.items()))
        self._new[number] = np.unique(found.keys)
        if sum(map(len, self._new.values())) > _MOST_NEW:
            self._merge(list(self._new.items()))

    def remove(self, number: int) -> None:
        """Remove a picture."""
        if self._new.pop(number, None) is None:
            self._gone.add(number)

    def near(self, found: Marks) -> list[tuple[int, int]]:
        """Give numbers of pictures that share keys enough, and how many; those with most first."""
        asked = np.unique(found.keys)
        begins, ends = (np.searchsorted(self._keys, asked, side) for side in ("left", "right"))
        rare = ends - begins <= COMMON
        owners = [self._numbers[begin:end] for begin, end in zip(begins[rare], ends[rare], strict=True)]
        owners += [np.full(np.isin(keys, asked).sum(), number, np.int64) for number, keys in self._new.items()]
        numbers, shared = np.unique(np.concatenate(owners) if owners else self._numbers[:0], return_counts=True)
        pairs = zip(numbers.tolist(), shared.tolist(), strict=True)
        kept = [(number, count) for number, count in pairs if count >= LEAST_SHARED and number not in self._gone]
        return sorted(kept, key=lambda one: -one[1])

    def _merge(self, pairs: list[tuple[int, NDArray[np.uint32]]]) -> None:
        there = ~np.isin(self._numbers, list(self._gone)) if self._gone else np.ones(len(self._numbers), np.bool_)
        keys = np.concatenate([self._keys[there], *(keys for _, keys in pairs)])
        numbers = np.concatenate([self._numbers[there], *(np.full(len(keys), number) for number, keys in pairs)])
        order = np.argsort(keys, kind="stable")
        self._keys, self._numbers = keys[order], numbers[order].astype(np.int64)
        self._new, self._gone = {}, set()
