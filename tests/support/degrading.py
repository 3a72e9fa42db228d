"""What makes photos hard to judge and leaves them sharp, and what makes them blurred."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageFilter

Edit = Callable[[Image.Image], Image.Image]


def auc(good: Sequence[float], bad: Sequence[float]) -> float:
    """Give how often a good one scores above a bad one."""
    one, other = np.asarray(good)[:, None], np.asarray(bad)[None]
    return float((one > other).mean() + (one == other).mean() / 2)


def _changed(image: Image.Image, factor: float, level: float = 0, noise: float = 0) -> Image.Image:
    pixels = np.asarray(image).astype(np.float32) * factor + level
    if noise:
        pixels = pixels + np.random.default_rng(1).normal(0, noise, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _pressed(image: Image.Image, quality: int = 30) -> Image.Image:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality)
    return Image.open(io.BytesIO(written.getvalue())).convert("RGB")


def _blurred(image: Image.Image, radius: float = 3) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def _moved(image: Image.Image, by: int) -> Image.Image:
    pixels = np.pad(np.asarray(image).astype(np.float32), ((0, 0), (by // 2, by // 2), (0, 0)), mode="edge")
    total = sum(pixels[:, start : start + image.width] for start in range(by))
    return Image.fromarray((np.asarray(total) / by).clip(0, 255).astype(np.uint8))


def _before_blur(image: Image.Image) -> Image.Image:
    mask = Image.new("L", image.size, 0)
    width, height = image.size
    mask.paste(255, (width // 3, height // 3, 2 * width // 3, 2 * height // 3))
    return Image.composite(image, _blurred(image, 5), mask)


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image.resize(size, Image.Resampling.BICUBIC)


SHARP: dict[str, Edit] = {
    "as it is": lambda image: image,
    "little contrast": lambda image: _changed(image, 0.4, 90),
    "JPEG of quality 30": _pressed,
    "some noise": lambda image: _changed(image, 1, 0, 8),
    "much noise": lambda image: _changed(image, 1, 0, 15),
    "half the size": lambda image: _scaled(image, 0.5),
    "night": lambda image: _changed(image, 0.2, 0, 4),
    "sharp before a blurred background": _before_blur,
}
BLURRED: dict[str, Edit] = {
    "blurred": _blurred,
    "moved by 9 pixels": lambda image: _moved(image, 9),
    "moved by 15 pixels": lambda image: _moved(image, 15),
    "blurred, then noise": lambda image: _changed(_blurred(image), 1, 0, 8),
    "blurred, then JPEG": lambda image: _pressed(_blurred(image)),
    "enlarged three times": lambda image: _scaled(_scaled(image, 1 / 3), 3),
    "blurred at night": lambda image: _changed(_blurred(image), 0.2, 0, 4),
}
