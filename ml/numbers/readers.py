"""The two readers: ours, made for numbers, and the general one of PP-OCR. Both give characters by frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ml.numbers.alphabet import BLANK, CHARACTERS, INDEX, normalized
from ml.numbers.errors import ModelDamaged
from ml.numbers.geometry import Picture
from ml.numbers.sessions import WEIGHTS, Floats, Session, packaged, recorded

GENERAL_MODEL = "PP-OCRv6_rec_small.onnx"
_WIDTH, _HEIGHT = 128, 48
_LEAST_WIDTH, _MOST_WIDTH = 320, 960
_FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What our reader says of a crop: log probabilities of characters by frame, of rows, and of the kind."""

    frames: Floats  # as one row
    frames_of_two: Floats  # as two rows, one after the other
    two_rows: float
    kinds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Rough:
    """What the general reader says of one row: our characters by frame, and all it read, punctuation and all."""

    frames: Floats
    text: str


class OwnReader:
    """The recogniser that the project trains on data it makes."""

    def __init__(self, folder: Path = WEIGHTS, threads: int = 1) -> None:
        self._session: Session = recorded(folder, threads)
        record = self._session.record
        self.version = str(record.get("version", ""))
        self._kinds = [str(kind) for kind in record.get("kinds", [])]
        self._temperature = float(record.get("temperature", 1.0))
        if not self._kinds or record.get("characters") != CHARACTERS:
            raise ModelDamaged(f"the record in {folder} is of another alphabet or names no kinds")

    def read(self, crops: list[Picture]) -> list[Glimpse]:
        """Read crops, each of a whole number."""
        if not crops:
            return []
        batch = np.stack([_small_grey(crop) for crop in crops])[:, None].astype(np.float32)
        characters, rows, kinds = self._session.run(batch)
        characters = _log_softmax(characters / self._temperature)
        two = np.exp(_log_softmax(rows))[:, 1]
        shares = np.exp(_log_softmax(kinds))
        return [
            Glimpse(
                characters[place, 0],
                np.concatenate([characters[place, 1], characters[place, 2]]),
                float(two[place]),
                dict(zip(self._kinds, shares[place].tolist(), strict=True)),
            )
            for place in range(len(crops))
        ]


class GeneralReader:
    """The text recogniser of PP-OCR, of whose many characters ours are kept, with what looks like them."""

    def __init__(self, threads: int = 1) -> None:
        self._session = packaged(GENERAL_MODEL, threads)
        self._characters = self._session.record.get("character", "").split("\n")
        self._group = _groups(self._characters)

    def read(self, crop: Picture) -> Rough:
        """Read one row."""
        height, width = crop.shape[:2]
        wide = min(max(round(48 * width / max(height, 1)), 8), _MOST_WIDTH)
        small = cv2.resize(crop, (wide, _HEIGHT), interpolation=cv2.INTER_LINEAR)
        ready = np.zeros((1, 3, _HEIGHT, max(wide, _LEAST_WIDTH)), np.float32)
        ready[0, :, :, :wide] = (small[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
        shares = self._session.run(ready)[0][0]
        # What is none of our characters, such as a hyphen, is as good as blank.
        kept = np.zeros((len(shares), len(CHARACTERS) + 1), np.float32)
        for place, members in enumerate(self._group):
            kept[:, place] = shares[:, members].sum(axis=1)
        kept[:, BLANK] = np.maximum(1 - kept[:, 1:].sum(axis=1), 0)
        logs: Floats = np.log(np.maximum(kept, _FLOOR))
        return Rough(logs, self._text(shares.argmax(axis=1).tolist()))

    def _text(self, best: list[int]) -> str:
        kept = [now for before, now in zip([BLANK, *best], best, strict=False) if now not in {before, BLANK}]
        return "".join(self._characters[place - 1] if place <= len(self._characters) else " " for place in kept)


def _groups(characters: list[str]) -> list[list[int]]:
    """Give the classes that mean each of our characters. The first class is the blank, the last a space."""
    groups: list[list[int]] = [[] for _ in range(len(CHARACTERS) + 1)]
    for place, character in enumerate(characters):
        plain = normalized(character)
        if len(plain) == 1:
            groups[INDEX[plain] + 1].append(place + 1)
    if any(not group for group in groups[1:]):
        raise ModelDamaged("the general reader knows other characters than it should")
    return groups


def _small_grey(crop: Picture) -> Picture:
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if crop.ndim == 3 else crop
    way = cv2.INTER_AREA if crop.shape[1] > _WIDTH else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (_WIDTH, _HEIGHT), interpolation=way), np.uint8)


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logs
