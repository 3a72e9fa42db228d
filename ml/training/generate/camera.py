"""From a flat number to the crop a reader gets: seen askew, cut as detectors cut, blurred, small, noisy, compressed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.training.generate.colours import Picture
from ml.training.generate.nothing import texture
from ml.training.generate.paint import Box
from ml.training.generate.plate import Drawn, text_box

Grey = NDArray[np.uint8]
# A little more than a reader sees, so that training may shift what it shows.
WIDTH, HEIGHT = 136, 52


def photographed(drawn: Drawn, random: np.random.Generator) -> Grey:
    """Photograph a flat number and cut it out."""
    picture, box = _placed(drawn, random)
    cut = _cut(picture, box, random)
    cut = _exposed(cut, random)
    grey = np.asarray(cv2.cvtColor(_shrunk(cut, random), cv2.COLOR_RGB2GRAY), np.uint8)
    grey = _recorded(grey, random)
    way = cv2.INTER_AREA if grey.shape[1] > WIDTH else (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(random.integers(2))]
    return np.asarray(cv2.resize(grey, (WIDTH, HEIGHT), interpolation=way), np.uint8)


def _placed(drawn: Drawn, random: np.random.Generator) -> tuple[Picture, NDArray[np.float32]]:
    """Put the number before a background, askew; give where the corners of what is to be cut have gone."""
    tall, wide = drawn.picture.shape[:2]
    pad_x, pad_y = round(wide * 0.2), round(tall * 0.3)
    around = texture(tall + 2 * pad_y, wide + 2 * pad_x, random)
    lean = random.normal(0, 0.045, (4, 2)) * [tall, tall] * random.uniform(0, 1.8)
    corners = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    goal = corners + np.array([pad_x, pad_y]) + lean
    goal[[0, 1], 0] += tall * random.normal(0, 0.06)
    turn = random.normal(0, 2.5)
    goal = _turned(goal, turn).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, goal)
    size = (around.shape[1], around.shape[0])
    cv2.warpPerspective(drawn.picture, matrix, size, around, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
    left, top, right, bottom = _wanted(drawn, random)
    asked = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], np.float32)
    seen: NDArray[np.float32] = np.asarray(cv2.perspectiveTransform(asked, matrix)[0], np.float32)
    return around, seen


def _turned(points: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    centre = points.mean(axis=0)
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned: NDArray[np.float64] = (points - centre) @ rotation.T + centre
    return turned


def _wanted(drawn: Drawn, random: np.random.Generator) -> Box:
    """Choose what is cut: the whole plate, the lines of text alone, or the lines and some of what is beside them."""
    tall, wide = drawn.picture.shape[:2]
    left, top, right, bottom = text_box(drawn)
    high = bottom - top
    chance = random.random()
    if chance < 0.4 and drawn.kind != "bib":
        margin = random.normal(0.03, 0.05, 4) * tall
        left, top, right, bottom = 0, 0, wide, tall
    elif chance < 0.7:
        margin = random.uniform(0.0, 0.14, 4) * high
    else:
        margin = random.uniform(0.05, 0.6, 4) * high * [1, 0.6, 1, 0.6]
    margin = np.maximum(margin, -0.03 * tall)
    return (
        round(left - margin[0]),
        round(top - margin[1]),
        round(right + margin[2]),
        round(bottom + margin[3]),
    )


def _cut(picture: Picture, corners: NDArray[np.float32], random: np.random.Generator) -> Picture:
    """Cut along the corners, as a detector that sees the slant does, or along their upright box."""
    if random.random() < 0.45:
        left, top = corners.min(axis=0)
        right, bottom = corners.max(axis=0)
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    wide = max(round(float(np.linalg.norm(corners[1] - corners[0]))), 8)
    tall = max(round(float(np.linalg.norm(corners[3] - corners[0]))), 8)
    goal = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, goal)
    cut = cv2.warpPerspective(picture, matrix, (wide, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _exposed(picture: Picture, random: np.random.Generator) -> Picture:
    """Choose exposure and contrast: dark, pale, or as it should be."""
    gain, lift = random.uniform(0.5, 1.25), random.uniform(0, 60)
    if random.random() < 0.05:
        picture = 255 - picture
    curve = 255 * (np.arange(256) / 255.0) ** random.uniform(0.7, 1.5)
    table = np.clip(curve * gain + lift, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table), np.uint8)


def _shrunk(picture: Picture, random: np.random.Generator) -> Picture:
    """Blur by focus and by motion, and shrink to what the sensor had of it."""
    if random.random() < 0.45:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 3.2)), np.uint8)
    if random.random() < 0.2:
        picture = _moved(picture, random)
    tall, wide = picture.shape[:2]
    goal = float(np.exp(random.uniform(np.log(34), np.log(220))))
    share = min(goal / wide, 1.0)
    size = (max(round(wide * share), 20), max(round(tall * share), 9))
    way = cv2.INTER_AREA if random.random() < 0.7 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)


def _moved(picture: Picture, random: np.random.Generator) -> Picture:
    length = int(random.integers(3, 11))
    kernel = np.zeros((length, length), np.float32)
    angle = random.normal(0, 0.5)
    middle = (length - 1) / 2
    step = (np.cos(angle) * middle, np.sin(angle) * middle)
    ends = [(round(middle + sign * step[0]), round(middle + sign * step[1])) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)


def _recorded(grey: Grey, random: np.random.Generator) -> Grey:
    """Add the sensor's noise, a camera's sharpening, and the blocks of a JPEG or a video."""
    noisy = grey.astype(np.float32)
    if random.random() < 0.6:
        noisy += random.normal(0, random.uniform(1, 9), grey.shape)
    if random.random() < 0.25:
        noisy += random.uniform(0.3, 1.5) * (noisy - cv2.GaussianBlur(noisy, (0, 0), 1.2))
    whole = np.clip(noisy, 0, 255).astype(np.uint8)
    if random.random() < 0.6:
        quality = int(random.integers(12, 90))
        done, coded = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done:
            whole = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return whole
