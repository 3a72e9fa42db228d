"""What a lossy copy has to reach, and what came of it. Travels between parent and child as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

from archive.media.limits import MIB, Limits

Codec = Literal["jxl", "avif", "webp", "jpeg"]
CODECS: tuple[Codec, ...] = get_args(Codec)
LEAST_SCORE, MOST_SCORE = 30.0, 95.0
# What the copy is called on its way out of the sandbox.
BLOB = "squeezed"
# A copy that saves less than this is not worth what it lost.
WORTHWHILE = 0.85
LIMITS = Limits(pixels=100_000_000, memory=3072 * MIB, cpu_seconds=300, wall_seconds=900, output_bytes=256 * MIB)


@dataclass(frozen=True, slots=True)
class Target:
    """A codec, the score of SSIMULACRA 2 to reach with it, and the most pixels and bytes to spend.

    ``against`` is how many bytes the file takes as it is kept now: a copy that is not 15 % smaller is refused.
    """

    codec: Codec = "jxl"
    score: float = 90.0
    cap_pixels: int | None = None
    against: int | None = None

    def __post_init__(self) -> None:
        if self.codec not in CODECS:
            raise ValueError(f"no codec {self.codec!r}; there are {', '.join(CODECS)}")
        if not LEAST_SCORE <= self.score <= MOST_SCORE:
            raise ValueError(f"a score of {self.score:g}; it must lie between {LEAST_SCORE:g} and {MOST_SCORE:g}")
        if self.cap_pixels is not None and self.cap_pixels < 1:
            raise ValueError("a cap on pixels below one")

    def to_json(self) -> dict[str, Any]:
        """Write it as arguments of a task."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the arguments of a task."""
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Squeezed:
    """A lossy copy: its bytes, how they were made, and what they were measured to be worth."""

    content: bytes
    media_type: str
    codec: Codec
    # Distance of JPEG XL, quality of the others.
    setting: float
    score: float
    width: int
    height: int
    # Of the original's metadata, what the copy carries: "exif", "xmp", "iptc", "profile".
    kept: tuple[str, ...]
