"""Pictures to be compared: landscapes that nobody saw, pages of words, screens, skies, and what people do to photos."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Pixels = NDArray[np.float32]
Edit = Callable[[Image.Image, random.Random], Image.Image]
_WORDS = [
    "the",
    "of",
    "invoice",
    "total",
    "amount",
    "date",
    "number",
    "customer",
    "street",
    "city",
    "payment",
    "within",
    "days",
    "bank",
    "account",
    "please",
    "order",
    "delivery",
    "item",
    "price",
    "sum",
    "tax",
    "net",
    "due",
    "thank",
    "you",
    "for",
    "your",
    "business",
    "regards",
    "signed",
]


@cache
def landscape(seed: int, width: int = 640, height: int = 480) -> Image.Image:
    """Paint hills, trees and clouds of all sizes, with light of its own on each."""
    chance = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height), tuple(int(one) for one in chance.integers(90, 220, 3)))
    draw = ImageDraw.Draw(image)
    for number in range(160):
        size = float(chance.uniform(0.01, 0.3)) * width * (1 - number / 200)
        x, y = chance.uniform(-0.1, 1.1) * width, chance.uniform(-0.1, 1.1) * height
        colour = tuple(int(one) for one in chance.integers(0, 256, 3))
        corners = [
            (x + size * np.cos(angle) * chance.uniform(0.4, 1), y + size * np.sin(angle) * chance.uniform(0.4, 1))
            for angle in np.sort(chance.uniform(0, 2 * np.pi, int(chance.integers(3, 9))))
        ]
        draw.polygon(corners, fill=colour)
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7))).astype(np.float32)
    light = np.linspace(0.75, 1.15, width)[None, :, None] * np.linspace(1.1, 0.8, height)[:, None, None]
    return _image(soft * light + _texture(chance, width, height)[..., None] + chance.normal(0, 1.5, (height, width, 1)))


def _texture(chance: np.random.Generator, width: int, height: int) -> Pixels:
    """Give what nature has on everything: detail of all sizes, the smaller the weaker."""
    total = np.zeros((height, width), np.float32)
    for scale in (1, 2, 4, 8, 16, 32):
        rough = chance.normal(0, 128, (height // scale + 2, width // scale + 2)).clip(-127, 127) + 128
        grown = Image.fromarray(rough.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
        total += (np.asarray(grown).astype(np.float32) - 128) * (0.045 * scale**0.5)
    return total


def page(
    seed: int, size: tuple[int, int] = (1240, 1754), letters: int = 22, *, word: int | None = None, dark: bool = False
) -> Image.Image:
    """Write a page, or a screen; with ``word`` the word of that number is another one as long."""
    chance = random.Random(seed)
    ink, ground = ((225, 228, 235), (24, 26, 32)) if dark else ((20, 20, 20), (255, 255, 255))
    image = Image.new("RGB", size, ground)
    draw, font, number = ImageDraw.Draw(image), ImageFont.load_default(letters), 0
    for y in range(size[1] // 20, size[1] - size[1] // 20, letters * 3 // 2):
        x = size[0] // 12
        while x < size[0] * 0.85:
            text = chance.choice(_WORDS)
            width = draw.textlength(text, font=font)
            draw.text((x, y), "x" * len(text) if number == word else text, fill=ink, font=font)
            x, number = int(x + width) + letters // 2, number + 1
    return image


def night_sky(seed: int, width: int = 960, height: int = 640) -> Image.Image:
    """Paint stars, and the noise of a long exposure."""
    chance = np.random.default_rng(seed)
    pixels = np.full((height, width, 1), 9.0)
    for _ in range(160):
        y, x = int(chance.integers(height)), int(chance.integers(width))
        pixels[y : y + 2, x : x + 2] = chance.uniform(60, 255)
    return _image(np.repeat(pixels, 3, axis=2) + chance.normal(0, 2.5, (height, width, 3)))


def burst(count: int, seed: int = 1, size: tuple[int, int] = (240, 180)) -> Iterator[Image.Image]:
    """Give the shots of a burst: somebody runs through, the camera shakes."""
    wide = landscape(seed, size[0] + 6, size[1] + 6)
    chance = random.Random(seed)
    for number in range(count):
        x, y = chance.randrange(6), chance.randrange(6)
        shot = wide.crop((x, y, x + size[0], y + size[1]))
        at = number * size[0] // max(1, count)
        ImageDraw.Draw(shot).ellipse((at - 12, 60, at + 14, 130), fill=(190, 40, 40))
        yield _image(np.asarray(shot) + np.random.default_rng(number).normal(0, 4, (size[1], size[0], 3)))


def saved(image: Image.Image, name: str = "JPEG", **options: object) -> bytes:
    """Write a picture."""
    written = io.BytesIO()
    image.save(written, name, **options)
    return written.getvalue()


def _image(pixels: NDArray[Any]) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _again(image: Image.Image, name: str, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(saved(image, name, quality=quality))).convert("RGB")


def _scaled(image: Image.Image, across: float, down: float) -> Image.Image:
    size = max(1, round(image.width * across)), max(1, round(image.height * down))
    return image.resize(size, Image.Resampling.LANCZOS)


def _cropped(image: Image.Image, chance: random.Random, left: float) -> Image.Image:
    """Keep this part of each side, from anywhere."""
    width, height = int(image.width * left), int(image.height * left)
    x, y = chance.randrange(image.width - width + 1), chance.randrange(image.height - height + 1)
    return image.crop((x, y, x + width, y + height))


def _noisy(image: Image.Image, chance: random.Random) -> Image.Image:
    pixels = np.asarray(image).astype(np.float32)
    return _image(pixels + np.random.default_rng(chance.randrange(1 << 30)).normal(0, 12, pixels.shape))


def _captioned(image: Image.Image, _: random.Random) -> Image.Image:
    image = image.copy()
    place = int(image.width * 0.5), int(image.height * 0.86)
    text = "(c) A Photographer 2026"
    ImageDraw.Draw(image).text(place, text, fill="white", font_size=max(8, image.height // 18))
    return image


def _toned(image: Image.Image, _: random.Random) -> Image.Image:
    return ImageEnhance.Contrast(ImageEnhance.Brightness(image).enhance(1.25)).enhance(1.3)


# Fifteen things that people and programs do to photos.
EDITS: dict[str, Edit] = {
    "JPEG of quality 20": lambda image, _: _again(image, "JPEG", 20),
    "half the size, WebP": lambda image, _: _again(_scaled(image, 0.5, 0.5), "WEBP", 60),
    "15 % of the size": lambda image, _: _scaled(image, 0.15, 0.15),
    "stretched by 10 %": lambda image, _: _scaled(image, 1.1, 1),
    "lighter, more contrast": _toned,
    "another gamma": lambda image, _: image.point([int(255 * (value / 255) ** 0.65) for value in range(256)] * 3),
    "grey": lambda image, _: image.convert("L").convert("RGB"),
    "warmer": lambda image, _: _image(np.asarray(image) * np.array([1.15, 1.0, 0.8])),
    "blurred": lambda image, _: image.filter(ImageFilter.GaussianBlur(2)),
    "noisy": _noisy,
    "with a caption": _captioned,
    "with a border": lambda image, _: ImageOps.expand(image, max(1, image.width // 20), "white"),
    "cropped by 25 %": lambda image, chance: _cropped(image, chance, 0.75),
    "mirrored": lambda image, chance: chance.choice([ImageOps.mirror, ImageOps.flip])(image),
    "turned": lambda image, chance: image.transpose(
        chance.choice([Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270])
    ),
}
