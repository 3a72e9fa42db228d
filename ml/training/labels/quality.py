"""How good labels are: what is wrong with single ones, how far workers agree, and who stands out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any

from ml.numbers.alphabet import normalized
from ml.training.labels.annotation import Annotation, Box

_SAME = 0.5
_FAR = 5.0
_FEW = 5


@dataclass(frozen=True, slots=True)
class Item:
    """A number in a picture, and what all who looked say of it."""

    file: str
    answers: tuple[Annotation, ...]

    @property
    def texts(self) -> Counter[str]:
        """Count what is said."""
        return Counter(normalized(answer.text) for answer in self.answers)

    @property
    def settled(self) -> str | None:
        """Give what more than half of them say, if more than half say the same."""
        text, count = self.texts.most_common(1)[0]
        return text if text and count * 2 > len(self.answers) else None


def items(annotations: Sequence[Annotation]) -> list[Item]:
    """Bring together what different workers say of one number: boxes of one picture that overlap by half."""
    groups: dict[str, list[list[Annotation]]] = defaultdict(list)
    for one in annotations:
        there = groups[one.file]
        group = next((g for g in there if all(a.worker != one.worker for a in g) and _same(g[0].box, one.box)), None)
        if group is None:
            there.append([one])
        else:
            group.append(one)
    return [Item(file, tuple(group)) for file, there in groups.items() for group in there]


def report(annotations: Sequence[Annotation]) -> dict[str, Any]:
    """Give a report for people to act on."""
    found = items(annotations)
    several = [item for item in found if len(item.answers) > 1]
    pairs = [(a, b) for item in several for a, b in combinations([normalized(x.text) for x in item.answers], 2)]
    return {
        "pictures": len({one.file for one in annotations}),
        "labels": len(annotations),
        "numbers": len(found),
        "settled": sum(item.settled is not None for item in found),
        "seen_by_several": len(several),
        "agreement": round(sum(a == b for a, b in pairs) / len(pairs), 4) if pairs else None,
        "workers": _workers(several),
        "faults": faults(annotations),
        "unsettled": [{"file": item.file, "said": dict(item.texts)} for item in found if item.settled is None],
    }


def _workers(several: Sequence[Item]) -> dict[str, dict[str, float]]:
    """Give how often each worker says what the others settle on."""
    told: dict[str, list[bool]] = defaultdict(list)
    for item in several:
        for answer in item.answers:
            others = Item(item.file, tuple(a for a in item.answers if a is not answer))
            if others.settled is not None:
                told[answer.worker].append(normalized(answer.text) == others.settled)
    return {
        worker: {"judged": len(right), "right": round(sum(right) / len(right), 4)}
        for worker, right in sorted(told.items())
    }


def faults(annotations: Sequence[Annotation]) -> list[dict[str, str]]:
    """Name labels that can hardly be right, and where each stands."""
    heights = [one.box[3] for one in annotations if one.box and one.box[3] > 0]
    usual = median(heights) if len(heights) >= _FEW else 0.0
    seen: set[tuple[str, str, str, Box | None]] = set()
    found = []
    for one in annotations:
        why = _fault(one, usual)
        key = (one.file, one.worker, one.text, one.box)
        if why is None and key in seen:
            why = "the same label twice"
        seen.add(key)
        if why:
            found.append({"file": one.file, "text": one.text, "place": one.place, "fault": why})
    return found


def _fault(one: Annotation, usual: float) -> str | None:
    text = normalized(one.text)
    if not text:
        return "no letter and no digit"
    if one.box is None:
        return None
    _, _, width, height = one.box
    if width <= 0 or height <= 0:
        return "an empty box"
    if usual and not 1 / _FAR < height / usual < _FAR:
        return "a box of quite another height than the others"
    if len(text) > 1 and width < height * 0.2 * len(text):
        return "a box too narrow for its text"
    return None


def _same(first: Box | None, second: Box | None) -> bool:
    if first is None or second is None:
        return first is second
    wide = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    tall = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    if wide <= 0 or tall <= 0:
        return False
    shared = wide * tall
    return shared / (first[2] * first[3] + second[2] * second[3] - shared) >= _SAME
