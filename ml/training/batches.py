"""Batches from shards. Shards may still be coming while training runs: the one seen least is taken next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml.numbers.alphabet import INDEX
from ml.training.generate.shards import load
from ml.training.model import HEIGHT, WIDTH

_BLACK = 255


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures and what is true of them. A text's characters are counted from 1: 0 is the blank."""

    pictures: Tensor
    targets: Tensor
    lengths: Tensor
    rows: Tensor
    kinds: Tensor


def batch_of(pictures: NDArray[np.uint8], texts: list[str], rows: NDArray[np.uint8], kinds: list[int]) -> Batch:
    """Make a batch of crops that already have the network's size."""
    longest = max(1, *(len(text) for text in texts))
    targets = np.zeros((len(texts), longest), np.int64)
    for place, text in enumerate(texts):
        targets[place, : len(text)] = [INDEX[character] + 1 for character in text]
    return Batch(
        torch.from_numpy(pictures.astype(np.float32)[:, None]),
        torch.from_numpy(targets),
        torch.tensor([len(text) for text in texts]),
        torch.from_numpy(rows.astype(np.int64) - 1),
        torch.tensor(kinds),
    )


def shown(pictures: NDArray[np.uint8], random: np.random.Generator | None) -> NDArray[np.uint8]:
    """Cut stored crops to the network's size: in the middle, or for training near it, seldom as a negative."""
    spare_y, spare_x = pictures.shape[1] - HEIGHT, pictures.shape[2] - WIDTH
    cut = np.empty((len(pictures), HEIGHT, WIDTH), np.uint8)
    for place, picture in enumerate(pictures):
        y, x = spare_y // 2, spare_x // 2
        if random is not None:
            y, x = int(random.integers(spare_y + 1)), int(random.integers(spare_x + 1))
        cut[place] = picture[y : y + HEIGHT, x : x + WIDTH]
    if random is not None:
        negative = random.random(len(cut)) < 0.05
        cut[negative] = _BLACK - cut[negative]
    return cut


class Shards:
    """The shards of some folders, taken in turn."""

    def __init__(self, folders: tuple[Path, ...], kinds: list[str], batch: int, seed: int) -> None:
        self._folders = folders
        self._kinds = {kind: place for place, kind in enumerate(kinds)}
        self._batch = batch
        self._seed = seed
        self.seen: dict[str, int] = {}

    def __iter__(self) -> Iterator[Batch]:
        """Give batches without end."""
        while True:
            file = self._next()
            times = self.seen.get(file.name, 0)
            random = np.random.default_rng([self._seed, times, *file.name.encode()])
            yield from self.of(file, random)
            self.seen[file.name] = times + 1

    def of(self, file: Path, random: np.random.Generator | None) -> Iterator[Batch]:
        """Give the batches of one shard: shuffled and shifted for training, as they lie for judging."""
        shard = load(file)
        order = np.arange(len(shard.texts)) if random is None else random.permutation(len(shard.texts))
        other = self._kinds["none"]
        for start in range(0, len(order) - self._batch + 1, self._batch):
            chosen = order[start : start + self._batch]
            yield batch_of(
                shown(shard.pictures[chosen], random),
                [shard.texts[place] for place in chosen],
                shard.rows[chosen],
                [self._kinds.get(shard.kinds[place], other) for place in chosen],
            )

    def _next(self) -> Path:
        files = [file for folder in self._folders for file in sorted(folder.glob("*.npz"))]
        if not files:
            raise FileNotFoundError(f"no shards in {', '.join(map(str, self._folders))}")
        return min(files, key=lambda file: (self.seen.get(file.name, 0), file.name))
