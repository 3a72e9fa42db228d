"""The encoders a lossy copy can be made with, and the decoders that undo them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from archive.media.lossy.keeping import Kept, orientation_at
from archive.media.lossy.target import Codec

Array = np.ndarray[Any, Any]
_FINE = 85.0
_NO_TAG = b"\xfe\xfe"
_JXL_HEAD = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
_JXL_EFFORT, _WEBP_METHOD, _AVIF_SPEED = 3, 4, 6


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder, its settings from the coarsest to the finest, and what metadata its format carries."""

    media_type: str
    settings: Sequence[float]
    write: Callable[[Array, float, float, Kept], bytes]
    carries: frozenset[str]


def decoded(content: bytes, codec: Codec) -> Array:
    """Read a copy as every viewer does, but for its orientation and its colours: neither is touched in copies."""
    if codec == "jxl":
        return np.asarray(imagecodecs.jpegxl_decode(content, numthreads=1))
    with Image.open(io.BytesIO(content), formats=[codec.upper()]) as image:
        return np.asarray(image.convert("RGB"))


def _jxl(pixels: Array, setting: float, _target: float, kept: Kept) -> bytes:
    stream = bytes(
        imagecodecs.jpegxl_encode(pixels, effort=_JXL_EFFORT, distance=setting, numthreads=1, usecontainer=False)
    )
    if not (kept.exif or kept.xmp):
        return stream
    boxes = [(b"Exif", b"\0\0\0\0" + kept.exif)] if kept.exif else []
    boxes += [(b"xml ", kept.xmp)] if kept.xmp else []
    boxes.append((b"jxlc", stream))
    return _JXL_HEAD + b"".join(struct.pack(">I4s", 8 + len(body), name) + body for name, body in boxes)


def _jpeg(pixels: Array, setting: float, target: float, kept: Kept) -> bytes:
    subsampling = "4:4:4" if target >= _FINE else "4:2:0"
    plain = _saved(
        pixels, "JPEG", quality=int(setting), optimize=True, progressive=True, subsampling=subsampling,
        icc_profile=kept.profile,
    )  # fmt: skip
    segments = kept.segments()
    return plain[:2] + segments + plain[2:] if segments else plain


def _webp(pixels: Array, setting: float, _target: float, kept: Kept) -> bytes:
    return _saved(
        pixels,
        "WEBP",
        quality=int(setting),
        method=_WEBP_METHOD,
        exif=kept.exif,
        xmp=kept.xmp,
        icc_profile=kept.profile,
    )


def _avif(pixels: Array, setting: float, target: float, kept: Kept) -> bytes:
    subsampling = "4:4:4" if target >= _FINE else "4:2:0"
    # Pillow writes EXIF anew if there is an orientation in it, and makers' notes do not live through that. So it does
    # not see one, and what it has written is put right.
    entry = orientation_at(kept.exif)
    hidden = kept.exif if entry is None else kept.exif[:entry] + _NO_TAG + kept.exif[entry + 2 :]
    written = _saved(
        pixels, "AVIF", quality=int(setting), speed=_AVIF_SPEED, subsampling=subsampling, max_threads=1,
        exif=hidden, xmp=kept.xmp, icc_profile=kept.profile,
    )  # fmt: skip
    return written.replace(hidden, kept.exif, 1) if hidden else written


def _saved(pixels: Array, name: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's own
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, name, **options)
    return written.getvalue()


_QUALITIES = tuple(float(number) for number in range(5, 100))
_DISTANCES = tuple(round(8.0 * 0.955**number, 3) for number in range(100))
_USUAL = frozenset({"exif", "xmp", "profile"})
ENCODERS: dict[Codec, Encoder] = {
    "jxl": Encoder("image/jxl", _DISTANCES, _jxl, frozenset({"exif", "xmp"})),
    "avif": Encoder("image/avif", _QUALITIES, _avif, _USUAL),
    "webp": Encoder("image/webp", _QUALITIES, _webp, _USUAL),
    "jpeg": Encoder("image/jpeg", _QUALITIES, _jpeg, _USUAL | {"iptc"}),
}
