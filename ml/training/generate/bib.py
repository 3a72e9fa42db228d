"""A race bib: a number on paper pinned to cloth, with names, sponsors and timing logos around it."""

from __future__ import annotations

import cv2
import numpy as np

from ml.numbers.alphabet import LETTERS
from ml.training.generate.colours import Picture, any_colour, colour
from ml.training.generate.lettering import chosen_face, line
from ml.training.generate.paint import Box, paint, rectangle, tuple_of
from ml.training.generate.plate import Drawn

_FAMILIES = ("sans", "narrow", "die", "din", "mandatory")
_NAMES = (
    "ANNA",
    "IVAN",
    "MARATHON",
    "10 KM",
    "HALF",
    "CITY RUN",
    "ELITE",
    "START 2",
    "TEAM",
    "BANK",
    "SPORT",
    "WAVE B",
)
_GROUNDS = ("white", "white", "white", "white", "cream", "yellow", "sky", "orange", "pink")


def draw_bib(random: np.random.Generator) -> Drawn:
    """Draw a bib with a number of chance, on the cloth around it."""
    tall, wide = 128, round(128 * random.uniform(0.95, 1.6))
    picture = np.zeros((tall, wide, 3), np.uint8)
    picture[:] = colour(str(random.choice(_GROUNDS)), random)
    ink = colour(str(random.choice(["black", "black", "black", "navy", "red", "blue", "green"])), random)
    if random.random() < 0.12:
        picture[:], ink = any_colour(random) * 0.7, colour("white", random)
    text = _number(random)
    height = round(tall * random.uniform(0.3, 0.62))
    mask, _ = line([text], chosen_face(str(random.choice(_FAMILIES)), random, 0.6), height)
    room = round(wide * random.uniform(0.75, 0.95))
    if mask.shape[1] > room:
        height = max(round(height * room / mask.shape[1] * random.uniform(1, 1.3)), 12)
        mask = np.asarray(cv2.resize(mask, (room, height), interpolation=cv2.INTER_AREA), np.uint8)
    x, y = (wide - mask.shape[1]) // 2, round((tall - height) * random.uniform(0.3, 0.7))
    _around(picture, (x, y, x + mask.shape[1], y + height), random)
    paint(picture, mask, ink, x, y)
    _pins(picture, random)
    cloth, box = _on_cloth(picture, (x, y, x + mask.shape[1], y + height), random)
    return Drawn(_folded(cloth, random), text, 1, "bib", (box,))


def _number(random: np.random.Generator) -> str:
    digits = int(random.choice([1, 2, 3, 3, 4, 4, 4, 5, 5, 6]))
    text = str(random.integers(10 ** (digits - 1), 10**digits))
    if random.random() < 0.05:
        text = text.zfill(digits + 1)
    return LETTERS[int(random.integers(26))] + text if random.random() < 0.08 else text


def _around(picture: Picture, box: Box, random: np.random.Generator) -> None:
    """Print what sponsors and organisers print above and below."""
    tall, wide = picture.shape[:2]
    for top, bottom in ((4, box[1] - 4), (box[3] + 4, tall - 4)):
        room = bottom - top
        if room < 8 or random.random() < 0.2:
            continue
        if random.random() < 0.4:
            rectangle(picture, (0, top, wide, bottom), any_colour(random))
        word = _NAMES[int(random.integers(len(_NAMES)))]
        height = max(round(room * random.uniform(0.25, 0.8)), 6)
        mask, _ = line(word.split(), chosen_face("sans", random, 0.7), height)
        paint(
            picture, mask[:, :wide], any_colour(random), round((wide - mask.shape[1]) * random.uniform(0, 1)), top + 2
        )


def _pins(picture: Picture, random: np.random.Generator) -> None:
    tall, wide = picture.shape[:2]
    inset = round(tall * random.uniform(0.04, 0.1))
    for x in (inset, wide - inset):
        for y in (inset, tall - inset):
            shade = tuple_of(colour("grey" if random.random() < 0.5 else "black", random))
            cv2.circle(picture, (x, y), int(random.integers(1, 5)), shade, -1, cv2.LINE_AA)
            if random.random() < 0.5:
                cv2.line(picture, (x, y), (x + int(random.integers(-12, 13)), y + 4), shade, 1, cv2.LINE_AA)


def _on_cloth(picture: Picture, box: Box, random: np.random.Generator) -> tuple[Picture, Box]:
    """Lay the bib on cloth; sometimes an arm hides what is beside the number, never the number."""
    pad = round(picture.shape[0] * random.uniform(0.02, 0.2))
    shade = any_colour(random)
    cloth = np.empty((picture.shape[0] + 2 * pad, picture.shape[1] + 2 * pad, 3), np.uint8)
    cloth[:] = shade
    cloth[pad:-pad, pad:-pad] = picture
    moved = (box[0] + pad, box[1] + pad, box[2] + pad, box[3] + pad)
    if random.random() < 0.2:
        skin = np.array([random.uniform(120, 230), random.uniform(80, 170), random.uniform(60, 140)], np.float32)
        left = random.random() < 0.5
        edge = moved[0] - 3 if left else moved[2] + 3
        far = 0 if left else cloth.shape[1]
        lean = random.integers(-20, 21)
        corners = np.array(
            [
                [far, 0],
                [edge, 0],
                [edge - abs(lean) if left else edge + abs(lean), cloth.shape[0]],
                [far, cloth.shape[0]],
            ]
        )
        cv2.fillPoly(cloth, [corners.astype(np.int32)], tuple_of(skin), cv2.LINE_AA)
    return cloth, moved


def _folded(picture: Picture, random: np.random.Generator) -> Picture:
    """Fold the cloth: rows and columns shift as waves, and the waves throw shade."""
    tall, wide = picture.shape[:2]
    x, y = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(tall, dtype=np.float32))
    shade = np.ones((tall, wide), np.float32)
    moved_x, moved_y = x.copy(), y.copy()
    for _ in range(int(random.integers(0, 4))):
        angle, length = random.uniform(0, np.pi), random.uniform(0.3, 1.4) * tall
        depth, phase = random.uniform(0.002, 0.02) * tall, random.uniform(0, 2 * np.pi)
        wave = (x * np.cos(angle) + y * np.sin(angle)) / length * 2 * np.pi + phase
        moved_x += np.float32(depth) * np.sin(wave)
        moved_y += np.float32(depth * random.uniform(0.3, 1.2)) * np.cos(wave)
        shade += np.float32(random.uniform(0, 0.16)) * np.sin(wave + 1).astype(np.float32)
    bent = np.asarray(
        cv2.remap(picture, moved_x, moved_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
    return np.asarray(np.clip(bent * shade[..., None], 0, 255), np.uint8)
