"""Opening films: what is let in of them, and how FFmpeg's errors become ours."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn

import av
import av.error
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from archive.media.video.admitted import AUDIO_DECODERS, FORMATS, VIDEO_DECODERS
from archive.media.video.errors import Corrupt, TooMuch, Unsupported, VideoError
from archive.media.video.reader import Reader, SeekableFile

MAX_PIXELS = 8192 * 5120  # 8K, and the squarer 8K of cameras that look all around
MAX_STREAMS = 64
# One block of a file that lies encrypted elsewhere costs a round trip; a film is read on and on, or in few places.
_BUFFER_BYTES = 256 * 1024
# More channels than these without a word which is which are no film's.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_OPTIONS = {
    "format_whitelist": ",".join(FORMATS),
    "codec_whitelist": ",".join(sorted(VIDEO_DECODERS | AUDIO_DECODERS)),
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "max_streams": str(MAX_STREAMS),
    "max_pixels": str(MAX_PIXELS),
    "threads": "1",
}

av.logging.set_libav_level(av.logging.PANIC)  # what FFmpeg says of a hostile file is the file's own words


@dataclass(frozen=True, slots=True)
class Film:
    """An open film, its picture and its sound. Other streams are not read."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    reader: Reader

    @property
    def start(self) -> Fraction:
        """When the film begins, by its own clock, in seconds."""
        return Fraction(self.container.start_time or 0, av.time_base)

    def seek(self, seconds: float) -> bool:
        """Go to the last keyframe before a moment of the film; where that is impossible, stay."""
        offset = (Fraction(seconds) + self.start) / (self.video.time_base or Fraction(1, 1000))
        try:
            self.container.seek(int(offset), stream=self.video)
        except av.error.FFmpegError:
            return False
        return True

    def packets(self, *streams: VideoStream | AudioStream) -> Iterator[Packet[Any]]:
        """Read on from here. A broken place is passed over as long as FFmpeg finds the next packet."""
        stumbles = 0
        while stumbles < 100:  # noqa: PLR2004
            try:
                for packet in self.container.demux(*streams):
                    stumbles = 0
                    yield packet
            except av.error.InvalidDataError:
                stumbles += 1
                continue
            return

    def frames(self, most: int) -> Iterator[VideoFrame]:
        """Decode on from here, out of a number of packets at most. What cannot be decoded is passed over."""
        for number, packet in enumerate(self.packets(self.video)):
            if number >= most:
                return
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                continue

    def time(self, frame: VideoFrame) -> float | None:
        """Tell when a frame is shown, in seconds from the film's beginning."""
        if frame.pts is None or frame.time_base is None:
            return None
        return float(frame.pts * frame.time_base - self.start)


@contextmanager
def open_film(file: SeekableFile, threads: int = 1, *, sound: bool = False) -> Iterator[Film]:
    """Open a film. Errors of FFmpeg, in the body too, come out as ours; those of the file as they are."""
    reader = Reader(file)
    try:
        file.seek(0)
        with _open(reader) as container:
            film = _choose(container, reader, threads, sound=sound)
            yield film
    except av.error.FFmpegError as error:
        if reader.failure is None:
            _translate(error)
    except builtins.MemoryError as error:
        raise TooMuch("there is not enough memory for this film") from error
    except VideoError:
        if reader.failure is None:
            raise
    if reader.failure is not None:
        raise reader.failure


def _open(reader: Reader) -> InputContainer:
    try:
        return av.open(
            reader, "r", options=_OPTIONS, metadata_errors="replace", buffer_size=_BUFFER_BYTES, io_open=_refuse
        )
    except av.error.ArgumentError as error:
        # A demuxer that is not on the list, or a header it cannot make sense of.
        raise Unsupported("this is no film of a known format") from error


def _refuse(url: str, _flags: int, _options: dict[str, str]) -> NoReturn:  # noqa: ARG001
    raise Unsupported("the film refers to other files")


def _translate(error: av.error.FFmpegError) -> NoReturn:
    if isinstance(error, builtins.MemoryError):
        raise TooMuch("the film has too many streams, or needs more memory than allowed") from error
    if isinstance(error, av.error.LookupError | av.error.PatchWelcomeError | av.error.ExperimentalError):
        raise Unsupported(f"nothing here decodes this film: {error.strerror}") from error
    raise Corrupt(f"the film is broken: {error.strerror}") from error


def _choose(container: InputContainer, reader: Reader, threads: int, *, sound: bool) -> Film:
    """Find the picture and the sound, and tell FFmpeg to leave the rest alone."""
    video = _picture(container)
    heard = [s for s in container.streams.audio if _decodable(s, AUDIO_DECODERS)]
    # FFmpeg puts the default first where the file says one; a phone's second track is for its own player.
    audio = next((s for s in heard if s.disposition & Disposition.default), heard[0] if heard else None)
    for stream in container.streams:
        wanted = stream is video or (sound and stream is audio)
        stream.discard = Discard.default if wanted else Discard.all
    for context in (video.codec_context, audio.codec_context if audio else None):
        if context is not None:
            context.options = {**context.options, "max_pixels": str(MAX_PIXELS)}
            context.thread_count = threads
    if audio is not None and sound:
        _name_channels(audio)
    return Film(container, video, audio, reader)


def _picture(container: InputContainer) -> VideoStream:
    still = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    moving = [stream for stream in container.streams.video if not stream.disposition & still]
    if not moving:
        raise Unsupported("the film has no picture")
    known = [stream for stream in moving if _decodable(stream, VIDEO_DECODERS)]
    if not known:
        raise Unsupported("nothing here decodes the film's picture")
    video = next((stream for stream in known if stream.codec_context.width > 0), known[0])
    if video.codec_context.width * video.codec_context.height > MAX_PIXELS:
        raise TooMuch(f"the film's picture has {video.codec_context.width} by {video.codec_context.height} pixels")
    return video


def _name_channels(audio: AudioStream) -> None:
    """Say which channel is which where the file does not: else they could not be mixed down."""
    if audio.layout.name.endswith("channels") and audio.channels in _LAYOUTS:
        audio.codec_context.layout = _LAYOUTS[audio.channels]


def _decodable(stream: VideoStream | AudioStream, decoders: frozenset[str]) -> bool:
    context: Any = stream.codec_context  # None where FFmpeg has no decoder, whatever its types say
    return context is not None and context.codec.name in decoders
