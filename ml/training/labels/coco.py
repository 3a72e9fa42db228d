"""COCO: pictures, annotations, categories; the text is an attribute, or the category is a digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ml.numbers.errors import LabelsInvalid
from ml.training.labels.annotation import Annotation, gathered


def read(file: Path) -> list[Annotation]:
    """Read a file."""
    document: dict[str, Any] = json.loads(file.read_text("utf-8-sig"))
    try:
        names = {image["id"]: str(image["file_name"]) for image in document["images"]}
        categories = {one["id"]: str(one["name"]) for one in document.get("categories", [])}
    except (KeyError, TypeError) as error:
        raise LabelsInvalid(f"{file}: images need id and file_name, categories id and name ({error!r})") from error
    found = []
    for number, one in enumerate(document["annotations"], start=1):
        place = f"{file}, annotation {number}"
        try:
            name, (x, y, w, h) = names[one["image_id"]], map(float, one["bbox"])
        except (KeyError, TypeError, ValueError) as error:
            raise LabelsInvalid(f"{place}: image_id must name an image, bbox be four numbers ({error!r})") from error
        found.append(Annotation(name, _text(one, categories), (x, y, w, h), "", place))
    return gathered(found)


def _text(one: dict[str, Any], categories: dict[Any, str]) -> str:
    attributes = one.get("attributes") or {}
    said = next((attributes[key] for key in ("text", "number", "transcription", "value") if attributes.get(key)), None)
    if said is None:
        said = one.get("caption") or one.get("text")
    category = categories.get(one.get("category_id"), "")
    return str(said) if said is not None else (category if len(category) == 1 else "")
