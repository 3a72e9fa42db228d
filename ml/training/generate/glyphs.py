"""Styles of our own glyphs, and how a skeleton becomes a mask."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.training.generate.strokes import STROKES, VARIANTS, WIDTHS

Mask = NDArray[np.uint8]
Points = NDArray[np.float32]
_SHIFT = 4
_STEPS = np.linspace(0, 1, 9, dtype=np.float32)[1:, None]


@dataclass(frozen=True, slots=True)
class Style:
    """How a family of glyphs is drawn: all lengths are shares of the height of a capital."""

    stroke: float
    width: float
    corner: float  # 0.7 follows an ellipse, more goes further into the corner
    shoulder: float
    gap: float
    letters: float = 1.0  # the height of letters beside digits
    flat: bool = True
    variants: tuple[tuple[str, int], ...] = ()


# After what the standards say of proportions: GOST R 50577 (low letters, narrow round digits), FE-Schrift (wide, hard
# to forge), Mandatory (heavy, square shoulders), the round-ended dies of North America, DIN 1451.
FAMILIES: dict[str, Style] = {
    "gost": Style(0.125, 0.56, 0.9, 0.3, 0.14, letters=0.77, variants=(("4", 0), ("1", 3))),
    "fe": Style(0.145, 0.55, 1.25, 0.3, 0.13, variants=(("1", 0), ("4", 2), ("3", 1), ("I", 0))),
    "mandatory": Style(0.165, 0.6, 2.0, 0.25, 0.13, variants=(("1", 3), ("R", 0), ("M", 1))),
    "die": Style(0.125, 0.46, 1.2, 0.28, 0.14, flat=False, variants=(("1", 0), ("3", 0))),
    "din": Style(0.14, 0.52, 1.0, 0.32, 0.13, variants=(("4", 0), ("6", 0), ("9", 0))),
    "polish": Style(0.115, 0.55, 1.6, 0.24, 0.15, variants=(("4", 0), ("7", 2))),
    "narrow": Style(0.12, 0.4, 1.4, 0.22, 0.13),
    "sans": Style(0.17, 0.6, 0.8, 0.4, 0.11, variants=(("G", 0),)),
}


def varied(family: str, random: np.random.Generator) -> Style:
    """Give a style of a family as one of its makers might cut it."""
    base = FAMILIES[family]
    variants = dict(base.variants)
    for character, ways in VARIANTS.items():
        if random.random() < 0.18:
            variants[character] = int(random.integers(len(ways)))
    if random.random() < 0.25 and "1" in variants:
        del variants["1"]
    return Style(
        stroke=base.stroke * random.uniform(0.8, 1.25),
        width=base.width * random.uniform(0.85, 1.2),
        corner=base.corner * random.uniform(0.8, 1.4),
        shoulder=base.shoulder * random.uniform(0.8, 1.2),
        gap=base.gap * random.uniform(0.6, 1.7),
        letters=base.letters,
        flat=base.flat if random.random() < 0.8 else not base.flat,
        variants=tuple(sorted(variants.items())),
    )


def glyph(character: str, style: Style, height: int) -> Mask:
    """Draw a character as high as asked, white on black, cropped to its own width."""
    wide = WIDTHS.get(character, 1.0)
    stroke = max(style.stroke * height, 1.0)
    width = max(round(style.width * height * wide), round(stroke) + 1)
    mask = np.zeros((height, width), np.uint8)
    inset = np.array([stroke / 2, stroke / 2], np.float32)
    scale = np.array([width - stroke, height - stroke], np.float32)
    for points in _skeleton(_path(character, style), style.corner, style.shoulder):
        placed = points * scale + inset
        if style.flat:
            placed = _lengthened(points, placed, stroke / 2)
        whole = np.round((placed - 0.5) * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(mask, [whole.reshape(-1, 1, 2)], False, 255, max(round(stroke), 1), cv2.LINE_AA, _SHIFT)
    return mask


def _path(character: str, style: Style) -> str:
    chosen = dict(style.variants).get(character)
    return STROKES[character] if chosen is None else VARIANTS[character][chosen]


@lru_cache(4096)
def _skeleton(path: str, corner: float, shoulder: float) -> tuple[Points, ...]:
    words = iter(path.split())
    strokes: list[list[Points]] = []

    def number() -> float:
        word = next(words)
        if word.endswith("s"):
            return 1 - shoulder if word.startswith("-") else shoulder
        return float(word)

    for command in words:
        point = np.array([[number(), number()]], np.float32)
        if command == "M":
            strokes.append([point])
        elif command == "L":
            strokes[-1].append(point)
        else:
            end = np.array([[number(), number()]], np.float32)
            strokes[-1].append(_conic(strokes[-1][-1][-1:], point, end, corner))
    return tuple(np.concatenate(stroke) for stroke in strokes)


def _conic(start: Points, corner: Points, end: Points, weight: float) -> Points:
    """Give a rational quadratic curve: with a weight of 0.7 an ellipse's quarter, with more nearer to the corner."""
    before, around, after = (1 - _STEPS) ** 2, 2 * weight * _STEPS * (1 - _STEPS), _STEPS**2
    curve: Points = (before * start + around * corner + after * end) / (before + around + after)
    return curve


def _lengthened(points: Points, placed: Points, by: float) -> Points:
    """Lengthen the ends that leave the box, so that its edge cuts them flat; ends inside stay, or they would close."""
    moved = placed.copy()
    for end, other in ((0, 1), (-1, -2)):
        away = placed[end] - placed[other]
        length = float(np.hypot(*away))
        leaves = ((points[end] <= 0) & (away < 0)) | ((points[end] >= 1) & (away > 0))
        if length > 0 and leaves.any():
            moved[end] = placed[end] + away / length * by
    return moved
