"""Results of Amazon Mechanical Turk: a row for every answer; ``Input.*`` was asked, ``Answer.*`` was said.

The picture is the first input that names a file or an address. Boxes come as the JSON of the bounding-box widget, whose
labels are the text; without boxes the text is the first answer that is not JSON.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ml.numbers.errors import LabelsInvalid
from ml.training.labels.annotation import Annotation, Box

_REJECTED = "rejected"
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".heic")


def read(file: Path) -> list[Annotation]:
    """Read a results file; rejected answers are left out."""
    found: list[Annotation] = []
    with file.open(newline="", encoding="utf-8-sig") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=2):
            if (row.get("AssignmentStatus") or "").lower() != _REJECTED:
                found += _answers(row, f"{file}, row {number}")
    return found


def _answers(row: Mapping[str, str], place: str) -> list[Annotation]:
    picture = _picture(row, place)
    worker = row.get("WorkerId") or ""
    answers = [(name, value.strip()) for name, value in row.items() if name and name.startswith("Answer.") and value]
    found: list[Annotation] = []
    for name, value in answers:
        if value[:1] in "[{":
            found += [Annotation(picture, text, box, worker, place) for text, box in _boxes(value, f"{place}, {name}")]
    if not found:
        texts = [value for _, value in answers if value[:1] not in "[{"]
        found = [Annotation(picture, texts[0] if texts else "", None, worker, place)]
    return found


def _picture(row: Mapping[str, str], place: str) -> str:
    for name, value in row.items():
        if name and name.startswith("Input.") and value:
            path = PurePosixPath(urlsplit(value.strip()).path)
            if path.suffix.lower() in _PICTURES:
                return path.name
    raise LabelsInvalid(f"{place}: no Input column names a picture")


def _boxes(value: str, place: str) -> list[tuple[str, Box]]:
    try:
        document = json.loads(value)
    except json.JSONDecodeError as error:
        raise LabelsInvalid(f"{place}: {error.msg} at character {error.pos}") from error
    return [
        (str(one.get("label", "")), _box(one))
        for one in _dicts(document)
        if {"left", "top", "width", "height"} <= one.keys()
    ]


def _dicts(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- JSON
    """Give every object inside, however deep the widget put it."""
    if isinstance(document, list):
        return [found for one in document for found in _dicts(one)]
    if isinstance(document, dict):
        return [document, *(found for one in document.values() for found in _dicts(one))]
    return []


def _box(one: Mapping[str, Any]) -> Box:
    return float(one["left"]), float(one["top"]), float(one["width"]), float(one["height"])
