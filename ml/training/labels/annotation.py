"""What somebody says is in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]  # left, top, width, height in pixels
_INSIDE = 0.6


@dataclass(frozen=True, slots=True)
class Annotation:
    """One box, what is written in it as it was typed, and who says so. ``place`` names where in the file it stands."""

    file: str
    text: str
    box: Box | None
    worker: str = ""
    place: str = ""


def gathered(annotations: Sequence[Annotation]) -> list[Annotation]:
    """Make numbers of digits: boxes of one character within a larger box, or beside each other, become its text.

    Tools for detectors label every digit; a number is what stands between its box's sides, from the left.
    """
    found: list[Annotation] = []
    by_picture: dict[tuple[str, str], list[Annotation]] = {}
    for one in annotations:
        by_picture.setdefault((one.file, one.worker), []).append(one)
    for there in by_picture.values():
        digits = [one for one in there if one.box and len(one.text) == 1]
        numbers = [one for one in there if not (one.box and len(one.text) == 1)]
        found += [_filled(number, digits) for number in numbers]
        left = [digit for digit in digits if not any(n.box and _within(digit.box, n.box) for n in numbers)]
        found += _rows(left)
    return found


def _filled(number: Annotation, digits: Sequence[Annotation]) -> Annotation:
    """Give a box without text the digits that lie in it."""
    if number.text or number.box is None:
        return number
    inside = sorted((d for d in digits if d.box and _within(d.box, number.box)), key=_left)
    return Annotation(number.file, "".join(d.text for d in inside), number.box, number.worker, number.place)


def _rows(digits: Sequence[Annotation]) -> list[Annotation]:
    """Join digits that stand beside each other, about as high, with less than a digit between them."""
    rows: list[list[Annotation]] = []
    for digit in sorted(digits, key=_left):
        row = next((row for row in rows if _follows(row[-1], digit)), None)
        if row is None:
            rows.append([digit])
        else:
            row.append(digit)
    return [_joined(row) for row in rows]


def _joined(row: Sequence[Annotation]) -> Annotation:
    boxes = [digit.box for digit in row if digit.box]
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, bottom = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    first = row[0]
    text = "".join(digit.text for digit in row)
    return Annotation(first.file, text, (left, top, right - left, bottom - top), first.worker, first.place)


def _follows(before: Annotation, digit: Annotation) -> bool:
    assert before.box
    assert digit.box
    a, b = before.box, digit.box
    between = b[0] - (a[0] + a[2])
    level = abs((a[1] + a[3] / 2) - (b[1] + b[3] / 2))
    return between < max(a[2], b[2]) and level < 0.5 * max(a[3], b[3]) and 0.5 < a[3] / max(b[3], 1e-6) < 2


def _within(inner: Box | None, outer: Box) -> bool:
    if inner is None:
        return False
    wide = min(inner[0] + inner[2], outer[0] + outer[2]) - max(inner[0], outer[0])
    tall = min(inner[1] + inner[3], outer[1] + outer[3]) - max(inner[1], outer[1])
    return wide > 0 and tall > 0 and wide * tall >= _INSIDE * inner[2] * inner[3]


def _left(annotation: Annotation) -> float:
    return annotation.box[0] if annotation.box else 0.0
