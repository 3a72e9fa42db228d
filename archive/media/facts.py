"""What is known of a file: the record that travels from the child to its parent, and as JSON into the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from archive.media.records import decode, encode

_LARGEST = (1 << 31) - 1  # what PostgreSQL's integer holds
_MOST_OFFSET = 14 * 60
# The blob in which facts are given while the picture is still being rendered.
DESCRIPTION = "description"

Kind: TypeAlias = Literal["photo", "video", "sidecar", "other"]
Source: TypeAlias = Literal["exif", "xmp", "iptc", "video", "name"]


@dataclass(frozen=True, slots=True)
class Probe:
    """What the decoders know of a file before its metadata is read."""

    format: str
    media_type: str
    kind: Kind
    width: int | None = None
    height: int | None = None
    frames: int = 1
    duration_ms: int | None = None
    # Whether width and height are as displayed already: decoders of HEIF, JPEG XL and video turn by the container's
    # own word, and its EXIF orientation must then not turn again.
    oriented: bool = False
    # A video's own tags, as its probe found them.
    tags: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """When it was taken: the wall clock at that place, and where its zone is known the minutes east of UTC."""

    local: datetime
    source: Source
    offset: int | None = None
    # The digits as written: 5, 50 and 500 are the same moment and different cameras.
    subsecond: str | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the camera was set."""

    aperture: float | None = None
    time: str | None = None
    seconds: float | None = None
    iso: int | None = None
    focal_mm: float | None = None
    focal_35mm: float | None = None
    flash: bool | None = None
    bias: float | None = None
    program: str | None = None
    metering: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where it was taken; WGS 84, degrees and metres."""

    latitude: float
    longitude: float
    altitude: float | None = None
    direction: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A named face and where it is, as displayed: its left upper corner and size as parts of the picture's."""

    name: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Motion:
    """A film inside the file."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a file says of itself."""

    format: str
    media_type: str
    kind: Kind
    width: int | None = None
    height: int | None = None
    frames: int = 1
    duration_ms: int | None = None
    orientation: int = 1
    taken: Taken | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    camera: str | None = None
    camera_serial: str | None = None
    lens: str | None = None
    software: str | None = None
    exposure: Exposure | None = None
    position: Position | None = None
    rating: int | None = None
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    creator: str | None = None
    copyright: str | None = None
    people: tuple[Person, ...] = ()
    image_number: str | None = None
    live_id: str | None = None
    shot_key: str | None = None
    motion: Motion | None = None
    raw: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give them as JSON."""
        return encode(self)

    @classmethod
    def from_json(cls, data: object) -> Facts:
        """Read them from JSON; ValueError where it says anything else."""
        facts = decode(cls, data)
        if not facts.sane:
            raise ValueError("facts that cannot be")
        return facts

    @property
    def sane(self) -> bool:
        """Whether every number is one that there can be."""
        sizes = (self.width, self.height, self.frames, self.duration_ms)
        position, offset = self.position, self.taken.offset if self.taken else None
        return (
            all(size is None or 0 <= size <= _LARGEST for size in sizes)
            and 1 <= self.orientation <= 8  # noqa: PLR2004  # as EXIF numbers them
            and (self.rating is None or -1 <= self.rating <= 5)  # noqa: PLR2004  # stars
            and (offset is None or abs(offset) <= _MOST_OFFSET)
            and (position is None or (abs(position.latitude) <= 90 and abs(position.longitude) <= 180))  # noqa: PLR2004  # degrees
            and (self.motion is None or min(self.motion.offset, self.motion.length) > 0)
        )
