"""Formats that Pillow reads, and what all of its pictures have in common."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, cast

from PIL import AvifImagePlugin, Image, ImageFile, TiffImagePlugin

from archive.media.file import MemoryFile, SourceFile
from archive.media.limits import MIB, Limits
from archive.media.pictures import gif, headings
from archive.media.pictures.picture import TURNED, Decoded, Header, allow
from archive.media.sniff import TIFF, Format

# Ours are checked before anything is decoded, and say more.
Image.MAX_IMAGE_PIXELS = None
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
# What is read, and what is handed on as bytes, in one piece: in pieces of 64 KiB a photo is copied once more.
ImageFile.MAXBLOCK = 16 * MIB

_ORIENTATION = 0x0112
_PLUGINS = {
    "png": "PNG", "apng": "PNG", "webp": "WEBP", "gif": "GIF", "tiff": "TIFF", "bmp": "BMP", "psd": "PSD",
    "avif": "AVIF", "jp2": "JPEG2000", "j2k": "JPEG2000",
}  # fmt: skip
# Pillow's own picture, and what the decoder holds beside it.
_BYTES_A_PIXEL = {"avif": 9.0, "jp2": 16.0, "j2k": 16.0, "webp": 14.0, "tiff": 5.0, "psd": 9.0}
_USUAL = 4.5
_DEPTHS = {"1": 1, "F": 32, "I": 16}


def header(file: SourceFile, name: str, limits: Limits) -> Header:
    """Read the header, and refuse what is too much."""
    if name in headings.READERS:
        found = headings.READERS[name](file)
        allow(found, limits, _BYTES_A_PIXEL.get(name, _USUAL))
        if name == "psd":
            return found
    try:
        return _pillows(file, name, limits)
    except ValueError:
        if name in ("png", "apng"):  # texts or profiles that are too long, which is no matter
            return found
        raise


def _pillows(file: SourceFile, name: str, limits: Limits) -> Header:
    with opened(file, _PLUGINS[name]) as image:
        return _header(image, file, name, limits)


def decode(file: SourceFile, name: str, limits: Limits) -> Decoded:
    """Decode the first picture of a file."""
    if name in headings.READERS:
        # Before Pillow does, for it takes memory by what these say.
        allow(headings.READERS[name](file), limits, _BYTES_A_PIXEL.get(name, _USUAL))
    image = opened(file, _PLUGINS[name])
    found = _header(image, file, name, limits)
    profile = profile_of(image, limits)
    image.load()
    if name == "tiff":  # which Pillow has turned
        found = replace(found, width=image.width, height=image.height, orientation=1)
    return Decoded(image, found, profile)


def opened(file: SourceFile, *plugins: str) -> Image.Image:
    """Open a file as what its content is, and as nothing else."""
    file.seek(0)
    return Image.open(cast("IO[bytes]", file), formats=plugins)


def pages(file: SourceFile, format_: Format) -> int:
    """Count the pages of a TIFF, which is a walk through the whole file; anything else is one."""
    if format_ != TIFF:
        return 1
    with opened(file, "TIFF") as image:
        return int(getattr(image, "n_frames", 1))


def page_files(file: SourceFile) -> Iterator[MemoryFile]:
    """Give each page of a TIFF as a file of its own."""
    with opened(file, "TIFF") as image:
        for number in range(int(getattr(image, "n_frames", 1))):
            image.seek(number)
            page = io.BytesIO()
            image.copy().save(page, "TIFF", icc_profile=image.info.get("icc_profile"))
            yield MemoryFile(page.getvalue())


def orientation_of(image: Image.Image, limits: Limits) -> int:
    """Read the orientation, unless the metadata is absurd.

    Not by ``getexif``, which decodes a whole PNG to look for metadata behind it.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return _orientation(image.tag_v2)
    content = image.info.get("exif")
    if not isinstance(content, bytes) or len(content) > limits.exif_bytes:
        return 1
    exif = Image.Exif()
    try:
        exif.load(content)
        return _orientation(exif)
    except Exception:  # noqa: BLE001 - broken metadata is no broken picture
        return 1


def _orientation(tags: Mapping[int, object]) -> int:
    value = tags.get(_ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004


def profile_of(image: Image.Image, limits: Limits) -> bytes | None:
    """Give the colour profile, unless it is absurd."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and 0 < len(profile) <= limits.icc_bytes else None


@contextmanager
def forgiving() -> Iterator[None]:
    """Let Pillow read what it can and leave the rest empty."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _header(image: Image.Image, file: SourceFile, name: str, limits: Limits) -> Header:
    width, height = image.size
    orientation = orientation_of(image, limits)
    if name == "tiff" and orientation in TURNED:  # Pillow says the size as displayed
        width, height = height, width
    found = Header(width, height, orientation, _frames(image, file, name, limits), _depth(image, file, name))
    allow(found, limits, _BYTES_A_PIXEL.get(name, _USUAL))
    return found


def _frames(image: Image.Image, file: SourceFile, name: str, limits: Limits) -> int:
    if name == "gif":
        return gif.frames(file, limits.frames + 1)
    # A TIFF's pages are no frames; counting them is a walk through the whole file.
    return int(getattr(image, "n_frames", 1)) if name in ("apng", "webp", "avif") else 1


def _depth(image: Image.Image, file: SourceFile, name: str) -> int:
    if name in ("png", "apng"):
        return headings.of_png(file).depth
    bits = getattr(image, "tag_v2", {}).get(258)
    if isinstance(bits, tuple) and bits:
        return int(bits[0])
    return 16 if image.mode.startswith("I;16") else _DEPTHS.get(image.mode, 8)
