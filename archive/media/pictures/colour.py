"""Colours: whatever a picture is in becomes sRGB of eight bits, with alpha where it has some."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from archive.media.pictures import arrays

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SPACES = {"L": "GRAY", "RGB": "RGB ", "RGBA": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}
_HELD_TRANSFORMS = 8


def plain(image: Image.Image) -> Image.Image:
    """Give a picture in a mode that can be made smaller: eight bits a channel, and no palette."""
    mode = image.mode
    if mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        if "transparency" in image.info and mode in ("L", "RGB"):
            return image.convert("RGBA")
        return image
    if mode.startswith("I;16") or mode in ("I", "F"):
        return arrays.picture(_numbers(image))
    if mode in ("P", "PA"):
        return image.convert("RGBA" if mode == "PA" or "transparency" in image.info else "RGB")
    if mode in ("LA", "La", "RGBa"):
        return (image.convert("LA") if mode == "La" else image).convert("RGBA")
    return image.convert("L" if mode == "1" else "RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Bring a plain picture to sRGB. A profile that is broken, or for other colours, is no profile."""
    output = "RGBA" if image.mode == "RGBA" else "RGB"
    transform = _transform(profile, image.mode, output) if profile else None
    if transform is not None:
        converted = transform.apply(image)
        return converted.convert("L") if image.mode == "L" else converted
    if image.mode == "LAB":
        lab = ImageCms.buildTransform(ImageCms.createProfile("LAB"), _SRGB, "LAB", "RGB")
        return lab.apply(image)
    return image.convert("RGB") if image.mode == "CMYK" else image


def is_wide(profile: bytes | None) -> bool:
    """Whether a profile is one of red, green and blue that sRGB does not say as well."""
    if profile is None:
        return False
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False
    return opened.xcolor_space == "RGB " and "srgb" not in (opened.profile_description or "").lower()


@lru_cache(_HELD_TRANSFORMS)
def _transform(profile: bytes, mode: str, output: str) -> ImageCms.ImageCmsTransform | None:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if opened.profile.xcolor_space != _SPACES[mode]:
            return None
        if mode != "CMYK" and "srgb" in (opened.profile.profile_description or "").lower():
            return None
        return ImageCms.buildTransform(opened, _SRGB, mode, output, _INTENT, _FLAGS)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _numbers(image: Image.Image) -> arrays.Array:
    numbers: arrays.Array = np.asarray(image)
    if image.mode == "I":  # what Pillow makes of sixteen bits
        return np.clip(numbers, 0, 0xFFFF).astype(np.uint16)
    return numbers
