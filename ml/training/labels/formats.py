"""Which tool wrote a file of labels: found out by what it holds, not by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml.numbers.errors import LabelsInvalid
from ml.training.labels import coco, label_studio, mturk, plain, voc, yolo
from ml.training.labels.annotation import Annotation

Read = Callable[[Path], list[Annotation]]


def read_labels(source: Path) -> tuple[str, list[Annotation]]:
    """Read a file or a folder of labels; also say which format it is."""
    name, read = _format(source)
    return name, read(source)


def _format(source: Path) -> tuple[str, Read]:
    if not source.exists():
        raise LabelsInvalid(f"{source} is not there")
    if source.is_dir():
        return _folder(source)
    head = _head(source)
    if source.suffix.lower() == ".xml" or head.lstrip().startswith("<"):
        return "Pascal VOC", voc.read
    if head.lstrip()[:1] in {"{", "["}:
        document = _json(source)
        if isinstance(document, dict) and "annotations" in document and "images" in document:
            return "COCO", coco.read
        if isinstance(document, list):
            return "Label Studio", label_studio.read
        raise LabelsInvalid(
            f"{source} is JSON, but neither COCO (images, annotations) nor Label Studio (a list of tasks)"
        )
    columns = head.partition("\n")[0]
    if "Answer." in columns and "Input." in columns:
        return "Mechanical Turk", mturk.read
    if "file" in columns and "text" in columns:
        return "labels.csv", plain.read
    raise LabelsInvalid(f"{source} is of no known format; its first line is {columns[:80]!r}")


def _folder(source: Path) -> tuple[str, Read]:
    if any(source.glob("*.xml")) or any(source.glob("Annotations/*.xml")):
        return "Pascal VOC", voc.read
    if (source / "labels.csv").exists():
        return "labels.csv", plain.read
    if any(source.rglob("classes.txt")) or any(source.rglob("data.yaml")):
        return "YOLO", yolo.read
    raise LabelsInvalid(f"{source} holds no labels that are known: VOC's *.xml, YOLO's classes.txt, or labels.csv")


def _head(source: Path) -> str:
    try:
        with source.open(encoding="utf-8-sig") as stream:
            return stream.read(4096)
    except UnicodeDecodeError as error:
        raise LabelsInvalid(f"{source} is not UTF-8: save it as UTF-8 and try again") from error


def _json(source: Path) -> Any:  # noqa: ANN401 -- JSON
    try:
        return json.loads(source.read_text("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise LabelsInvalid(f"{source}, line {error.lineno}: {error.msg}") from error
