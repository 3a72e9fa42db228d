"""Label Studio's JSON export: tasks with annotations of several people; boxes are in percent of the picture."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ml.numbers.errors import LabelsInvalid
from ml.training.labels.annotation import Annotation, Box


def read(file: Path) -> list[Annotation]:
    """Read a file."""
    tasks = json.loads(file.read_text("utf-8-sig"))
    found: list[Annotation] = []
    for number, task in enumerate(tasks, start=1):
        place = f"{file}, task {number}"
        try:
            picture = _picture(task["data"])
            for annotation in task.get("annotations", []):
                found += _results(annotation, picture, place)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise LabelsInvalid(f"{place}: {error!r}") from error
    return found


def _picture(data: dict[str, Any]) -> str:
    address = next(str(data[key]) for key in ("image", "img", "ocr", *data) if key in data)
    local = parse_qs(urlsplit(address).query).get("d")
    return PurePosixPath(local[0] if local else urlsplit(address).path).name


def _results(annotation: dict[str, Any], picture: str, place: str) -> list[Annotation]:
    """Join what belongs to one region: its box and its text are results of their own with the same id."""
    boxes: dict[str, Box] = {}
    texts: dict[str, str] = {}
    for result in annotation.get("result", []):
        value, region = result["value"], str(result.get("id", ""))
        if "width" in value and "original_width" in result:
            across, down = result["original_width"] / 100, result["original_height"] / 100
            boxes[region] = (value["x"] * across, value["y"] * down, value["width"] * across, value["height"] * down)
        if value.get("text"):
            text = value["text"]
            texts[region] = text[0] if isinstance(text, list) else str(text)
    worker = annotation.get("completed_by", "")
    worker = str(worker.get("id", "")) if isinstance(worker, dict) else str(worker)
    return [
        Annotation(picture, texts.get(region, ""), boxes.get(region), worker, place) for region in {**boxes, **texts}
    ]
