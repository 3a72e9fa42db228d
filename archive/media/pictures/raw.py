"""Cameras' RAW, by LibRaw: the preview that the camera put inside if large enough, else the sensor at half size."""

from __future__ import annotations

from typing import BinaryIO, cast

import numpy as np
import rawpy
from PIL import Image

from archive.media.file import MemoryFile, SourceFile
from archive.media.limits import Limits
from archive.media.pictures import arrays, jpeg
from archive.media.pictures.picture import TURNED, Decoded, Header, allow

# LibRaw's turn of the picture, as EXIF would say it.
_FLIPS = {0: 1, 3: 3, 5: 8, 6: 6}
_BYTES_A_PIXEL = 12
_BITS = 16


def header(file: SourceFile, limits: Limits) -> Header:
    """Read the header, and refuse what is too much."""
    with rawpy.imread(_source(file)) as raw:
        return _header(raw, limits)


def decode(file: SourceFile, limits: Limits, fit: int | None) -> Decoded:
    """Give the embedded preview if it is nearly as good, else develop the sensor's data."""
    with rawpy.imread(_source(file)) as raw:
        found = _header(raw, limits)
        preview = _preview(raw, found, limits, fit)
        if preview is not None:
            return preview
        developed = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
        image = arrays.picture(developed)  # LibRaw has turned it
        turned = found.displayed()
        return Decoded(image, Header(*turned, 1, 1, found.depth))


def _source(file: SourceFile) -> BinaryIO:
    file.seek(0)
    return cast("BinaryIO", file)


def _header(raw: rawpy.RawPy, limits: Limits) -> Header:
    sizes = raw.sizes
    width, height = sizes.iwidth or sizes.width, sizes.iheight or sizes.height
    found = Header(width, height, _FLIPS.get(sizes.flip, 1), 1, _depth(raw))
    # LibRaw tells sizes before it turns and after; ours are before.
    allow(found, limits, _BYTES_A_PIXEL)
    return found


def _depth(raw: rawpy.RawPy) -> int:
    return max(1, int(raw.white_level).bit_length()) if raw.white_level else _BITS


def _preview(raw: rawpy.RawPy, found: Header, limits: Limits, fit: int | None) -> Decoded | None:
    try:
        thumb = raw.extract_thumb()
        if thumb.format is rawpy.ThumbFormat.JPEG:
            decoded = jpeg.decode(MemoryFile(bytes(thumb.data)), limits, fit)
        else:
            image = arrays.picture(np.asarray(thumb.data))
            decoded = Decoded(image, Header(*image.size))
    except Exception:  # noqa: BLE001 - there is still the sensor
        return None
    width, height = decoded.header.width, decoded.header.height
    whole = max(found.width, found.height)
    if max(width, height) < min(fit or whole, whole / 2):
        return None
    return Decoded(decoded.image, _as_shown(found, width, height, decoded.image), decoded.profile)


def _as_shown(found: Header, width: int, height: int, image: Image.Image) -> Header:
    """Say how to turn a preview: as the RAW says, unless the camera has turned it already."""
    turned_already = found.orientation in TURNED and (height > width) != (found.height > found.width)
    if turned_already and image.width != image.height:
        return Header(*found.displayed(), 1, 1, found.depth)
    return found
