"""Training data in files of a few thousand samples, each made anew from its seed whenever it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.training.generate.camera import HEIGHT, WIDTH
from ml.training.generate.sample import VERSION, sample

SAMPLES = 4096


@dataclass(frozen=True, slots=True)
class Shard:
    """Samples side by side."""

    pictures: NDArray[np.uint8]
    texts: list[str]
    rows: NDArray[np.uint8]
    kinds: list[str]


def generate(folder: Path, seed: int, shards: int, samples: int = SAMPLES) -> Iterator[Path]:
    """Write the shards of a seed that are missing, and give the path of each when it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    for number in range(shards):
        file = folder / f"v{VERSION}-{seed}-{number:05d}.npz"
        if not file.exists():
            _write(file, seed, number * samples, samples)
        yield file


def load(file: Path) -> Shard:
    """Read a shard."""
    with np.load(file, allow_pickle=False) as stored:
        return Shard(stored["pictures"], stored["texts"].tolist(), stored["rows"], stored["kinds"].tolist())


def store(file: Path, shard: Shard) -> None:
    """Write a shard; it is there whole or not at all."""
    partial = file.with_suffix(".partial")
    with partial.open("wb") as stream:
        np.savez(
            stream,
            pictures=shard.pictures,
            texts=np.array(shard.texts),
            rows=shard.rows,
            kinds=np.array(shard.kinds),
        )
    partial.replace(file)


def _write(file: Path, seed: int, first: int, count: int) -> None:
    pictures = np.zeros((count, HEIGHT, WIDTH), np.uint8)
    texts: list[str] = []
    kinds: list[str] = []
    rows = np.zeros(count, np.uint8)
    for place in range(count):
        made = sample(seed, first + place)
        pictures[place] = made.picture
        texts.append(made.text)
        kinds.append(made.kind)
        rows[place] = made.rows
    store(file, Shard(pictures, texts, rows, kinds))
