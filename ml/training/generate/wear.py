"""What weather and time do to a flat number: dirt, scratches, snow, shade, a flash's glare, faded ink."""

from __future__ import annotations

import cv2
import numpy as np

from ml.training.generate.colours import Picture, any_colour, colour
from ml.training.generate.paint import tuple_of


def worn(picture: Picture, random: np.random.Generator) -> Picture:
    """Wear a picture: each kind of wear by its own chance."""
    wears = (
        (0.2, _dirt),
        (0.12, _scratches),
        (0.05, _snow),
        (0.35, _shade),
        (0.1, _shadow_edge),
        (0.08, _glare),
        (0.15, _faded),
    )
    for chance, wear in wears:
        if random.random() < chance:
            picture = wear(picture, random)
    return picture


def _blotches(
    picture: Picture, random: np.random.Generator, cells: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    tall, wide = picture.shape[:2]
    small = random.uniform(0, 1, (cells, cells * 3)).astype(np.float32)
    return np.asarray(cv2.resize(small, (wide, tall), interpolation=cv2.INTER_CUBIC), np.float32)


def _blended(
    picture: Picture,
    over: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    alpha: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> Picture:
    share = np.clip(alpha, 0, 1)[..., None]
    return np.asarray(np.clip(picture * (1 - share) + over * share, 0, 255), np.uint8)


def _dirt(picture: Picture, random: np.random.Generator) -> Picture:
    mud = np.array([95, 80, 60], np.float32) * random.uniform(0.5, 1.3)
    alpha = (_blotches(picture, random, int(random.integers(3, 14))) - random.uniform(0.45, 0.8)) * random.uniform(
        0.8, 2
    )
    return _blended(picture, mud, (alpha * 0.8).astype(np.float32))


def _scratches(picture: Picture, random: np.random.Generator) -> Picture:
    tall, wide = picture.shape[:2]
    for _ in range(int(random.integers(1, 6))):
        start = (int(random.integers(wide)), int(random.integers(tall)))
        end = (start[0] + int(random.integers(-40, 41)), start[1] + int(random.integers(-15, 16)))
        cv2.line(picture, start, end, tuple_of(any_colour(random)), int(random.integers(1, 3)), cv2.LINE_AA)
    return picture


def _snow(picture: Picture, random: np.random.Generator) -> Picture:
    alpha = _blotches(picture, random, int(random.integers(4, 12)))
    rows = np.linspace(0, 1, picture.shape[0], dtype=np.float32)[:, None]
    return _blended(picture, colour("white", random), ((alpha * 0.6 + rows * 0.5 - 0.7) * 2).astype(np.float32))


def _shade(picture: Picture, random: np.random.Generator) -> Picture:
    tall, wide = picture.shape[:2]
    across = np.linspace(random.uniform(0.5, 1.2), random.uniform(0.5, 1.2), wide, dtype=np.float32)[None, :, None]
    down = np.linspace(random.uniform(0.7, 1.1), random.uniform(0.7, 1.1), tall, dtype=np.float32)[:, None, None]
    shaded = picture.astype(np.float32) * across * down
    return np.asarray(np.clip(shaded, 0, 255), np.uint8)


def _shadow_edge(picture: Picture, random: np.random.Generator) -> Picture:
    """Let a hard shadow fall across, as bumpers and grilles throw it."""
    tall, wide = picture.shape[:2]
    corners = np.array(
        [[random.uniform(-0.2, 1.2) * wide, random.uniform(-0.2, 1.2) * tall] for _ in range(4)], np.int32
    )
    mask = np.zeros((tall, wide), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(corners), 255)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), random.uniform(0.5, 4)), np.float32)[..., None] / 255
    return np.asarray(np.clip(picture * (1 - soft * random.uniform(0.3, 0.7)), 0, 255), np.uint8)


def _glare(picture: Picture, random: np.random.Generator) -> Picture:
    """Light a spot so brightly that ink pales there: a flash at night, or the sun in the foil."""
    tall, wide = picture.shape[:2]
    x, y = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(tall, dtype=np.float32))
    distance = ((x - random.uniform(0, wide)) / (0.35 * wide)) ** 2 + (
        (y - random.uniform(0, tall)) / (0.6 * tall)
    ) ** 2
    return _blended(picture, np.full(3, 255, np.float32), np.float32(random.uniform(0.3, 0.8)) * np.exp(-distance))


def _faded(picture: Picture, random: np.random.Generator) -> Picture:
    middle = picture.mean(axis=(0, 1), dtype=np.float32)
    kept = random.uniform(0.45, 0.9)
    faded = middle + (picture.astype(np.float32) - middle) * kept
    return np.asarray(np.clip(faded, 0, 255), np.uint8)
