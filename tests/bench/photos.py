"""The photos that are measured with: those of a folder, or landscapes that nobody saw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from tests.support.scenery import landscape

_GENERATED = 24
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def photos(folder: Path | None) -> list[Image.Image]:
    """Give photos, upright."""
    if folder is None:
        return [landscape(seed) for seed in range(_GENERATED)]
    return [image for _, image in named(folder)]


def named(folder: Path) -> Iterator[tuple[Path, Image.Image]]:
    """Give the photos of a folder with their paths; what is none is passed over."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES:
            try:
                with Image.open(path) as image:
                    yield path, ImageOps.exif_transpose(image).convert("RGB")
            except (OSError, UnidentifiedImageError):
                continue
