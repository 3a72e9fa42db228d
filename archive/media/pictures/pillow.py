"""Formats that Pillow reads, and what all of its pictures have in common."""

from __future__ import annotations

import struct

from PIL import AvifImagePlugin, Image, ImageFile, PngImagePlugin

from archive.media.file import SourceFile
from archive.media.limits import Limits
from archive.media.pictures import gif
from archive.media.pictures.picture import Decoded, Header, allow

# Ours are checked before anything is decoded, and say more.
Image.MAX_IMAGE_PIXELS = None
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
# A long text is no reason to refuse a picture; Pillow's bound for all texts together stays.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY

_ORIENTATION = 0x0112
_PLUGINS = {
    "png": "PNG", "apng": "PNG", "webp": "WEBP", "gif": "GIF", "tiff": "TIFF", "bmp": "BMP", "psd": "PSD",
    "avif": "AVIF", "jp2": "JPEG2000", "j2k": "JPEG2000",
}  # fmt: skip
# Pillow's own picture, and what the decoder holds beside it.
_BYTES_A_PIXEL = {"avif": 9.0, "jp2": 16.0, "j2k": 16.0, "webp": 8.0, "tiff": 5.0}
_DEPTHS = {"1": 1, "F": 32, "I": 16}


def header(file: SourceFile, name: str, limits: Limits) -> Header:
    """Read the header, and refuse what is too much."""
    with opened(file, _PLUGINS[name]) as image:
        return _header(image, file, name, limits)


def decode(file: SourceFile, name: str, limits: Limits) -> Decoded:
    """Decode the first picture of a file."""
    image = opened(file, _PLUGINS[name])
    found = _header(image, file, name, limits)
    profile = profile_of(image, limits)
    image.load()
    return Decoded(image, found, profile)


def opened(file: SourceFile, *plugins: str) -> Image.Image:
    """Open a file as what its content is, and as nothing else."""
    file.seek(0)
    return Image.open(file, formats=plugins)


def orientation_of(image: Image.Image, limits: Limits) -> int:
    """Read the orientation, unless the metadata is absurd."""
    if len(image.info.get("exif") or b"") > limits.exif_bytes:
        return 1
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - broken metadata is no broken picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004


def profile_of(image: Image.Image, limits: Limits) -> bytes | None:
    """Give the colour profile, unless it is absurd."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and 0 < len(profile) <= limits.icc_bytes else None


def tolerant(file: SourceFile, name: str, limits: Limits) -> Decoded:
    """Decode as much as can be read, and leave the rest empty."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        if name == "jpeg":
            from archive.media.pictures import jpeg  # noqa: PLC0415 - which needs this module

            decoded = jpeg.decode(file, limits, None)
        else:
            decoded = decode(file, name, limits)
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    decoded.damaged = True
    return decoded


def _header(image: Image.Image, file: SourceFile, name: str, limits: Limits) -> Header:
    width, height = image.size
    found = Header(
        width, height, orientation_of(image, limits), _frames(image, file, name, limits), _depth(image, file, name)
    )
    allow(found, limits, _BYTES_A_PIXEL.get(name, 4.5))
    return found


def _frames(image: Image.Image, file: SourceFile, name: str, limits: Limits) -> int:
    if name == "gif":
        return gif.frames(file, limits.frames + 1)
    # A TIFF's pages are no frames; counting them is a walk through the whole file.
    return int(getattr(image, "n_frames", 1)) if name in ("apng", "webp", "avif") else 1


def _depth(image: Image.Image, file: SourceFile, name: str) -> int:
    if name in ("png", "apng"):
        return file.peek(24, 1)[0]
    if name == "psd":
        return int(struct.unpack(">H", file.peek(22, 2))[0])
    bits = getattr(image, "tag_v2", {}).get(258)
    if isinstance(bits, tuple) and bits:
        return int(bits[0])
    return 16 if image.mode.startswith("I;16") else _DEPTHS.get(image.mode, 8)
