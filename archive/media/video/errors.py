"""Why a film could not be used. All else that this package raises is a bug of ours, or the file object's own error."""

from __future__ import annotations


class VideoError(Exception):
    """The content is the reason, and the message says which."""


class Unsupported(VideoError):
    """Nothing here decodes it, or it is no film."""


class Corrupt(VideoError):
    """It is of a kind that is decoded here, and it is broken."""


class TooMuch(VideoError):
    """It may be sound, and wants more than it is given."""
