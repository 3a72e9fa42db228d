"""YOLO: a text file a picture with class, centre and size as shares of the picture's; classes are digits or kinds."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ml.numbers.errors import LabelsInvalid
from ml.training.labels.annotation import Annotation, gathered

_PICTURES = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG", ".webp")
_FIELDS = 5


def read(folder: Path) -> list[Annotation]:
    """Read all files of a folder whose picture is there too."""
    names = _classes(folder)
    found: list[Annotation] = []
    for file in sorted(folder.rglob("*.txt")):
        picture = _picture(folder, file)
        if file.name != "classes.txt" and picture is not None:
            found += _lines(file, picture, names)
    return gathered(found)


def _classes(folder: Path) -> list[str]:
    listed = next(iter(sorted(folder.rglob("classes.txt"))), None)
    if listed is not None:
        return listed.read_text("utf-8").split()
    described = next(iter(sorted(folder.rglob("data.yaml"))))
    for line in described.read_text("utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "names" and value.strip().startswith("["):
            return [name.strip().strip("'\"") for name in value.strip().strip("[]").split(",")]
    raise LabelsInvalid(f"{described} has no line 'names: [ … ]'")


def _picture(folder: Path, file: Path) -> Path | None:
    places = [file.parent, Path(str(file.parent).replace("labels", "images")), folder]
    return next((p for place in places for end in _PICTURES if (p := place / (file.stem + end)).exists()), None)


def _lines(file: Path, picture: Path, names: list[str]) -> list[Annotation]:
    with Image.open(picture) as image:
        width, height = image.size
    found = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        place, fields = f"{file}, line {number}", line.split()
        if not fields:
            continue
        try:
            kind, (x, y, w, h) = names[int(fields[0])], map(float, fields[1:_FIELDS])
        except (ValueError, IndexError) as error:
            raise LabelsInvalid(f"{place}: not a known class and four numbers: {line[:60]!r}") from error
        box = ((x - w / 2) * width, (y - h / 2) * height, w * width, h * height)
        found.append(Annotation(picture.name, kind if len(kind) == 1 else "", box, "", place))
    return found
