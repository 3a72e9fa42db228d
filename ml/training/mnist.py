"""A folder of MNIST's own files, if the user has one: handwritten digits, set into lines to begin a training."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.numbers.errors import LabelsInvalid
from ml.training.generate.camera import HEIGHT, WIDTH
from ml.training.generate.shards import Shard

_PICTURES, _LABELS = 0x803, 0x801


def read(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read the training digits and what each is."""
    pictures = _idx(folder, "train-images", _PICTURES)
    labels = _idx(folder, "train-labels", _LABELS)
    if len(pictures) != len(labels):
        raise LabelsInvalid(f"{folder}: {len(pictures)} digits, but {len(labels)} labels")
    return pictures, labels


def lines(pictures: NDArray[np.uint8], labels: NDArray[np.uint8], count: int, seed: int) -> Shard:
    """Set digits beside each other: lines of one to five, dark on light."""
    random = np.random.default_rng(seed)
    made, texts = np.zeros((count, HEIGHT, WIDTH), np.uint8), []
    for place in range(count):
        chosen = random.integers(0, len(labels), int(random.integers(1, 6)))
        strip = np.concatenate([255 - pictures[one] for one in chosen], axis=1)
        made[place] = cv2.resize(strip, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        texts.append("".join(str(labels[one]) for one in chosen))
    return Shard(made, texts, np.ones(count, np.uint8), ["bib"] * count)


def _idx(folder: Path, name: str, magic: int) -> NDArray[np.uint8]:
    file = next(iter(sorted(folder.glob(f"{name}*"))), None)
    if file is None:
        raise LabelsInvalid(f"{folder} holds no {name}-idx file")
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    (found,) = struct.unpack(">I", data[:4])
    if found != magic:
        raise LabelsInvalid(f"{file} begins with {found:#x} instead of {magic:#x}: it is no file of MNIST")
    sides = struct.unpack(f">{magic & 0xFF}I", data[4 : 4 + 4 * (magic & 0xFF)])
    content = np.frombuffer(data, np.uint8, offset=4 + 4 * len(sides))
    if content.size != int(np.prod(sides)):
        raise LabelsInvalid(f"{file} is cut short: {content.size} of {int(np.prod(sides))} bytes")
    return content.reshape(sides)
