"""Arrays of numbers, as some decoders give them, made pictures of eight bits a channel."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def picture(array: Array) -> Image.Image:
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


def eight_bits(array: Array) -> Array:
    """Scale numbers to 0 to 255: whole ones by their size, fractions by what they are or else by what there is."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return np.where(array, np.uint8(255), np.uint8(0))
    if array.dtype.kind == "u":
        scaled: Array = array >> (8 * array.dtype.itemsize - 8)
        return scaled.astype(np.uint8)
    if array.dtype.kind == "i":
        array = array.astype(np.float32)
    finite = np.nan_to_num(array.astype(np.float32, copy=False), nan=0.0, posinf=1.0, neginf=0.0)
    low, high = min(0.0, float(finite.min())), max(1.0, float(finite.max()))
    rounded: Array = np.round((finite - low) * (255.0 / (high - low)))
    return rounded.astype(np.uint8)
