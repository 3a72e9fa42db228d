"""Our own ``labels.csv``: file, text, x, y, w, h, and worker if several looked."""

from __future__ import annotations

import csv
from pathlib import Path

from ml.numbers.errors import LabelsInvalid
from ml.training.labels.annotation import Annotation, Box


def read(source: Path) -> list[Annotation]:
    """Read a file, or the one in a folder."""
    file = source / "labels.csv" if source.is_dir() else source
    with file.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        return [_annotation(row, f"{file}, row {number}") for number, row in enumerate(reader, start=2)]


def _annotation(row: dict[str, str], place: str) -> Annotation:
    sides = [(row.get(name) or "").strip() for name in ("x", "y", "w", "h")]
    box: Box | None = None
    if all(sides):
        try:
            x, y, w, h = map(float, sides)
        except ValueError as error:
            raise LabelsInvalid(f"{place}: x, y, w and h must be numbers, not {', '.join(sides)}") from error
        box = (x, y, w, h)
    return Annotation(row["file"], row["text"], box, row.get("worker") or "", place)
