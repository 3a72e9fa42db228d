"""A contact sheet: what the generator makes, to be looked at before anything is trained on it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.training.generate.camera import HEIGHT, WIDTH
from ml.training.generate.sample import drawn, sample

_CAPTION = 16
_FLAT_WIDTH, _FLAT_HEIGHT = 240, 112


def sheet(seed: int, rows: int, columns: int, *, flat: bool = False) -> NDArray[np.uint8]:
    """Draw samples side by side, as readers get them, or flat and in colour as they were drawn; each with its truth."""
    cells = [_flat(seed, number) if flat else _seen(seed, number) for number in range(rows * columns)]
    lines = [np.concatenate(cells[start : start + columns], axis=1) for start in range(0, len(cells), columns)]
    return np.concatenate(lines, axis=0)


def _seen(seed: int, number: int) -> NDArray[np.uint8]:
    made = sample(seed, number)
    colour = np.repeat(made.picture[..., None], 3, axis=2)
    return _captioned(colour, f"{made.kind} {made.text}", WIDTH, HEIGHT)


def _flat(seed: int, number: int) -> NDArray[np.uint8]:
    made, _ = drawn(seed, number)
    scale = min(_FLAT_WIDTH / made.picture.shape[1], _FLAT_HEIGHT / made.picture.shape[0])
    small = cv2.resize(made.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _captioned(np.asarray(small, np.uint8), f"{made.kind} {made.text}", _FLAT_WIDTH, _FLAT_HEIGHT)


def _captioned(picture: NDArray[np.uint8], caption: str, width: int, height: int) -> NDArray[np.uint8]:
    cell = np.zeros((height + _CAPTION, width + 2, 3), np.uint8)
    cell[: picture.shape[0], : picture.shape[1]] = picture
    place = (2, height + _CAPTION - 4)
    cv2.putText(cell, caption, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return cell
