"""Arrays of numbers, as some decoders give them, made pictures of eight bits a channel."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def picture(array: np.ndarray[Any, Any]) -> Image.Image:
    """Make a picture of rows of grey, grey and alpha, RGB or RGBA."""
    if array.ndim == 4:  # noqa: PLR2004 - frames of an animation
        array = array[0]
    if array.ndim == 3 and array.shape[2] == 1:  # noqa: PLR2004
        array = array[:, :, 0]
    channels = 1 if array.ndim == 2 else array.shape[2]  # noqa: PLR2004
    if channels not in _MODES:
        message = f"{channels} channels are not supported"
        raise NotImplementedError(message)
    return Image.fromarray(np.ascontiguousarray(eight_bits(array)))


def eight_bits(array: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Scale numbers to 0 to 255: whole ones by their size, fractions by what they are or else by what there is."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "u":
        return (array >> (8 * array.dtype.itemsize - 8)).astype(np.uint8)
    if array.dtype.kind == "i":
        array = array.astype(np.float32)
    finite = np.nan_to_num(array.astype(np.float32, copy=False), nan=0.0, posinf=1.0, neginf=0.0)
    low, high = min(0.0, float(finite.min())), max(1.0, float(finite.max()))
    return np.round((finite - low) * (255.0 / (high - low))).astype(np.uint8)
