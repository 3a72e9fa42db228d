"""A part of a film, and its two tracks as a conversion writes them: its clock begins where the part does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame

from archive.media.video.develop import TIME_BASE, Developer, Wanted
from archive.media.video.film import Film
from archive.media.video.resound import Resampler
from archive.media.video.tracks import SOUND_RATE, Encoded, Heard

_MOST_FPS = 60
_SOUND_BITRATE = 160_000
_SECONDS_A_KEYFRAME = 4
_ENCODERS = {"h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9"}
_OPTIONS: dict[str, dict[str, str]] = {
    "h264": {"preset": "veryfast", "profile": "high", "x264-params": "open-gop=0", "forced-idr": "1"},
    "hevc": {"preset": "fast", "x265-params": "log-level=none:pools=none:frame-threads=1:open-gop=0"},
    "vp9": {"deadline": "good", "cpu-used": "5", "row-mt": "0", "b": "0"},
}
# A frame that begins this much before the part is still its first.
_EARLY = 0.001


@dataclass(frozen=True, slots=True)
class Part(Film):
    """A film from a moment on."""

    begin: float = 0.0

    @property
    def start(self) -> Fraction:
        """When the part begins, by the film's own clock, in seconds."""
        return Fraction(self.container.start_time or 0, av.time_base) + Fraction(self.begin)


class ConvertedPicture(Encoded):
    """The picture of a part, in one of the codecs."""

    def __init__(
        self, film: Film, target: OutputContainer, wanted: Wanted, fps: float, how: tuple[str, int], seconds: float
    ) -> None:
        self._film, self._developer, self._end = film, Developer(wanted), seconds
        self._stream = _add(target, wanted, fps, how)
        self._last: int | None = None
        self._key = 0
        self.skipped = self.made = 0

    def _tick(self, frame: VideoFrame) -> int | None:
        time = self._film.time(frame)
        if time is not None and not -_EARLY <= time < self._end:
            return None
        return super()._tick(frame)


class ConvertedSound(Heard):
    """The sound of a part, in stereo."""

    def __init__(self, film: Film, target: OutputContainer, codec: str, seconds: float) -> None:
        self._film, self._end = film, seconds
        stream: Any = target.add_stream(codec, rate=SOUND_RATE)
        stream.bit_rate, stream.layout = _SOUND_BITRATE, "stereo"
        self._stream: AudioStream = stream
        self._resampler = Resampler(SOUND_RATE)
        self.skipped = self.made = 0

    def _hear(self, frame: AudioFrame) -> Iterator[Packet[Any]]:
        if self._time(frame) < 0:
            return
        yield from super()._hear(frame)


def _add(target: OutputContainer, wanted: Wanted, fps: float, how: tuple[str, int]) -> Any:  # noqa: ANN401 - PyAV's overloads
    codec, crf = how
    rate = Fraction(min(fps, _MOST_FPS)).limit_denominator(1001)
    options = {**_OPTIONS[codec], "crf": str(crf), "g": str(round(_SECONDS_A_KEYFRAME * rate) + 1), "threads": "1"}
    stream: Any = target.add_stream(
        _ENCODERS[codec], rate=rate, options=options, width=wanted.width, height=wanted.height
    )
    context = stream.codec_context
    context.pix_fmt, context.time_base, context.thread_count = "yuv420p", TIME_BASE, 1
    context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1  # BT.709, limited
    if codec == "hevc":
        context.codec_tag = "hvc1"  # by which Apple's players know it
    return stream
