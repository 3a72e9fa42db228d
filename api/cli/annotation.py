"""Readings drawn onto their picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ml.numbers.reading import Reading

_SURE, _UNSURE = (30, 200, 80), (245, 160, 20)


def annotated(pixels: NDArray[np.uint8], readings: Sequence[Reading]) -> Image.Image:
    """Draw the corners of each reading and what it says: green what is accepted, orange what is to be looked at."""
    image = Image.fromarray(pixels).copy()
    draw = ImageDraw.Draw(image)
    wide = max(image.width // 400, 2)
    for reading in readings:
        colour = _SURE if reading.accepted else _UNSURE
        points = [(float(x), float(y)) for x, y in reading.corners]
        draw.line([*points, points[0]], colour, wide, joint="curve")
        high = max(image.width // 45, 14)
        font = ImageFont.load_default(high)
        x, y = min(p[0] for p in points), max(min(p[1] for p in points) - high * 1.3, 0)
        said = f"{reading.text} {reading.country or ''} {reading.confidence:.2f}"
        draw.rectangle(draw.textbbox((x, y), said, font), (0, 0, 0))
        draw.text((x, y), said, colour, font)
    return image
