"""What a conversion is asked for, and what came of it. Travels between parent and child as JSON; imports no decoder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

from archive.media.limits import MIB, Limits

Picture = Literal["jpeg", "png", "webp", "avif", "jxl", "heic", "tiff", "pdf"]
PICTURES: tuple[Picture, ...] = get_args(Picture)
MEDIA_TYPES: dict[str, str] = {
    **{name: f"image/{name}" for name in PICTURES}, "pdf": "application/pdf",
}  # fmt: skip
ENDINGS: dict[str, str] = {**{name: name for name in PICTURES}, "jpeg": "jpg", "tiff": "tif"}
# What a score can be searched for with.
SCORED = frozenset({"jxl", "avif", "webp", "jpeg"})
QUALITY = 85
MOST_SIDE = 65_500
MOST_PAGES = 500
_MOST_WORDS = 200
_LEAST_SCORE, _MOST_SCORE = 30.0, 95.0
LIMITS = Limits(pixels=100_000_000, memory=3072 * MIB, cpu_seconds=300, wall_seconds=900, output_bytes=1024 * MIB)
BLOB = "converted"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A format, and how the picture shall be in it. ``width`` and ``height`` are a box to fit into, never to fill."""

    to: Picture
    width: int | None = None
    height: int | None = None
    # 1 to 100, for formats that lose something; or the score of SSIMULACRA 2 to reach.
    quality: int | None = None
    score: float | None = None
    metadata: Literal["keep", "strip"] = "strip"
    colours: Literal["srgb", "keep"] = "srgb"
    watermark: str | None = None

    def __post_init__(self) -> None:
        if self.to not in PICTURES:
            raise ValueError(f"There is no conversion to {self.to!r}; there are {', '.join(PICTURES)}.")
        for name in ("width", "height"):
            _within(name, getattr(self, name), 1, MOST_SIDE)
        _within("quality", self.quality, 1, 100)
        _within("score", self.score, _LEAST_SCORE, _MOST_SCORE)
        if self.quality is not None and self.score is not None:
            raise ValueError("Give either a quality or a score to reach, not both.")
        if self.score is not None and self.to not in SCORED:
            raise ValueError(f"A score can be reached with {', '.join(sorted(SCORED))}; not with {self.to}.")
        if self.watermark is not None and not (0 < len(self.watermark) <= _MOST_WORDS and self.watermark.isprintable()):
            raise ValueError(f"A watermark is one line of 1 to {_MOST_WORDS} characters.")

    @property
    def media_type(self) -> str:
        """Give the media type of what comes out."""
        return MEDIA_TYPES[self.to]

    @property
    def ending(self) -> str:
        """Give what files of this format end in."""
        return ENDINGS[self.to]

    @property
    def key(self) -> str:
        """Give a short name that is the same for the same conversion, and for no other."""
        written = json.dumps([2, self.to_json()], sort_keys=True).encode()
        return hashlib.sha256(written).hexdigest()[:24]

    def to_json(self) -> dict[str, Any]:
        """Write it as arguments of a task."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the arguments of a task."""
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Converted:
    """What came out, beside its bytes."""

    width: int
    height: int
    pages: int
    # The score reached, where one was asked for.
    score: float | None
    # Metadata that the original has and this does not, although it was to be kept.
    lost: tuple[str, ...]
    # The original could not be read to its end.
    damaged: bool


def _within(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise ValueError(f"A {name} of {value:g} is none; it must lie between {least:g} and {most:g}.")
