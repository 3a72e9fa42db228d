"""Pictures written in every format there is a conversion to. In the child."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from archive.media.converting.conversion import QUALITY, Conversion, Picture
from archive.media.lossy.codecs import ENCODERS
from archive.media.lossy.keeping import Kept
from archive.media.verdict import LimitExceeded

_USUAL = frozenset({"exif", "xmp", "profile"})
# What of the metadata each format carries.
CARRIES: dict[Picture, frozenset[str]] = {
    **{name: encoder.carries for name, encoder in ENCODERS.items()},
    "png": _USUAL,
    "heic": _USUAL,
    "tiff": _USUAL | {"iptc"},
}
# Formats that know nothing of transparency, or whose encoder does not.
FLAT = frozenset({"jpeg", "pdf", "heic"})
MOST_SIDES = {"webp": 16_383, "heic": 16_384, "jpeg": 65_500}
_DPI = 150
_XMP_TAG, _IPTC_TAG = 700, 33723
# x265 looks around in the machine for its pools of threads, which no child may.
_HEIC = {"preset": "veryfast", "x265:pools": "none", "x265:frame-threads": "1"}
# Quality to distance, as libjxl's own tools do it.
_GOOD = 30


def written(image: Image.Image, wanted: Conversion, kept: Kept) -> bytes:
    """Write one picture."""
    quality = QUALITY if wanted.quality is None else wanted.quality
    if wanted.to in ENCODERS:
        setting = distance(quality) if wanted.to == "jxl" else float(quality)
        return ENCODERS[wanted.to].write(np.asarray(image), setting, float(quality), kept)
    out = io.BytesIO()
    if wanted.to == "heic":
        exif, xmp = kept.exif or None, kept.xmp or None
        heif = pillow_heif.from_pillow(_bare(image))
        heif.info["icc_profile"] = kept.profile
        heif.save(out, quality=quality, exif=exif, xmp=xmp, save_all=False, enc_params=_HEIC)
    elif wanted.to == "png":
        image.save(out, "PNG", exif=kept.exif, icc_profile=kept.profile, pnginfo=_png_words(kept))
    else:
        words = _tiff_words(kept)
        # What is written by way of libtiff has no place for EXIF, so what has some is not compressed.
        image.save(out, "TIFF", compression="raw" if words else "tiff_adobe_deflate", icc_profile=kept.profile, **words)
    return out.getvalue()


def bound(images: Iterator[Image.Image], wanted: Conversion) -> bytes:
    """Write pictures as the pages of a PDF; they are asked for one after the other."""
    first = next(images, None)
    if first is None:
        raise LimitExceeded("a PDF without a page")
    out = io.BytesIO()
    quality = QUALITY if wanted.quality is None else wanted.quality
    first.save(
        out, "PDF", save_all=True, append_images=itertools.islice(images, None), quality=quality, resolution=_DPI,
        title="", producer="", creator="",
    )  # fmt: skip
    return out.getvalue()


def distance(quality: float) -> float:
    """Give the distance of JPEG XL that stands for a quality."""
    if quality >= _GOOD:
        return max(0.1, 0.1 + (100 - quality) * 0.09)
    return 53 / 3000 * quality**2 - 23 / 20 * quality + 25


def _bare(image: Image.Image) -> Image.Image:
    bare = image.copy()
    bare.info = {}
    return bare


def _png_words(kept: Kept) -> Any:  # noqa: ANN401 - Pillow's
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - loaded by warm_up

    words = PngInfo()
    if kept.xmp:
        words.add_itxt("XML:com.adobe.xmp", kept.xmp.decode("utf-8", "replace"))
    return words


def _tiff_words(kept: Kept) -> dict[str, Any]:
    exif = Image.Exif()
    if kept.exif:
        exif.load(kept.exif)
    for tag, packet in ((_XMP_TAG, kept.xmp), (_IPTC_TAG, kept.iptc)):
        if packet:
            exif[tag] = packet
    return {"exif": exif} if len(exif) else {}
