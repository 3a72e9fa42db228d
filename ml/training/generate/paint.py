"""Putting masks of ink onto a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ml.training.generate.colours import Colour, Picture
from ml.training.generate.glyphs import Mask

Box = tuple[int, int, int, int]


def union(boxes: Sequence[Box]) -> Box:
    """Give the smallest box around some."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def paint(picture: Picture, mask: Mask, ink: Colour, x: int, y: int, *, emboss: float = 0.0) -> None:
    """Paint a mask; what lies outside the picture is cut. ``emboss`` gives pressed characters two edges."""
    top, left = max(y, 0), max(x, 0)
    bottom, right = min(y + mask.shape[0], picture.shape[0]), min(x + mask.shape[1], picture.shape[1])
    if top >= bottom or left >= right:
        return
    seen = mask[top - y : bottom - y, left - x : right - x]
    part = picture[top:bottom, left:right].astype(np.float32)
    if emboss > 0:
        edge = seen.astype(np.float32) - np.roll(seen, (2, 2), (0, 1)).astype(np.float32)
        part += emboss * 0.4 * edge[..., None]
    alpha = (seen.astype(np.float32) / 255)[..., None]
    part += (ink - part) * alpha
    picture[top:bottom, left:right] = np.clip(part, 0, 255).astype(np.uint8)


def tuple_of(colour: Colour) -> tuple[float, float, float]:
    """Give a colour as OpenCV takes it."""
    return float(colour[0]), float(colour[1]), float(colour[2])


def rectangle(picture: Picture, box: Box, colour: Colour, thickness: int = -1) -> None:
    """Draw a rectangle, filled unless a thickness is given."""
    cv2.rectangle(picture, box[:2], (box[2] - 1, box[3] - 1), tuple_of(colour), thickness, cv2.LINE_AA)
