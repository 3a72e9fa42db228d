"""Judging the whole pipeline on a set: what it reads right, how well it knows it, and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ml.numbers.alphabet import folded
from ml.numbers.geometry import Picture, overlap
from ml.numbers.reading import Reading
from ml.training.sets import Label, Labelled

_SAME_PLACE = 0.3
_BINS = 10

Read = Callable[[Picture], Sequence[Reading]]


@dataclass(frozen=True, slots=True)
class Case:
    """A label and the reading at its place, if there is one."""

    file: str
    label: Label
    reading: Reading | None
    group: str = ""

    @property
    def right(self) -> bool:
        """Tell whether it was read right, but for O and 0, I and 1."""
        return self.reading is not None and folded(self.reading.text) == folded(self.label.text)


@dataclass(slots=True)
class Evaluation:
    """What was found in a set."""

    cases: list[Case] = field(default_factory=list)
    readings: list[tuple[Reading, bool]] = field(default_factory=list)
    images: int = 0
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """Give the figures."""
        count = max(len(self.cases), 1)
        edits = sum(distance(case.label.text, case.reading.text if case.reading else "") for case in self.cases)
        length = max(sum(len(case.label.text) for case in self.cases), 1)
        exact = sum(case.reading is not None and case.reading.text == case.label.text for case in self.cases) / count
        accepted = [right for reading, right in self.readings if reading.accepted]
        return {
            "images": self.images,
            "exact": _share(exact),
            "exact_folded": _share(sum(case.right for case in self.cases) / count),
            "ser": _share(1 - exact),
            "cer": _share(edits / length),
            "recall": _share(sum(case.right for case in self.cases) / count),
            "precision": _share(sum(right for _, right in self.readings) / max(len(self.readings), 1)),
            "seconds_per_image": round(self.seconds / max(self.images, 1), 3),
            "calibration_error": _share(calibration_error([(r.confidence, right) for r, right in self.readings])),
            "auto_accepted": _share(len(accepted) / max(len(self.readings), 1)),
            "auto_accepted_right": _share(sum(accepted) / len(accepted)) if accepted else None,
        }


def judge(result: Evaluation, labelled: Labelled, picture: Picture, read: Read) -> None:
    """Read one more picture, and add what comes of it."""
    started = time.perf_counter()
    readings = list(read(picture))
    result.seconds += time.perf_counter() - started
    result.images += 1
    result.cases += [_case(labelled, label, readings) for label in labelled.labels]
    result.readings += [(reading, _right(reading, labelled.labels)) for reading in readings]


def _case(labelled: Labelled, label: Label, readings: Sequence[Reading]) -> Case:
    there = [reading for reading in readings if _there(reading, label)]
    return Case(labelled.file.name, label, there[0] if there else None, labelled.file.parent.parent.name)


def _there(reading: Reading, label: Label) -> bool:
    return label.corners is None or overlap(reading.corners, label.corners) > _SAME_PLACE


def _right(reading: Reading, labels: Sequence[Label]) -> bool:
    return any(_there(reading, label) and folded(reading.text) == folded(label.text) for label in labels)


def calibration_error(told: Sequence[tuple[float, bool]]) -> float:
    """Give how far confidence is from truth: the mean gap in ten bins, weighed by what falls into each."""
    if not told:
        return 0.0
    confidence = np.array([one for one, _ in told])
    right = np.array([one for _, one in told], float)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).sum() for b in set(bins.tolist())]
    return float(sum(gaps) / len(told))


def distance(first: str, second: str) -> int:
    """Give the least number of characters to change, add and leave out."""
    before = list(range(len(second) + 1))
    for place, character in enumerate(first, start=1):
        row = [place]
        for other, wanted in enumerate(second, start=1):
            row.append(min(before[other] + 1, row[-1] + 1, before[other - 1] + (character != wanted)))
        before = row
    return before[-1]


def _share(value: float) -> float:
    return round(float(value), 4)
