"""What Chrome, Firefox and Safari all play as it is, what needs another container only, and what must be encoded.

The table is explained in docs/video.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Plays = Literal["original", "remux", "encode"]

_H264_PROFILES = {"Constrained Baseline", "Baseline", "Main", "High", "Progressive High", "Constrained High"}
_AAC_PROFILES = {"LC", "HE-AAC", "HE-AACv2", None}
_MOST_LEVEL = 52
_EIGHT_BIT_420 = {"yuv420p", "yuvj420p"}


@dataclass(frozen=True, slots=True)
class Content:
    """What decides."""

    format: str
    video: str
    profile: str | None
    level: int
    pixels: str | None
    hdr: bool
    interlaced: bool
    mirrored: bool
    audio: str | None
    audio_profile: str | None


def plays(content: Content) -> Plays:
    """Decide by the table."""
    if not _picture_plays(content):
        return "encode"
    if content.video == "h264":
        return "original" if content.format == "mp4" and _sound_plays_in_mp4(content) else "remux"
    # The other codecs are at home in WebM; an MP4 made of them would not play everywhere.
    sound = content.audio in {None, "opus", "vorbis"}
    return "original" if content.format == "webm" and sound else "encode"


def _picture_plays(content: Content) -> bool:
    # Browsers do not deinterlace, and Firefox turns pictures but does not mirror them.
    if content.hdr or content.interlaced or content.mirrored or content.pixels not in _EIGHT_BIT_420:
        return False
    if content.video == "h264":
        return content.profile in _H264_PROFILES and content.level <= _MOST_LEVEL
    if content.video == "vp9":
        return content.profile in {"Profile 0", None}
    if content.video == "av1":
        return content.profile in {"Main", None}
    return content.video == "vp8"


def _sound_plays_in_mp4(content: Content) -> bool:
    return content.audio in {None, "mp3"} or copies_sound(content.audio, content.audio_profile)


def copies_sound(codec: str | None, profile: str | None) -> bool:
    """Whether sound may be copied into an MP4: AAC as browsers know it."""
    return codec == "aac" and profile in _AAC_PROFILES
