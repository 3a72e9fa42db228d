"""A plate seen from the front: its ground, its rows of characters, and what is screwed and stuck on it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from ml.numbers.alphabet import LETTERS
from ml.numbers.grammar import Country, Series
from ml.numbers.patterns import Form
from ml.training.generate import furniture
from ml.training.generate.colours import Picture, pair
from ml.training.generate.glyphs import Mask
from ml.training.generate.lettering import Face, chosen_face, line
from ml.training.generate.paint import Box, paint, union

_HEIGHT = 80
_TWO_ROWS = 112


@dataclass(frozen=True, slots=True)
class Drawn:
    """A flat picture of a number: where its text stands, and what the text is."""

    picture: Picture
    text: str
    rows: int
    kind: str  # a country's code, "bib" or "none"
    lines: tuple[Box, ...]


def invented(form: Form, random: np.random.Generator) -> str:
    """Invent a number of a form."""
    places = ["".join(sorted(place)) for place in form.places]
    return "".join(place[int(random.integers(len(place)))] for place in places)


def draw_plate(country: Country, series: Series, random: np.random.Generator) -> Drawn:
    """Draw a plate of a series with a number of chance."""
    form = series.forms[int(random.integers(len(series.forms)))]
    text = invented(form, random)
    rows = _rows(form, text)
    look = series.look
    picture, free = _blank(look, len(rows), random)
    ground, ink = pair(look, random)
    picture[:] = ground
    if look.get("scenery") and random.random() < 0.5:
        furniture.scenery(picture, random)
    free = furniture.around(picture, free, look, ink, random)
    face = chosen_face(str(look.get("glyphs", "sans")), random)
    lines = _letter(picture, free, rows, look, face, ink, random)
    furniture.bolts(picture, random)
    if random.random() < 0.6:
        furniture.frame(picture, ink, random)
    return Drawn(picture, text, len(rows), country.code, tuple(lines))


def _rows(form: Form, text: str) -> list[list[str]]:
    """Give the groups of each row."""
    if form.row_break is None:
        return [form.grouped(text)]
    upper, lower = text[: form.row_break], text[form.row_break :]
    cuts = [gap for gap in form.gaps if gap != form.row_break]
    return [
        _cut(upper, [gap for gap in cuts if gap < form.row_break]),
        _cut(lower, [gap - form.row_break for gap in cuts if gap > form.row_break]),
    ]


def _cut(text: str, places: list[int]) -> list[str]:
    ends = [0, *places, len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


def _blank(look: dict[str, Any], rows: int, random: np.random.Generator) -> tuple[Picture, Box]:
    width, height = look.get("size", [520, 110])
    tall = _HEIGHT if rows == 1 else _TWO_ROWS
    wide = round(tall * width / height * random.uniform(0.93, 1.07))
    margin = round(tall * random.uniform(0.05, 0.12))
    return np.zeros((tall, wide, 3), np.uint8), (margin, margin, wide - margin, tall - margin)


def _letter(
    picture: Picture,
    free: Box,
    rows: list[list[str]],
    look: dict[str, Any],
    face: Face,
    ink: np.ndarray[Any, np.dtype[np.float32]],
    random: np.random.Generator,
) -> list[Box]:
    """Set the rows into the free part, each as wide as its text needs and no wider than there is room."""
    left, top, right, bottom = free
    between = round((bottom - top) * 0.06) if len(rows) > 1 else 0
    tall = (bottom - top - between * (len(rows) - 1)) // len(rows)
    boxes: list[Box] = []
    for place, groups in enumerate(rows):
        height = round(tall * random.uniform(0.82, 1.0))
        region = bool(look.get("region")) and place == len(rows) - 1 and len(groups) > 1
        mask, holes = _line(groups, face, height, look, random, small_last=region)
        mask = _fitted(mask, right - left)
        scale = mask.shape[1] / max(1, mask.shape[1])
        x = left + round((right - left - mask.shape[1]) * random.uniform(0.3, 0.7))
        y = top + place * (tall + between) + (tall - mask.shape[0]) // 2
        paint(picture, mask, ink, x, y, emboss=random.uniform(0, 0.5))
        if holes and random.random() < 0.75 and (look.get("seal") or random.random() < 0.12):
            furniture.seal(picture, x + round(holes[0] * scale), y, mask.shape[0], random)
        boxes.append((x, y, x + mask.shape[1], y + mask.shape[0]))
    return boxes


def _line(
    groups: list[str], face: Face, height: int, look: dict[str, Any], random: np.random.Generator, *, small_last: bool
) -> tuple[Mask, list[int]]:
    gap = random.uniform(0.1, 0.5)
    hole = random.uniform(0.1, 0.5) if look.get("seal") else 0.0
    if not small_last:
        return line(groups, face, height, gap, hole)
    main, holes = line(groups[:-1], face, height, gap, hole)
    low = round(height * random.uniform(0.62, 0.8))
    region, _ = line(groups[-1:], face, low, gap)
    wide = max(region.shape[1], round(height * 0.9)) if look.get("code") else region.shape[1]
    space = np.zeros((height, main.shape[1] + round(height * random.uniform(0.2, 0.45)) + wide), np.uint8)
    space[:, : main.shape[1]] = main
    space[: region.shape[0], space.shape[1] - region.shape[1] :] = region
    code = str(look.get("code", ""))
    under = height - region.shape[0] - 2
    if code.isalpha() and under > 8 and random.random() < 0.9 and set(code) <= set(LETTERS):
        sign, _ = line([code], face, under)
        sign = sign[:, : region.shape[1]]
        space[height - under :, space.shape[1] - sign.shape[1] :] = sign
    return space, holes


def _fitted(mask: Mask, room: int) -> Mask:
    """Narrow a line that is too wide, as a narrower die would."""
    if mask.shape[1] <= room:
        return mask
    narrow = cv2.resize(mask, (max(room, 1), mask.shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(narrow, np.uint8)


def text_box(drawn: Drawn) -> Box:
    """Give the box of all lines."""
    return union(drawn.lines)
