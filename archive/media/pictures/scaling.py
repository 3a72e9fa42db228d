"""Making pictures smaller: by libswscale, whose bicubic filter gives what Pillow's does in less than half the time."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from PIL import Image

_FILTER = (
    Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND
)
# Pillow halves, and more, before it filters; libswscale's filters get too long where it would.
_MOST_SHRINK = 6
# Filters are padded to whole registers; pictures of a few pixels are not what this is for.
_LEAST_SIDE = 32
_GAP = 2.0


def scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Give a picture in a smaller size."""
    if image.mode == "RGBA":  # what cannot be seen shall not bleed into what can
        return _by_pillow(image.convert("RGBa"), size).convert("RGBA")
    shrink = max(whole / part for whole, part in zip(image.size, size, strict=True))
    if image.mode == "RGB" and shrink <= _MOST_SHRINK and min(size) >= _LEAST_SIDE:
        return _by_swscale(image, size)
    return _by_pillow(image, size)


def _by_pillow(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=_GAP)


def _by_swscale(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    frame = av.VideoFrame.from_numpy_buffer(np.asarray(image), format="rgb24")
    # To separate planes, which is far quicker than to packed pixels.
    planar = VideoReformatter().reformat(frame, *size, "gbrp", interpolation=_FILTER, threads=1)
    green, blue, red = (_plane(plane, size) for plane in planar.planes)
    return Image.merge("RGB", (red, green, blue))


def _plane(plane: av.video.plane.VideoPlane, size: tuple[int, int]) -> Image.Image:
    padded = (plane.line_size, plane.height)
    shared = Image.frombuffer("L", padded, plane, "raw", "L", plane.line_size, 1)  # type: ignore[arg-type]  # a buffer
    return shared.crop((0, 0, *size))
