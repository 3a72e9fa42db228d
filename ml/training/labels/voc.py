"""Pascal VOC: an XML file a picture; an object's name is its text, or a class and the text is an attribute."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from ml.numbers.errors import LabelsInvalid
from ml.training.labels.annotation import Annotation, gathered

_CLASSES = {"bib", "plate", "number", "rbn", "license_plate", "licence", "licence_plate"}
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_DANGEROUS = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def read(source: Path) -> list[Annotation]:
    """Read a file, or all of a folder."""
    files = sorted(source.rglob("*.xml")) if source.is_dir() else [source]
    return gathered([one for file in files for one in _objects(file)])


def _objects(file: Path) -> list[Annotation]:
    content = file.read_bytes()
    if _DANGEROUS.search(content):
        raise LabelsInvalid(f"{file} defines entities, which no labels need")
    try:
        root = ET.fromstring(content)  # noqa: S314 -- what can hurt was refused above
    except ET.ParseError as error:
        raise LabelsInvalid(f"{file}: {error}") from error
    name = root.findtext("filename") or file.with_suffix(".jpg").name
    return [_object(one, name, f"{file}, object {number}") for number, one in enumerate(root.iter("object"), start=1)]


def _object(one: ET.Element, name: str, place: str) -> Annotation:
    box = one.find("bndbox")
    try:
        sides = [float((box.findtext(side) if box is not None else None) or "") for side in _SIDES]
    except ValueError as error:
        raise LabelsInvalid(f"{place}: bndbox needs {', '.join(_SIDES)} as numbers") from error
    said = (one.findtext("name") or "").strip()
    text = one.findtext("attributes/attribute/value") or one.findtext("text") or ""
    if said.lower() not in _CLASSES:
        text = text or said
    return Annotation(name, text.strip(), (sides[0], sides[1], sides[2] - sides[0], sides[3] - sides[1]), "", place)
