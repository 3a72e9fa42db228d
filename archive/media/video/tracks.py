"""The two tracks of the film that is written: each takes packets of the original and gives packets to write."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol, cast

import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import PictureType, VideoFrame

from archive.media.video.develop import TIME_BASE, Developer, Wanted
from archive.media.video.film import Film
from archive.media.video.resound import Resampler

_MOST_FPS = 60
_SHORTEST = int(TIME_BASE.denominator / (_MOST_FPS * 1.035))  # cameras are not exact
_KEYFRAME = 2 * TIME_BASE.denominator
_FULL_HD, _FULL_HD_BITRATE = 1920 * 1080, 12_000_000
_SOUND_BITRATE, SOUND_RATE = 160_000, 48_000
_GRACE = 10  # seconds after the end: what claims to be later is broken, and would make the film endless


class Track(Protocol):
    """What is written of one stream."""

    skipped: int
    made: int

    def take(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """Take a packet of the original; give what is ready to be written."""
        ...

    def finish(self) -> Iterator[Packet[Any]]:
        """Give what is left."""
        ...


class Copied:
    """A stream that is taken over as it is, but for its clock, which begins with the film's."""

    def __init__(self, film: Film, source: Stream, target: OutputContainer) -> None:
        self._stream = target.add_stream_from_template(source, opaque=True)
        self._shift = int(film.start / (source.time_base or TIME_BASE))
        self._waits = source.type == "video"
        self._last: int | None = None
        self.skipped = self.made = 0

    def take(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """Pass a packet on. Before the first keyframe nothing can be shown."""
        if packet.dts is None or packet.is_corrupt or (self._waits and not packet.is_keyframe):
            self.skipped += packet.size > 0
            return
        self._waits = False
        dts = packet.dts - self._shift
        pts = dts if packet.pts is None else packet.pts - self._shift
        if self._last is None and pts > 0:
            dts, pts = min(dts, 0), 0  # the first picture is shown from the beginning on, though it be later
        elif self._last is not None and dts <= self._last:
            dts = self._last + 1  # a container must not go back in time
        packet.dts, packet.pts, self._last = dts, max(pts, dts), dts
        packet.stream = self._stream
        self.made += 1
        yield packet

    def finish(self) -> Iterator[Packet[Any]]:
        """Give nothing: nothing is kept."""
        yield from ()


class Encoded:
    """The picture, as H.264 that every browser plays."""

    def __init__(self, film: Film, target: OutputContainer, wanted: Wanted, fps: float, crf: int, last: float) -> None:
        self._film, self._developer, self._end = film, Developer(wanted), last + _GRACE
        self._stream = _add_h264(target, wanted, fps, crf)
        self._last: int | None = None
        self._key = 0
        self.skipped = self.made = 0

    def take(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """Decode, develop, encode. A packet that cannot be decoded is counted and passed over."""
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            self.skipped += 1
            return
        for frame in frames:
            tick = self._tick(frame)
            if tick is not None:
                frame.pts, frame.time_base = tick, TIME_BASE
                for developed in self._developer.develop(frame):
                    yield from self._encode(developed)

    def finish(self) -> Iterator[Packet[Any]]:
        """Encode what is left."""
        for developed in self._developer.finish():
            yield from self._encode(developed)
        if self.made:
            yield from self._stream.encode(None)

    def _tick(self, frame: VideoFrame) -> int | None:
        """Tell when a frame is to be shown, if it is. The first is shown from the beginning on, though it be later."""
        time = self._film.time(frame)
        if self._last is None:
            self._last = 0
            return 0
        if time is None:
            time = float((self._last + 2 * _SHORTEST) * TIME_BASE)
        tick = round(time / TIME_BASE)
        if tick - self._last < _SHORTEST or time > self._end:
            return None
        self._last = tick
        return tick

    def _encode(self, frame: VideoFrame) -> Iterator[Packet[Any]]:
        tick = frame.pts or 0
        frame.pict_type = PictureType.NONE
        if tick >= self._key:
            frame.pict_type, self._key = PictureType.I, (tick // _KEYFRAME + 1) * _KEYFRAME
        self.made += 1
        yield from self._stream.encode(frame)


class Heard:
    """The sound, as AAC in stereo, with silence where the original has nothing, so that it stays with the picture."""

    def __init__(self, film: Film, target: OutputContainer, last: float) -> None:
        self._film, self._end = film, last + _GRACE
        self._stream: AudioStream = target.add_stream("aac", rate=SOUND_RATE, bit_rate=_SOUND_BITRATE, layout="stereo")
        self._resampler = Resampler(SOUND_RATE)
        self.skipped = self.made = 0

    def take(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """Decode, resample, encode."""
        try:
            for frame in cast("list[AudioFrame]", packet.decode()):
                time = self._time(frame)
                if time <= self._end:
                    for resampled in self._resampler.resample(frame, time):
                        self.made += 1
                        yield from self._stream.encode(resampled)
        except (av.error.InvalidDataError, av.error.ArgumentError, ValueError):
            self.skipped += 1

    def finish(self) -> Iterator[Packet[Any]]:
        """Encode what is left."""
        for resampled in self._resampler.finish():
            yield from self._stream.encode(resampled)
        if self.made:
            yield from self._stream.encode(None)

    def _time(self, frame: AudioFrame) -> Fraction:
        if frame.pts is None or frame.time_base is None:
            return self._resampler.end
        return frame.pts * frame.time_base - self._film.start


def _add_h264(target: OutputContainer, wanted: Wanted, fps: float, crf: int) -> Any:  # noqa: ANN401 - PyAV's overloads
    rate = Fraction(min(fps, _MOST_FPS)).limit_denominator(1001)
    most = max(500_000, _FULL_HD_BITRATE * wanted.width * wanted.height // _FULL_HD)
    options = {
        "preset": "veryfast",
        "crf": str(crf),
        "profile": "high",
        "g": str(round(4 * rate) + 1),  # keyframes are asked for by time; this is for when nobody asks
        "forced-idr": "1",
        "x264-params": "open-gop=0",
        # Noise would fill any line: past this it is shown a little coarser.
        "maxrate": str(most),
        "bufsize": str(2 * most),
        "threads": str(wanted.threads),
    }
    stream = target.add_stream("libx264", rate=rate, options=options, width=wanted.width, height=wanted.height)
    context = stream.codec_context
    context.pix_fmt, context.time_base, context.thread_count = "yuv420p", TIME_BASE, wanted.threads
    context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1  # BT.709, limited
    return stream
