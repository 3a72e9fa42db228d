"""What stands on plates beside the number: bands, flags, seals, bolts, frames, headers, slogans and stickers."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ml.training.generate.colours import Colour, Picture, any_colour, colour
from ml.training.generate.lettering import chosen_face, line
from ml.training.generate.paint import Box, paint, rectangle, tuple_of

_WORDS = (
    "SUNSHINE STATE", "GARDEN STATE", "EMPIRE", "GOLDEN", "LAND OF LAKES", "EXPLORE", "FIRST IN FLIGHT", "PEACH",
    "MOUNTAIN", "GREAT LAKES", "ALOHA", "HERITAGE", "SPORT AUTO", "CITY MOTORS", "SAO", "RIO", "MATRIZ",
    "LONE STAR", "PILIPINAS", "MUSEUM",
)  # fmt: skip


def around(picture: Picture, free: Box, look: dict[str, Any], ink: Colour, random: np.random.Generator) -> Box:
    """Draw what stands beside, above and below the number, and give the part that is left free."""
    left, top, right, bottom = free
    band = look.get("band")
    if band and (band != "maybe" or random.random() < 0.4) and random.random() < 0.93:
        left = _band(picture, str(band), str(look.get("code", "")), random) + round(picture.shape[0] * 0.05)
    if look.get("right") and random.random() < 0.8:
        right = _right_band(picture, random) - round(picture.shape[0] * 0.04)
    header = look.get("header")
    if header:
        top = _header(picture, str(header), str(look.get("code", "")), ink, random)
    if look.get("slogans"):
        top, bottom = _slogans(picture, (left, top, right, bottom), ink, random)
    if look.get("footer"):
        bottom = picture.shape[0] - round(picture.shape[0] * 0.22)
        date = f"{random.integers(1, 13):02d}{random.integers(10, 30)}"
        _word(picture, date, (left, bottom + 2, right, picture.shape[0] - 4), ink, random)
    if look.get("sticker") and random.random() < 0.6:
        _sticker(picture, random)
    return left, top, right, bottom


def _band(picture: Picture, kind: str, code: str, random: np.random.Generator) -> int:
    tall = int(picture.shape[0])
    wide = round(tall * random.uniform(0.3, 0.46) * (0.7 if tall > 100 else 1))
    shades = {"eu": "blue", "ua": "blue", "il": "blue", "maybe": "blue", "flag": "green", "ind": "sky"}
    if kind == "ind" and random.random() < 0.5:
        return round(tall * 0.1)
    if kind != "ind":
        rectangle(picture, (0, 0, wide, tall), colour(shades.get(kind, "blue"), random, 20))
    if kind in {"ua", "flag"}:
        rectangle(picture, (2, tall // 4, wide - 2, tall // 2), any_colour(random))
    elif kind in {"eu", "maybe"}:
        _stars(picture, wide, tall, random)
    light = colour("white" if kind != "ind" else "blue", random)
    if code:
        _word(picture, code, (2, round(tall * 0.62), wide - 2, round(tall * 0.9)), light, random)
    return wide


def _stars(picture: Picture, wide: int, tall: int, random: np.random.Generator) -> None:
    centre, radius = (wide / 2, tall * random.uniform(0.26, 0.36)), wide * random.uniform(0.26, 0.38)
    shade = tuple_of(colour("yellow" if random.random() < 0.8 else "white", random))
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        place = (round(centre[0] + radius * np.cos(angle)), round(centre[1] + radius * np.sin(angle)))
        cv2.circle(picture, place, max(round(tall * 0.02), 1), shade, -1, cv2.LINE_AA)


def _right_band(picture: Picture, random: np.random.Generator) -> int:
    tall, wide = map(int, picture.shape[:2])
    edge = wide - round(tall * random.uniform(0.28, 0.42))
    rectangle(picture, (edge, 0, wide, tall), colour("blue", random, 20))
    if random.random() < 0.6:
        light = colour("white", random)
        cv2.circle(picture, ((edge + wide) // 2, tall // 3), tall // 9, tuple_of(any_colour(random)), -1, cv2.LINE_AA)
        number = str(random.integers(1, 100)).zfill(2)
        _word(picture, number, (edge + 3, round(tall * 0.6), wide - 3, round(tall * 0.88)), light, random)
    return edge


def _header(picture: Picture, kind: str, code: str, ink: Colour, random: np.random.Generator) -> int:
    tall, wide = map(int, picture.shape[:2])
    low = round(tall * random.uniform(0.19, 0.28))
    if kind == "mercosur":
        rectangle(picture, (0, 0, wide, low), colour("blue", random, 20))
        ink = colour("white", random)
        cv2.rectangle(picture, (wide - low * 2, 2), (wide - low // 2, low - 2), tuple_of(any_colour(random)), -1)
    word = _WORDS[int(random.integers(len(_WORDS)))] if kind == "city" else code
    _word(picture, word, (round(wide * 0.15), 3, round(wide * 0.85), low - 2), ink, random)
    return low + 2


def _slogans(picture: Picture, free: Box, ink: Colour, random: np.random.Generator) -> tuple[int, int]:
    left, _, right, _ = free
    tall = int(picture.shape[0])
    top, bottom = round(tall * random.uniform(0.2, 0.32)), round(tall * random.uniform(0.7, 0.86))
    other = any_colour(random) if random.random() < 0.4 else ink
    if random.random() < 0.9:
        word = _WORDS[int(random.integers(len(_WORDS)))]
        _word(picture, word, (left + tall // 4, 4, right - tall // 4, top - 4), other, random)
    if random.random() < 0.8:
        word = _WORDS[int(random.integers(len(_WORDS)))]
        _word(picture, word, (left + tall // 4, bottom + 4, right - tall // 4, tall - 4), other, random)
    return top, bottom


def _word(picture: Picture, text: str, box: Box, ink: Colour, random: np.random.Generator) -> None:
    left, top, right, bottom = box
    if bottom - top < 5 or right - left < 5:
        return
    mask, _ = line(text.split(), chosen_face("sans", random), bottom - top)
    if mask.shape[1] > right - left:
        mask = np.asarray(cv2.resize(mask, (right - left, bottom - top), interpolation=cv2.INTER_AREA), np.uint8)
    paint(picture, mask, ink, left + (right - left - mask.shape[1]) // 2, top)


def _sticker(picture: Picture, random: np.random.Generator) -> None:
    tall, wide = map(int, picture.shape[:2])
    side = round(tall * random.uniform(0.14, 0.24))
    x = int(random.choice([4, wide - side - 6]))
    y = int(random.choice([4, tall - side - 4]))
    rectangle(picture, (x, y, x + round(side * 1.3), y + side), any_colour(random))
    _word(picture, str(random.integers(1, 30)), (x + 2, y + 2, x + side, y + side - 2), any_colour(random), random)


def scenery(picture: Picture, random: np.random.Generator) -> None:
    """Print hills, stripes or a fading colour behind the number."""
    tall, wide = map(int, picture.shape[:2])
    over = any_colour(random)
    fade = np.linspace(random.uniform(0, 0.6), random.uniform(0, 0.6), tall, dtype=np.float32)[:, None, None]
    mixed = picture.astype(np.float32) * (1 - fade) + over * fade
    picture[:] = mixed.astype(np.uint8)
    if random.random() < 0.5:
        peaks = random.uniform(0.4, 0.9, 6) * tall
        line_of_hills = np.stack([np.linspace(0, wide, 6), peaks], axis=1).astype(np.int32)
        hills = np.concatenate([line_of_hills, [[wide, tall], [0, tall]]]).astype(np.int32)
        shade = 0.65 * picture.mean(axis=(0, 1)) + 0.35 * any_colour(random)
        cv2.fillPoly(picture, [hills], tuple_of(shade.astype(np.float32)), cv2.LINE_AA)


def seal(picture: Picture, x: int, y: int, tall: int, random: np.random.Generator) -> None:
    """Stick a seal, a shield or a hyphen between two groups."""
    kind = random.random()
    radius = round(tall * random.uniform(0.1, 0.2))
    middle = y + round(tall * random.uniform(0.35, 0.65))
    if kind < 0.15:
        cv2.line(picture, (x - radius, middle), (x + radius, middle), (40, 40, 40), max(tall // 10, 1), cv2.LINE_AA)
        return
    places = [middle] if kind < 0.6 else [y + round(tall * 0.25), y + round(tall * 0.75)]
    for place in places:
        cv2.circle(picture, (x, place), radius, tuple_of(any_colour(random)), -1, cv2.LINE_AA)
        if random.random() < 0.7:
            cv2.circle(picture, (x, place), radius, tuple_of(any_colour(random)), max(radius // 4, 1), cv2.LINE_AA)
            cv2.circle(picture, (x, place), radius // 3, tuple_of(any_colour(random)), -1, cv2.LINE_AA)


def bolts(picture: Picture, random: np.random.Generator) -> None:
    """Screw the plate on."""
    if random.random() < 0.5:
        return
    tall, wide = map(int, picture.shape[:2])
    at = random.uniform(0.08, 0.3)
    y = round(tall * random.uniform(0.06, 0.95)) if random.random() < 0.5 else tall // 2
    for x in (round(wide * at), round(wide * (1 - at))):
        radius = max(round(tall * random.uniform(0.02, 0.05)), 1)
        cv2.circle(picture, (x, y), radius, tuple_of(any_colour(random)), -1, cv2.LINE_AA)


def frame(picture: Picture, ink: Colour, random: np.random.Generator) -> None:
    """Draw the pressed edge, or the holder the plate lies in."""
    tall, wide = map(int, picture.shape[:2])
    thick = max(round(tall * random.uniform(0.01, 0.045)), 1)
    shade = ink if random.random() < 0.7 else any_colour(random)
    inset = round(tall * random.uniform(0, 0.03))
    rectangle(picture, (inset, inset, wide - inset, tall - inset), shade, thick)
