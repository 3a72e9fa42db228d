"""Perceptual hashes: the bits that ImageHash's ``phash`` gives, and those of all eight orientations from one DCT.

Pictures come as the grey squares ImageHash makes of them: 32 x 32 for 64 bits, 64 x 64 for 256. The first bit is the
highest.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]

SIDE, LARGE_SIDE = 32, 64
_FACTOR = 4  # a hash looks at the lowest quarter of the frequencies in each direction
ORIENTATIONS = 8
# As EXIF numbers them, from 1: what has to be done to the rows, the columns and the axes (in this order).
_MIRROR_X = (False, True, True, False, False, False, True, True)
_MIRROR_Y = (False, False, True, True, False, True, True, False)
_TRANSPOSE = (False, False, False, False, True, True, True, True)


def phash(square: Grey) -> int:
    """Give the 64 bits of a grey square of 32 x 32."""
    return _number(_bits(low_frequencies(square, SIDE)))


def phash_large(square: Grey) -> bytes:
    """Give the 256 bits of a grey square of 64 x 64, as ``phash`` with ``hash_size=16``."""
    return np.packbits(_bits(low_frequencies(square, LARGE_SIDE))).tobytes()


def phashes(square: Grey) -> tuple[int, ...]:
    """Give the hash of a picture in its eight orientations; the first is the picture as it is.

    Mirroring a picture negates the odd frequencies of that axis, turning it a quarter exchanges the axes. So these cost
    eight medians instead of eight pictures. They may differ in a bit or two from what the turned picture itself would
    give, for pixels are rounded while a picture is made smaller.
    """
    low = low_frequencies(square, SIDE)
    return tuple(_number(_bits(turned(low, orientation))) for orientation in range(ORIENTATIONS))


def phashes_large(square: Grey) -> tuple[bytes, ...]:
    """Give the larger hash in the eight orientations, likewise."""
    low = low_frequencies(square, LARGE_SIDE)
    return tuple(np.packbits(_bits(turned(low, one))).tobytes() for one in range(ORIENTATIONS))


def low_frequencies(square: Grey, side: int) -> Floats:
    """Give the lowest frequencies of a square: rows go down, columns across."""
    if square.shape != (side, side):
        message = f"a square of {square.shape} instead of {side} x {side}"
        raise ValueError(message)
    waves = cosines(side)[: side // _FACTOR]
    return np.asarray(waves @ square.astype(np.float64) @ waves.T)


def turned(low: Floats, orientation: int) -> Floats:
    """Give the frequencies of the picture in another orientation: mirrored first, then its axes exchanged."""
    signs = np.where(np.arange(len(low)) % 2, -1.0, 1.0)
    if _MIRROR_X[orientation]:
        low = low * signs
    if _MIRROR_Y[orientation]:
        low = low * signs[:, None]
    return low.T if _TRANSPOSE[orientation] else low


def orient(picture: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Bring rows of pixels into an orientation, as ``phashes`` numbers them."""
    if _MIRROR_X[orientation]:
        picture = picture[:, ::-1]
    if _MIRROR_Y[orientation]:
        picture = picture[::-1]
    return picture.T if _TRANSPOSE[orientation] else picture


def distance(one: int, other: int) -> int:
    """Count the bits in which two hashes differ."""
    return (one ^ other).bit_count()


def distance_large(one: bytes, other: bytes) -> int:
    """Count the bits in which two larger hashes differ."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@cache
def cosines(side: int) -> Floats:
    """Give the matrix of the type-II DCT, scaled as SciPy's is without a norm."""
    frequency, place = np.mgrid[0:side, 0:side]
    waves: Floats = 2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * side))
    waves.setflags(write=False)
    return waves


def _bits(low: Floats) -> Bits:
    return np.asarray(low > np.median(low))


def _number(bits: Bits) -> int:
    return int.from_bytes(np.packbits(bits).tobytes())
