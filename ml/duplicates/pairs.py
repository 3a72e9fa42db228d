"""All pairs of hashes within a radius, each once: the lists joined with themselves, or with other orientations."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ml.duplicates.index import PART_BITS, PARTS, RADIUS, Hashes, Rows, listed, masks, part_of, reaches

Pairs = tuple[Rows, Rows, NDArray[np.uint8]]

_BLOCK = 1 << 15  # rows at once: what they need stays in a processor's cache


def pairs(hashes: Hashes, radius: int = RADIUS, *, threads: int = 1) -> Iterator[Pairs]:
    """Give rows and distances of all pairs within the radius, the smaller row first, in pieces."""
    for first, second, distance in _joined(hashes, hashes, radius, threads, mirrored=True):
        yield np.minimum(first, second), np.maximum(first, second), distance


def pairs_between(left: Hashes, right: Hashes, radius: int = RADIUS, *, threads: int = 1) -> Iterator[Pairs]:
    """Give all pairs of a row of one and a row of the other within the radius."""
    yield from _joined(left, right, radius, threads, mirrored=False)


def _joined(left: Hashes, right: Hashes, radius: int, threads: int, *, mirrored: bool) -> Iterator[Pairs]:
    """Join by each part. With ``mirrored`` both are the same, and of two rows only one asks for the other."""
    with ThreadPoolExecutor(threads) as pool:
        for part, reach in enumerate(reaches(radius)):
            if reach < 0:
                continue
            side = _Side(left, part)
            other = side if mirrored else _Side(right, part)
            search = _Search(side, other, radius, part, mirrored)
            yield from (found for some in pool.map(search.near, masks(reach)) for found in some)


class _Side:
    """Hashes ordered by a part."""

    def __init__(self, hashes: Hashes, part: int) -> None:
        self.order, self.starts = listed(hashes, part)
        self.hashes = hashes[self.order]
        self.values = part_of(self.hashes, part)


class _Search:
    """The pairs whose parts differ by a mask."""

    def __init__(self, left: _Side, right: _Side, radius: int, part: int, mirrored: bool) -> None:  # noqa: FBT001
        self._left, self._right, self._radius, self._part, self._mirrored = left, right, radius, part, mirrored

    def near(self, mask: np.uint16) -> list[Pairs]:
        """Give the pairs, in pieces."""
        rows = np.arange(len(self._left.hashes))
        if self._mirrored and mask:
            # Of two values that differ by the mask, the one without its highest bit asks.
            highest = np.uint16(1 << (int(mask).bit_length() - 1))
            rows = np.flatnonzero((self._left.values & highest) == 0)
        return [
            found for start in range(0, len(rows), _BLOCK) for found in self._block(rows[start : start + _BLOCK], mask)
        ]

    def _block(self, rows: Rows, mask: np.uint16) -> Iterator[Pairs]:
        values = (self._left.values[rows] ^ mask).astype(np.int64)
        places, ends = self._right.starts[values], self._right.starts[values + 1]
        if self._mirrored and not mask:
            places = rows + 1
        # The longest lists first: who still has candidates is then always the beginning.
        counts = ends - places
        order = np.argsort(-counts, kind="stable")
        rows, places, counts = rows[order], places[order], counts[order]
        hashes, right = self._left.hashes[rows], self._right.hashes
        # One after the other of each row's list: so no list of all candidates has to be made.
        still = np.searchsorted(-counts, -np.arange(counts[0] if len(counts) else 0), side="left")
        for number, alive in enumerate(still.tolist()):
            differing = hashes[:alive] ^ right[places[:alive] + number]
            close = np.flatnonzero(np.bitwise_count(differing) <= self._radius)
            if len(close) and len(found := close[self._first(differing[close])]):
                distance = np.bitwise_count(differing[found])
                yield self._left.order[rows[found]], self._right.order[places[found] + number], distance

    def _first(self, differing: Hashes) -> NDArray[np.bool_]:
        """Whether no part before this one has found the pair as well."""
        first = np.ones(len(differing), np.bool_)
        for part, reach in enumerate(reaches(self._radius)[: self._part]):
            first &= np.bitwise_count(part_of(differing, part)) > reach
        return first


assert np.iinfo(np.uint64).bits == PARTS * PART_BITS, "the parts are all of a hash"
