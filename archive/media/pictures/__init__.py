"""Pictures: one decoder a family, all of which give the same: an oriented sRGB picture. Runs in the child."""

from archive.media.pictures.decoding import Original, Picture, own_colours, picture, smaller, srgb, within
from archive.media.pictures.headers import header, known_header
from archive.media.pictures.picture import Header, Memory
from archive.media.pictures.scaling import scaled

__all__ = [
    "Header",
    "Memory",
    "Original",
    "Picture",
    "header",
    "known_header",
    "own_colours",
    "picture",
    "scaled",
    "smaller",
    "srgb",
    "within",
]
