"""What decoders give: a header before anything is decoded, and a picture after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PIL import Image, UnidentifiedImageError

from archive.media.limits import Limits
from archive.media.verdict import Corrupt, LimitExceeded, Refused, Unsupported

# What a size may be refused for, and what all the memory for one picture may be taken for.
_MOST_SHARE = 0.9
TURNED = frozenset({5, 6, 7, 8})


class Memory(Protocol):
    """The limit of memory that this process lives under."""

    def widen(self) -> None:
        """Allow more."""

    def exceeded(self) -> bool:
        """Whether more than the limit was ever used."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its picture; sizes are as stored, before the orientation turns them."""

    width: int
    height: int
    orientation: int = 1
    frames: int = 1
    # Bits a channel.
    depth: int = 8

    def displayed(self) -> tuple[int, int]:
        """Give width and height as they are seen."""
        return (self.height, self.width) if self.orientation in TURNED else (self.width, self.height)


@dataclass(slots=True)
class Decoded:
    """A picture as it comes from its decoder: not oriented, and in whatever colours it has."""

    image: Image.Image
    header: Header
    profile: bytes | None = None
    # Shown as far as it can be read.
    damaged: bool = False


def allow(header: Header, limits: Limits, bytes_a_pixel: float, most_pixels: int | None = None) -> None:
    """Refuse a picture by its header, before anything is decoded."""
    width, height = header.width, header.height
    if width < 1 or height < 1:
        message = f"a picture of {width} x {height} pixels"
        raise Corrupt(message)
    most = min(limits.pixels, most_pixels or limits.pixels)
    if width * height > most or max(width, height) > limits.side:
        message = f"{width} x {height} pixels; at most {most} are decoded"
        raise LimitExceeded(message)
    if width * height * bytes_a_pixel > limits.memory * _MOST_SHARE:
        message = f"decoding {width} x {height} pixels needs more memory than it may have"
        raise LimitExceeded(message)
    if header.frames > limits.frames:
        message = f"{header.frames} frames; at most {limits.frames} are looked at"
        raise LimitExceeded(message)


def refusal(failed: Exception, name: str) -> Refused:
    """Say what a decoder's failure means, as far as its words tell."""
    if isinstance(failed, Refused):
        return failed
    if isinstance(failed, UnidentifiedImageError):  # whose words are of objects in memory
        return Corrupt(f"{name}: its header cannot be read")
    return (Unsupported if unknown(failed) else Corrupt)(f"{name}: {failed}")


def unknown(failed: Exception) -> bool:
    """Whether a decoder says that it does not know such a file, or will not, rather than that it is broken."""
    if isinstance(failed, (NotImplementedError, UnidentifiedImageError)):
        return True
    return "support" in str(failed).lower() or "MAX_TEXT" in str(failed)
