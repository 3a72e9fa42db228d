"""Pictures: one decoder a family, all of which give the same: an oriented sRGB picture. Runs in the child."""

from archive.media.pictures.decoding import Picture, picture, smaller
from archive.media.pictures.headers import header
from archive.media.pictures.picture import Header

__all__ = ["Header", "Picture", "header", "picture", "smaller"]
