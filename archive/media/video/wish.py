"""What a film shall become: checked where it is wished, and again in the child. Knows no decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Container = Literal["mp4", "webm", "m4a"]
Codec = Literal["h264", "hevc", "vp9"]
# The blob in which the film is given.
BLOB = "film"
_CODECS: dict[Container, tuple[Codec, ...]] = {"mp4": ("h264", "hevc"), "webm": ("vp9",), "m4a": ()}
_MOST_CRF = {"h264": 51, "hevc": 51, "vp9": 63}
_LEAST_SIDE = 16


@dataclass(frozen=True, slots=True)
class FilmWish:
    """What a film shall become. Times are seconds of the original; what is left out stays as it is."""

    container: Container = "mp4"
    codec: Codec | None = None
    crf: int | None = None
    shorter: int | None = None
    begin: float = 0.0
    end: float | None = None
    sound: bool = True

    def __post_init__(self) -> None:
        if self.container not in get_args(Container):
            raise ValueError(f"no container {self.container!r}; there are {', '.join(_CODECS)}")
        possible = _CODECS[self.container]
        if self.codec is not None and self.codec not in possible:
            raise ValueError(f"no {self.codec} in {self.container}; choose {' or '.join(possible) or 'no codec'}")
        if self.crf is not None and possible and not 0 <= self.crf <= _MOST_CRF[self.picture]:
            raise ValueError(f"a quality of {self.crf}; {self.picture} has 0 (best) to {_MOST_CRF[self.picture]}")
        if self.shorter is not None and self.shorter < _LEAST_SIDE:
            raise ValueError(f"a shorter side of {self.shorter} pixels; it is at least {_LEAST_SIDE}")
        if not 0 <= self.begin < (float("inf") if self.end is None else self.end):
            raise ValueError("the end must come after the beginning, and the beginning not before the film's")
        if self.container == "m4a" and not self.sound:
            raise ValueError("an m4a is nothing but sound")

    @property
    def picture(self) -> Codec:
        """The codec of the picture, where there is one."""
        return self.codec or _CODECS[self.container][0]
