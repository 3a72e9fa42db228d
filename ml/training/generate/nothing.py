"""What is not a number: adverts, clocks, badges, blank cloth and texture. What can be read of it is told."""

from __future__ import annotations

import cv2
import numpy as np

from ml.numbers.alphabet import CHARACTERS, LETTERS
from ml.training.generate.colours import Picture, any_colour
from ml.training.generate.lettering import chosen_face, line
from ml.training.generate.paint import Box, paint, tuple_of
from ml.training.generate.plate import Drawn

_MOST = 12
_FAMILIES = ("sans", "narrow", "din", "die")


def draw_nothing(random: np.random.Generator) -> Drawn:
    """Draw something that a detector of text might take for a number."""
    picture = texture(120, round(120 * random.uniform(1.5, 4.5)), random)
    chance = random.random()
    if chance < 0.3:
        return Drawn(_shapes(picture, random), "", 1, "none", (_middle(picture),))
    text, groups = _clock(random) if chance < 0.45 else _words(random)
    height = round(120 * random.uniform(0.4, 0.8))
    mask, holes = line(groups, chosen_face(str(random.choice(_FAMILIES)), random, 0.8), height, 0.25)
    if mask.shape[1] > picture.shape[1] - 8:
        mask = np.asarray(cv2.resize(mask, (picture.shape[1] - 8, height), interpolation=cv2.INTER_AREA), np.uint8)
    x, y = (picture.shape[1] - mask.shape[1]) // 2, (120 - height) // 2
    ink = any_colour(random)
    if abs(float(ink.mean()) - float(picture.mean())) < 50:
        ink = (ink + 128) % 250
    paint(picture, mask, ink, x, y)
    if chance < 0.45:
        for hole in holes:
            for share in (0.3, 0.7):
                cv2.circle(picture, (x + hole, y + round(height * share)), max(height // 14, 1), tuple_of(ink), -1)
    return Drawn(picture, text, 1, "none", ((x, y, x + mask.shape[1], y + height),))


def _clock(random: np.random.Generator) -> tuple[str, list[str]]:
    parts = [f"{random.integers(0, 60):02d}" for _ in range(int(random.integers(2, 4)))]
    return "".join(parts), parts


def _words(random: np.random.Generator) -> tuple[str, list[str]]:
    """Give words of letters, with a vowel here and there so that they look like a language's; seldom digits."""
    pool = LETTERS + "AEIOU" * 3 if random.random() < 0.85 else CHARACTERS
    lengths = [int(random.integers(2, 9)) for _ in range(int(random.integers(1, 3)))]
    words = ["".join(pool[int(random.integers(len(pool)))] for _ in range(length)) for length in lengths]
    text = "".join(words)
    return text[:_MOST], [words[0][:_MOST], *(word for word in words[1:] if len(text) <= _MOST)]


def texture(tall: int, wide: int, random: np.random.Generator) -> Picture:
    """Give a surface: a colour that fades into another, blotches, and grain."""
    first, second = any_colour(random), any_colour(random)
    small = random.uniform(0, 0.8, (int(random.integers(2, 8)), int(random.integers(2, 10)), 1)).astype(np.float32)
    blotches = cv2.resize(first * (1 - small) + second * small, (wide, tall), interpolation=cv2.INTER_LINEAR)
    size = (tall // 2 + 1, wide // 2 + 1)
    grain = random.standard_normal(size, np.float32) * np.float32(random.uniform(0, 12))
    rough = cv2.cvtColor(cv2.resize(grain, (wide, tall)), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.add(blotches, rough, dtype=cv2.CV_8U), np.uint8)


def _shapes(picture: Picture, random: np.random.Generator) -> Picture:
    """Draw rings, bars and grilles, as cars and shirts have them."""
    tall, wide = picture.shape[:2]
    for _ in range(int(random.integers(0, 5))):
        shade = tuple_of(any_colour(random))
        x, y = int(random.integers(wide)), int(random.integers(tall))
        size, thick = int(random.integers(5, tall // 2)), int(random.integers(1, 10))
        if random.random() < 0.5:
            cv2.circle(picture, (x, y), size, shade, thick, cv2.LINE_AA)
        else:
            cv2.rectangle(picture, (x, y), (x + 2 * size, y + size), shade, thick)
    if random.random() < 0.3:
        step, shade = int(random.integers(6, 24)), tuple_of(any_colour(random))
        for place in range(0, wide, step):
            cv2.line(picture, (place, 0), (place, tall), shade, max(step // 3, 1))
    return picture


def _middle(picture: Picture) -> Box:
    tall, wide = picture.shape[:2]
    return wide // 8, tall // 8, wide - wide // 8, tall - tall // 8
