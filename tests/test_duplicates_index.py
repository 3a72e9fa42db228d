"""The index finds what comparing everything with everything finds, whatever was added and removed before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.duplicates import index as index_module
from ml.duplicates.index import Hashes, HashIndex, masks, reaches
from ml.duplicates.pairs import pairs, pairs_between

RADII = st.integers(0, 14)


def crowd(seed: int, size: int) -> Hashes:
    """Hashes in families: near each other at all distances that matter, and some equal."""
    chance = np.random.default_rng(seed)
    parents = chance.integers(0, 1 << 64, max(1, size // 4), np.uint64)
    found = parents[chance.integers(0, len(parents), size)]
    for _ in range(14):
        flipped = np.uint64(1) << chance.integers(0, 64, size).astype(np.uint64)
        found = np.where(chance.random(size) < 0.4, found ^ flipped, found)
    return found


def brute(asked: list[int], known: dict[int, int], radius: int) -> list[tuple[int, int, int]]:
    found = [
        (number, which, (hash_ ^ one).bit_count())
        for number, hash_ in known.items()
        for which, one in enumerate(asked)
        if (hash_ ^ one).bit_count() <= radius
    ]
    return sorted(found)


@given(st.integers(0, 1 << 32), RADII)
@settings(max_examples=40, deadline=None)
def test_all_within_the_radius_are_found_and_nothing_else(seed: int, radius: int) -> None:
    hashes = crowd(seed, 300)
    known = dict(enumerate(hashes.tolist()))
    asked = crowd(seed, 300)[:8].tolist()
    assert sorted(HashIndex(known, known.values()).near(asked, radius)) == brute(asked, known, radius)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 15), st.integers(0, 20)), max_size=60), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_adding_and_removing_in_any_order(acts: list[tuple[bool, int, int]], begun: int) -> None:
    hashes = crowd(5, 21).tolist()
    known = dict(enumerate(hashes[:begun]))
    index = HashIndex(known, known.values())
    for adding, number, which in acts:
        if adding:
            index.add(number, hashes[which])
            known[number] = hashes[which]
        else:
            assert index.remove(number) == (known.pop(number, None) is not None)
    assert len(index) == len(known)
    assert sorted(index.near(hashes[:8], 10)) == brute(hashes[:8], known, 10)


def test_what_is_new_is_listed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_MOST_NEW", 10)
    hashes = crowd(7, 200).tolist()
    index, known = HashIndex(), {}
    for number, one in enumerate(hashes):
        index.add(number, one)
        known[number] = one
        if number % 3 == 0:
            index.remove(number // 2)
            known.pop(number // 2, None)
    assert index._listed > 100
    assert sorted(index.near(hashes[:5])) == brute(hashes[:5], known, 10)


@given(st.integers(0, 1 << 32), RADII, st.integers(1, 2))
@settings(max_examples=30, deadline=None)
def test_all_pairs_are_found_once(seed: int, radius: int, threads: int) -> None:
    hashes = crowd(seed, 250)
    found = [
        (first, second, distance)
        for some in pairs(hashes, radius, threads=threads)
        for first, second, distance in zip(*(part.tolist() for part in some), strict=True)
    ]
    distances = np.bitwise_count(hashes[:, None] ^ hashes[None])
    expected = [
        (one, other, int(distances[one, other]))
        for one, other in np.argwhere(distances <= radius).tolist()
        if one < other
    ]
    assert sorted(found) == expected


@given(st.integers(0, 1 << 32), RADII)
@settings(max_examples=20, deadline=None)
def test_all_pairs_between_two_are_found_once(seed: int, radius: int) -> None:
    left, right = crowd(seed, 120), crowd(seed, 260)[120:]
    found = [
        (first, second)
        for some in pairs_between(left, right, radius)
        for first, second in zip(some[0].tolist(), some[1].tolist(), strict=True)
    ]
    expected = np.argwhere(np.bitwise_count(left[:, None] ^ right[None]) <= radius)
    assert sorted(found) == [tuple(pair) for pair in expected.tolist()]


def test_extreme_hashes_are_found() -> None:
    ends = [0, (1 << 64) - 1, 0xFFFF, 0xFFFF << 48]
    index = HashIndex(range(4), ends)
    for number, one in enumerate(ends):
        assert (number, 0, 0) in index.near([one])
    assert HashIndex().near([1, 2]) == []
    assert list(pairs(np.zeros(0, np.uint64))) == []


def test_the_parts_reach_as_far_as_the_radius_needs() -> None:
    for radius in range(20):
        assert sum(reach + 1 for reach in reaches(radius)) == radius + 1
    assert [len(masks(reach)) for reach in (0, 1, 2)] == [1, 17, 137]
