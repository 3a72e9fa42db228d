"""What a film is: its size as shown, its length, its codecs, its words, and whether browsers play it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.audio.stream import AudioStream
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from archive.media.video.browsers import Content, Plays, plays
from archive.media.video.errors import Corrupt, TooMuch
from archive.media.video.film import MAX_PIXELS, Film, open_film
from archive.media.video.geometry import Turn, shown_size, turn_of
from archive.media.video.length import length_ms
from archive.media.video.reader import SeekableFile
from archive.media.video.tone import Hdr, hdr_of

_NAMES = {"matroska": "mkv", "mpegts": "mts", "asf": "wmv", "ogg": "ogv"}
_MOST_TAGS, _MOST_KEY, _MOST_VALUE = 100, 100, 1000
_FASTEST = 1000
_HEADER_BYTES = 256 << 20  # the index of the longest films has tens of MiB
_FIRST_FRAME_PACKETS = 200
_PROGRESSIVE = {0, 1}


@dataclass(frozen=True, slots=True)
class VideoProbe:
    """What is known of a film. ``rotation`` is clockwise, already applied to the size, and comes after mirroring."""

    format: str
    width: int
    height: int
    rotation: int
    mirrored: bool
    duration_ms: int | None
    fps: float | None
    video_codec: str
    video_profile: str | None
    pixel_format: str | None
    bit_depth: int
    interlaced: bool
    hdr: Hdr | None
    audio_codec: str | None
    audio_channels: int | None
    tags: dict[str, str]
    plays: Plays

    @property
    def has_audio(self) -> bool:
        """Whether it has sound that is decoded here."""
        return self.audio_codec is not None

    @property
    def plays_in_browser(self) -> bool:
        """Whether browsers play the original."""
        return self.plays == "original"

    @property
    def turn(self) -> Turn:
        """Give what makes a decoded frame look as it was meant."""
        return Turn(self.rotation, self.mirrored)


def probe(file: SeekableFile) -> VideoProbe:
    """Find out what a film is, from its header, its first frame and its last packets."""
    with open_film(file) as film:
        film.reader.allow(_HEADER_BYTES)
        first = next(film.frames(_FIRST_FRAME_PACKETS), None)
        return _describe(film, first)


def _describe(film: Film, first: VideoFrame | None) -> VideoProbe:
    context, form = film.video.codec_context, _format(film)
    # The first frame knows best; where none can be decoded, the header is believed and the poster will say the rest.
    coded = (first.width, first.height) if first else (context.width, context.height)
    if min(coded) <= 0:
        raise Corrupt("the film's picture has no size, and no frame of it could be decoded")
    turn = turn_of(first) if first else Turn()
    width, height = shown_size(*coded, _aspect(film), turn)
    if width * height > MAX_PIXELS:
        raise TooMuch(f"the film's picture would have {width} by {height} pixels")
    pixels = first.format.name if first else context.pix_fmt
    hdr = hdr_of(first.color_trc if first else context.color_trc)
    interlaced = context.field_order not in _PROGRESSIVE or (first is not None and first.interlaced_frame)
    audio, codec = film.audio, context.codec.canonical_name
    return VideoProbe(
        format=form,
        width=width,
        height=height,
        rotation=turn.degrees,
        mirrored=turn.mirrored,
        duration_ms=length_ms(film),
        fps=_fps(film),
        video_codec=codec,
        video_profile=context.profile,
        pixel_format=pixels,
        bit_depth=_bit_depth(pixels),
        interlaced=interlaced,
        hdr=hdr,
        audio_codec=audio.codec_context.codec.canonical_name if audio else None,
        audio_channels=audio.channels if audio else None,
        tags=_tags(film),
        plays=plays(
            Content(
                format=form,
                video=codec,
                profile=context.profile,
                level=context.level,
                pixels=pixels,
                hdr=hdr is not None,
                interlaced=interlaced,
                mirrored=turn.mirrored,
                audio=audio.codec_context.codec.canonical_name if audio else None,
                audio_profile=_profile(audio),
            )
        ),
    )


def _profile(audio: AudioStream | None) -> str | None:
    return audio.codec_context.profile if audio else None


def _format(film: Film) -> str:
    """Name the container. FFmpeg reads families of them: their members are told apart by brand and by codec."""
    names = film.container.format.name.split(",")
    if "mov" in names:
        brand = film.container.metadata.get("major_brand", "qt").strip().lower()
        if brand.startswith(("3gp", "3g2")):
            return "3gp"
        return "mov" if brand.startswith("qt") else "mp4"
    if "matroska" in names:
        return "webm" if _says_webm(film) else "mkv"
    return _NAMES.get(names[0], names[0])


def _says_webm(film: Film) -> bool:
    """Read what FFmpeg does not tell: which of the two names the file's first element says."""
    at = film.reader.tell()
    film.reader.seek(0)
    head = film.reader.read(64)
    film.reader.seek(at)  # FFmpeg believes that the file stands where it left it
    return b"webm" in head


def _aspect(film: Film) -> Fraction | None:
    return film.video.sample_aspect_ratio or film.video.codec_context.sample_aspect_ratio


def _fps(film: Film) -> float | None:
    rate = film.video.average_rate or film.video.guessed_rate
    return round(float(rate), 3) if rate and 0 < rate <= _FASTEST else None


def _bit_depth(pixels: str | None) -> int:
    try:
        return max(component.bits for component in VideoFormat(pixels).components) if pixels else 8
    except ValueError:
        return 8


def _tags(film: Film) -> dict[str, str]:
    """Merge what the file and its streams say of themselves; the file's own word goes first."""
    merged: dict[str, str] = {}
    streams: tuple[Any, ...] = (film.container, film.video, film.audio)
    for source in streams:
        for key, value in (source.metadata if source else {}).items():
            if len(merged) < _MOST_TAGS and len(key) <= _MOST_KEY:
                merged.setdefault(key, value.replace("\0", "")[:_MOST_VALUE])
    return merged
