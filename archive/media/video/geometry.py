"""How a picture is turned and stretched to be shown, and how large it may be."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

_ODDEST_ASPECT = 8  # a pixel this long is a mistake, or a trap: the picture would become huge


@dataclass(frozen=True, slots=True)
class Turn:
    """Mirrored from left to right if it is, and then turned clockwise, to be seen as it was meant."""

    degrees: int = 0
    mirrored: bool = False

    @property
    def swaps(self) -> bool:
        """Whether width becomes height."""
        return self.degrees in {90, 270}

    @property
    def filters(self) -> tuple[tuple[str, str | None], ...]:
        """Give FFmpeg's filters, with their arguments, that do it."""
        return _FILTERS[self.degrees, self.mirrored]


_FILTERS: dict[tuple[int, bool], tuple[tuple[str, str | None], ...]] = {
    (0, False): (),
    (90, False): (("transpose", "clock"),),
    (180, False): (("hflip", None), ("vflip", None)),
    (270, False): (("transpose", "cclock"),),
    (0, True): (("hflip", None),),
    (90, True): (("transpose", "clock_flip"),),
    (180, True): (("vflip", None),),
    (270, True): (("transpose", "cclock_flip"),),
}
# Where the matrix takes the right and the bottom: (x of right, y of right, x of bottom, y of bottom).
_TURNS = {
    (1, 0, 0, 1): Turn(0),
    (0, 1, -1, 0): Turn(90),
    (-1, 0, 0, -1): Turn(180),
    (0, -1, 1, 0): Turn(270),
    (-1, 0, 0, 1): Turn(0, mirrored=True),
    (0, -1, -1, 0): Turn(90, mirrored=True),
    (1, 0, 0, -1): Turn(180, mirrored=True),
    (0, 1, 1, 0): Turn(270, mirrored=True),
}


def turn_of(frame: VideoFrame) -> Turn:
    """Read a frame's display matrix, to the nearest quarter turn."""
    if Type.DISPLAYMATRIX not in list(_types(frame)):
        return Turn()
    matrix = bytes(frame.side_data[Type.DISPLAYMATRIX])  # type: ignore[typeddict-item]  # PyAV's stub knows motion vectors only
    a, b, _, c, d = struct.unpack("<5i", matrix[:20])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return _TURNS.get((_sign(a), 0, 0, _sign(d)), Turn())
    return _TURNS.get((0, _sign(b), _sign(c), 0), Turn())


def _types(frame: VideoFrame) -> list[Type]:
    return [data.type for data in frame.side_data.keys()]  # type: ignore[attr-defined]  # noqa: SIM118 - PyAV iterates over data


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def shown_size(width: int, height: int, aspect: Fraction | None, turn: Turn) -> tuple[int, int]:
    """Give a picture's size as it is shown: pixels made square by stretching, never by losing any, and turned."""
    if aspect and 1 / _ODDEST_ASPECT <= aspect <= _ODDEST_ASPECT:
        if aspect > 1:
            width = round(width * aspect)
        else:
            height = round(height / aspect)
    return (height, width) if turn.swaps else (width, height)


def fit_longer(width: int, height: int, most: int) -> tuple[int, int]:
    """Shrink a size until its longer side fits."""
    return _scaled(width, height, Fraction(most, max(width, height)))


def fit_shorter_even(width: int, height: int, most: int) -> tuple[int, int]:
    """Shrink a size until its shorter side fits and the longer is at most twice as long, and make both sides even."""
    scale = min(Fraction(most, min(width, height)), Fraction(2 * most, max(width, height)))
    width, height = _scaled(width, height, scale)
    return max(2, width & ~1), max(2, height & ~1)


def _scaled(width: int, height: int, scale: Fraction) -> tuple[int, int]:
    if scale >= 1:
        return width, height
    return max(1, round(width * scale)), max(1, round(height * scale))
