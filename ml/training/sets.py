"""Sets to judge on: a folder with ``labels.csv`` (file, text, x, y, w, h) and the pictures it names."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ml.numbers.alphabet import normalized
from ml.numbers.errors import LabelsInvalid
from ml.numbers.geometry import Corners, box

COLUMNS = ("file", "text", "x", "y", "w", "h")


@dataclass(frozen=True, slots=True)
class Label:
    """A number that is in a picture; where, if it is known."""

    text: str
    corners: Corners | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and all that is known to be in it."""

    file: Path
    labels: tuple[Label, ...]


def read_set(folder: Path) -> list[Labelled]:
    """Read a set; several rows of a file are several numbers in it."""
    pictures: dict[str, list[Label]] = {}
    for row, label in _rows(folder / "labels.csv"):
        pictures.setdefault(row, []).append(label)
    return [Labelled(folder / name, tuple(labels)) for name, labels in pictures.items()]


def _rows(file: Path) -> Iterator[tuple[str, Label]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if missing := [name for name in COLUMNS[:2] if name not in (reader.fieldnames or ())]:
                raise LabelsInvalid(f"{file} has no column {' and no column '.join(missing)}")
            for number, row in enumerate(reader, start=2):
                yield row["file"], _label(row, f"{file}, row {number}")
    except FileNotFoundError as error:
        raise LabelsInvalid(f"{file.parent} is no set: it holds no labels.csv") from error
    except UnicodeDecodeError as error:
        raise LabelsInvalid(f"{file} is not UTF-8") from error


def _label(row: dict[str, str], place: str) -> Label:
    sides = [(row.get(name) or "").strip() for name in COLUMNS[2:]]
    if not all(sides):
        return Label(normalized(row["text"]), None)
    try:
        x, y, w, h = map(float, sides)
    except ValueError as error:
        raise LabelsInvalid(f"{place}: x, y, w and h must be numbers, not {', '.join(sides)}") from error
    return Label(normalized(row["text"]), box(x, y, w, h))
