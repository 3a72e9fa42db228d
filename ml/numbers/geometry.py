"""Four corners of what was found, and cutting along them. Corners go clockwise from the upper left, x before y."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Corners = NDArray[np.float32]


def box(x: float, y: float, width: float, height: float) -> Corners:
    """Give the corners of an upright box."""
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def bounds(corners: Corners) -> tuple[float, float, float, float]:
    """Give the upright box around corners: left, top, right, bottom."""
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def size(corners: Corners) -> tuple[float, float]:
    """Give width and height along the sides."""
    across = np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])
    down = np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])
    return float(across) / 2, float(down) / 2


def grown(corners: Corners, across: float, down: float) -> Corners:
    """Move the sides out: left and right by ``across``, upper and lower by ``down``, in pixels along the sides."""
    right = _unit(corners[1] - corners[0] + corners[2] - corners[3]) * across
    lower = _unit(corners[3] - corners[0] + corners[2] - corners[1]) * down
    moved = corners + np.stack([-right - lower, right - lower, right + lower, lower - right])
    return np.asarray(moved, np.float32)


def around(parts: list[Corners]) -> Corners:
    """Give the corners around several parts, with the slant of the widest of them."""
    widest = max(parts, key=lambda part: size(part)[0])
    along, origin = _unit(widest[1] - widest[0]), widest[0]
    down = np.array([-along[1], along[0]], np.float32)
    points = np.concatenate(parts) - origin
    x, y = points @ along, points @ down
    corners = [(x.min(), y.min()), (x.max(), y.min()), (x.max(), y.max()), (x.min(), y.max())]
    return np.array([origin + a * along + b * down for a, b in corners], np.float32)


def cut(picture: Picture, corners: Corners, *, least: int = 8, most: int = 1024) -> Picture:
    """Cut along corners and straighten what is cut (the second step, *rectify*)."""
    width, height = size(corners)
    scale = min(1.0, most / max(width, height, 1.0))
    wide, tall = max(round(width * scale), least), max(round(height * scale), least)
    goal = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), goal)
    straight = cv2.warpPerspective(
        picture, matrix, (wide, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(straight, np.uint8)


def overlap(first: Corners, second: Corners) -> float:
    """Give the share of the smaller upright box that the other covers."""
    a, b = bounds(first), bounds(second)
    wide, tall = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or tall <= 0:
        return 0.0
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return wide * tall / max(smaller, 1e-6)


def alike(first: Corners, second: Corners) -> bool:
    """Tell whether two upright boxes are the same but for a little."""
    a, b = bounds(first), bounds(second)
    areas = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    shared = overlap(first, second) * min(areas)
    return shared > 0.7 * (sum(areas) - shared)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.hypot(*vector))
    return vector / length if length > 0 else np.array([1, 0], np.float32)
