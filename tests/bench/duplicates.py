"""Duplicates: recall and false pairs over fifteen edits beside ImageHash and imagededup, and the index at a million."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from PIL import Image

from archive.media.seeing import see
from ml.duplicates.compare import Kind, compare
from ml.duplicates.grouping import Member, candidate_pairs
from ml.duplicates.index import Hashes, HashIndex
from ml.duplicates.look import Look
from ml.duplicates.marks import Marks
from ml.duplicates.pairs import pairs
from ml.duplicates.sharing import MarkIndex
from tests.bench.figure import Figure, percentile
from tests.bench.photos import photos
from tests.support.scenery import EDITS

_RADIUS = 10
_SMALL, _LARGE = 100_000, 1_000_000
_ASKED = 200
_THREADS = 2


@dataclass(frozen=True, slots=True)
class _Picture:
    """A photo or an edit of it, as each method sees it."""

    photo: int
    edit: str | None
    look: Look
    # By the name of a yardstick, its hash.
    others: dict[str, int]


def measure(folder: Path | None = None) -> Iterator[Figure]:
    yield from _evaluated(folder)
    yield from _indexed()


# Recall and false pairs


def _evaluated(folder: Path | None) -> Iterator[Figure]:
    started = time.process_time()
    pictures = _pictures(photos(folder))
    took = time.process_time() - started
    originals = {one.photo: one for one in pictures if one.edit is None}
    yardsticks = sorted(pictures[0].others)
    hits: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for one in pictures:
        if one.edit is not None:
            original = originals[one.photo]
            found = compare(original.look, one.look)
            hits["ours"][one.edit].append(found is not None and found.kind is Kind.SAME)
            for name in yardsticks:
                hits[name][one.edit].append((original.others[name] ^ one.others[name]).bit_count() <= _RADIUS)
    beside = yardsticks[0] if yardsticks else None
    for edit in EDITS:
        yield _recall(f"recall: {edit}", hits, edit, beside)
    for name in ("ours", *yardsticks):
        all_hits = [hit for edit in EDITS for hit in hits[name][edit]]
        goal = ">= 0.93" if name == "ours" else None
        yield Figure("duplicates", f"recall over all edits: {name}", float(np.mean(all_hits)), "", goal=goal)
    yield from _false(pictures, yardsticks)
    yield Figure("duplicates", "photos and edits looked at", len(pictures), "pictures")
    yield Figure("duplicates", "looking at one, with yardsticks", took / len(pictures) * 1e3, "cpu-ms")


def _recall(title: str, hits: dict[str, dict[str, list[bool]]], edit: str, beside: str | None) -> Figure:
    ours = float(np.mean(hits["ours"][edit]))
    if beside is None:
        return Figure("duplicates", title, ours, "")
    theirs = float(np.mean(hits[beside][edit]))
    return Figure("duplicates", title, ours, "", f"{beside} ({theirs:.3f})", ours / theirs if theirs else None)


def _pictures(originals: list[Image.Image]) -> list[_Picture]:
    hashers = _hashers()
    found = []
    for number, photo in enumerate(originals):
        for edit in (None, *EDITS):
            shown = photo if edit is None else EDITS[edit](photo, random.Random(number))
            others = {name: hasher(shown) for name, hasher in hashers.items()}
            found.append(_Picture(number, edit, see(shown)[0], others))
    return found


def _hashers() -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        import imagehash
    except ImportError:
        click.echo("ImageHash is not installed; measured without it")
    else:
        found["ImageHash phash <= 10"] = lambda image: int(str(imagehash.phash(image)), 16)
    try:
        from imagededup.methods import PHash
    except ImportError:
        click.echo("imagededup is not installed (it brings torch); measured without it")
    else:
        hasher = PHash(verbose=False)
        found["imagededup PHash <= 10"] = lambda image: int(hasher.encode_image(image_array=np.asarray(image)), 16)
    return found


def _false(pictures: list[_Picture], yardsticks: list[str]) -> Iterator[Figure]:
    """Count pairs of different photos that are called the same, among all pairs, edits included."""
    members = [Member(number, number.to_bytes(4), one.look) for number, one in enumerate(pictures)]
    photo = np.array([one.photo for one in pictures])
    wrong, compared = 0, 0
    started = time.process_time()
    for one, other in candidate_pairs(members, threads=_THREADS):
        if photo[one] != photo[other]:
            compared += 1
            found = compare(pictures[one].look, pictures[other].look)
            wrong += found is not None and found.kind is Kind.SAME
    took = time.process_time() - started
    apart = int(np.count_nonzero(photo[:, None] != photo[None])) // 2
    yield Figure("duplicates", "pairs of different photos", apart, "pairs")
    yield Figure("duplicates", "false pairs: ours", wrong, "pairs", goal="0")
    yield Figure("duplicates", "of which candidates, compared by pixels", compared, "pairs")
    yield Figure("duplicates", "finding candidates and comparing these", took, "cpu-s")
    for name in yardsticks:
        hashes = np.array([one.others[name] for one in pictures], np.uint64)
        near = np.bitwise_count(hashes[:, None] ^ hashes[None]) <= _RADIUS
        yield Figure(
            "duplicates", f"false pairs: {name}", int((near & (photo[:, None] != photo[None])).sum()) // 2, "pairs"
        )


# The index


def _indexed() -> Iterator[Figure]:
    for size in (_SMALL, _LARGE):
        hashes = _hashes(size)
        started = time.perf_counter()
        index = HashIndex(range(size), hashes)
        yield Figure("duplicates", f"index of {size:,} hashes, build", time.perf_counter() - started, "s")
        yield from _looked_up(index, hashes)
        wall, cpu = time.perf_counter(), time.process_time()
        found = sum(len(first) for first, _, _ in pairs(hashes, _RADIUS, threads=_THREADS))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        goal = "< 60" if size == _LARGE else None
        yield Figure("duplicates", f"all pairs of {size:,}, two threads", wall, "s", goal=goal)
        yield Figure("duplicates", f"all pairs of {size:,}, processor", cpu, "cpu-s")
        yield Figure("duplicates", f"pairs within ten bits among {size:,}", found, "pairs")
    yield from _marks_looked_up()


def _looked_up(index: HashIndex, hashes: Hashes) -> Iterator[Figure]:
    chance = np.random.default_rng(2)
    taken, added = [], []
    for number in range(_ASKED):
        asked = [int(one) for one in chance.integers(0, 1 << 64, 8, np.uint64)]
        asked[3] = int(hashes[number]) ^ 0b1001
        started = time.perf_counter()
        found = index.near(asked)
        taken.append((time.perf_counter() - started) * 1e3)
        assert (number, 3, 2) in found
        started = time.perf_counter()
        index.add(-1 - number, asked[0])
        added.append((time.perf_counter() - started) * 1e3)
    size = len(hashes)
    goal = "< 5" if size == _LARGE else None
    yield Figure("duplicates", f"look-up of eight orientations in {size:,}, p50", median(taken), "ms", goal=goal)
    yield Figure(
        "duplicates", f"look-up of eight orientations in {size:,}, p99", percentile(taken, 0.99), "ms", goal=goal
    )
    yield Figure("duplicates", f"adding one to {size:,}, p50", median(added), "ms")


def _marks_looked_up() -> Iterator[Figure]:
    chance = np.random.default_rng(3)
    none = np.zeros(0, np.float32)
    empty = np.zeros(0, np.uint8)
    all_marks = [Marks(keys, none, none, none, empty) for keys in chance.integers(0, 1 << 26, (_SMALL, 48), np.uint32)]
    index = MarkIndex(range(_SMALL), all_marks)
    taken = []
    for number in range(_ASKED):
        started = time.perf_counter()
        found = index.near(all_marks[number])
        taken.append((time.perf_counter() - started) * 1e3)
        assert found[0] == (number, len(np.unique(all_marks[number].keys)))
    yield Figure("duplicates", f"look-up by marks of {_SMALL:,} pictures, p50", median(taken), "ms")


def _hashes(size: int) -> Hashes:
    return np.random.default_rng(1).integers(0, 1 << 64, size, np.uint64)
