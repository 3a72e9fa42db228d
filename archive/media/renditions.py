"""Renditions: one decode makes the preview, the preview the thumb, the thumb the thumbhash."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from PIL import Image

from archive.media.pictures import smaller
from archive.media.thumbhash import SIDE, thumbhash

PREVIEW_SIDE = 1440
THUMB_SHORT, THUMB_LONG = 250, 1000
_QUALITY, _METHOD = 80, 2

Emit = Callable[[str, bytes], None]


def render_image(image: Image.Image, emit: Emit) -> dict[str, Any]:
    """Give ``preview`` and ``thumb`` of an oriented sRGB picture; say how large they are, and the thumbhash."""
    preview = smaller(image, PREVIEW_SIDE)
    emit("preview", webp(preview))
    thumb = smaller(preview, THUMB_LONG, THUMB_SHORT)
    emit("thumb", webp(thumb))
    return {
        "preview": list(preview.size),
        "thumb": list(thumb.size),
        "thumbhash": thumbhash(smaller(thumb, SIDE)).hex(),
    }


def webp(image: Image.Image) -> bytes:
    """Write a picture as WebP, without metadata."""
    written = io.BytesIO()
    image.save(written, "WEBP", quality=_QUALITY, method=_METHOD, exif=b"", xmp=b"", icc_profile=b"")
    return written.getvalue()
