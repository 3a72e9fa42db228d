"""Photographs that nobody took: gradients, noise and letters, as large in pixels and bytes as a camera's."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageDraw

MEGAPIXELS_12 = (4032, 3024)


@cache
def scene(width: int, height: int, seed: int = 1) -> Image.Image:
    """Paint a picture with smooth parts, edges, and the noise of a sensor."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    planes = [
        120 + 90 * np.sin(across / (width / (3 + seed % 3)) + shift) * np.cos(down / (height / 4) - shift)
        for shift in (0.0, 1.3, 2.6)
    ]
    noise = random.normal(0, 5, (height, width, 1)).astype(np.float32)
    pixels = np.clip(np.stack(planes, axis=-1) + noise, 0, 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for number in range(40):
        x, y = (int(random.integers(0, max(1, side - 50))) for side in (width, height))
        draw.text((x, y), f"Tagphoto {number}", fill=(255, 255, 240), font_size=max(10, width // 60))
        draw.ellipse((x, y, x + width // 20, y + width // 30), outline=(20, 30, 40), width=3)
    return image


def saved(image: Image.Image, name: str, **options: Any) -> bytes:
    """Write a picture in a format of Pillow's."""
    written = io.BytesIO()
    image.save(written, name, **options)
    return written.getvalue()


def heic(image: Image.Image, **options: Any) -> bytes:
    """Write a picture as HEIC."""
    written = io.BytesIO()
    pillow_heif.from_pillow(image).save(
        written, quality=options.pop("quality", 60), enc_params={"preset": "ultrafast"}, **options
    )
    return written.getvalue()
