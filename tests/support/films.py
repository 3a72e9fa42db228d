"""Small films, made while testing: four coloured quarters, a bar that moves, and a tone."""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 230)
QUARTERS = (RED, GREEN, BLUE, WHITE)  # upper left, upper right, lower left, lower right
TICKS = 90_000
Pixels = NDArray[np.uint8]
Times = NDArray[np.float64]


def quarters(width: int, height: int, moment: float) -> Pixels:
    """The four quarters, and a grey bar in the middle that says the time: a tenth of the width is a second."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2], picture[: height // 2, width // 2 :] = RED, GREEN
    picture[height // 2 :, : width // 2], picture[height // 2 :, width // 2 :] = BLUE, WHITE
    middle, long = height // 2, int(width * (moment % 10) / 10)
    picture[middle - height // 20 : middle + height // 20, :long] = 128
    return picture


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a film is made."""

    format: str = "mp4"
    video: str | None = "libx264"
    audio: str | None = "aac"
    width: int = 320
    height: int = 240
    seconds: float = 2.0
    fps: int = 25
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast"})
    muxer: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    matrix: Sequence[int] | None = None
    aspect: Fraction | None = None
    transfer: int | None = None
    rate: int = 48_000
    layout: str = "stereo"
    audio_from: float = 0.0
    video_from: float = 0.0
    audio_seconds: float | None = None
    times: Sequence[float] | None = None
    picture: Callable[[int, int, float], Pixels] = quarters
    tone: Callable[[Times], Times] = lambda t: 0.3 * np.sin(2 * np.pi * 440 * t)


def film(recipe: Recipe | None = None, **changes: Any) -> bytes:
    """Make a film."""
    made = recipe or Recipe(**changes)
    if "faststart" not in made.muxer.get("movflags", ""):
        out = io.BytesIO()
        _write(out, made)
        return out.getvalue()
    with tempfile.NamedTemporaryFile() as file:  # FFmpeg opens it a second time, to move what it has written
        _write(file.name, made)
        return file.read()


def _write(out: object, made: Recipe) -> None:
    with av.open(out, "w", format=made.format, container_options=made.muxer) as target:
        target.metadata.update(made.metadata)
        video = _video(target, made) if made.video else None
        audio = _audio(target, made) if made.audio else None
        packets = [*(_shown(video, made) if video else []), *(_heard(audio, made) if audio else [])]
        for packet in sorted(packets, key=lambda packet: float(packet.dts * packet.time_base)):
            target.mux(packet)


def _video(target: Any, made: Recipe) -> Any:
    stream = target.add_stream(made.video, rate=made.fps, options=dict(made.options))
    stream.width, stream.height, stream.pix_fmt = made.width, made.height, made.pixels
    stream.codec_context.time_base = Fraction(1, TICKS) if made.times else Fraction(1, made.fps)
    if made.matrix:
        stream.set_display_matrix(made.matrix)
    if made.aspect:
        stream.codec_context.sample_aspect_ratio = made.aspect
    if made.transfer:
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = made.transfer, 9, 9, 1
    return stream


def _shown(stream: Any, made: Recipe) -> list[Any]:
    times = made.times or [made.video_from + n / made.fps for n in range(round(made.seconds * made.fps))]
    packets: list[Any] = []
    base = stream.codec_context.time_base
    for time in times:
        frame = VideoFrame.from_ndarray(made.picture(made.width, made.height, time), format="rgb24")
        matrix = {"dst_colorspace": 9} if made.transfer else {}
        frame = frame.reformat(format=made.pixels, **matrix)
        frame.pts, frame.time_base = round(time / base), base
        if made.transfer:
            frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = made.transfer, 9, 9, 1
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def _audio(target: Any, made: Recipe) -> Any:
    stream = target.add_stream(made.audio, rate=made.rate, layout=made.layout)
    stream.codec_context.time_base = Fraction(1, made.rate)
    return stream


def _heard(stream: Any, made: Recipe) -> list[Any]:
    channels = stream.layout.nb_channels
    seconds = made.seconds if made.audio_seconds is None else made.audio_seconds
    packets: list[Any] = []
    for start in range(0, int(seconds * made.rate), 1024):
        t = made.audio_from + np.arange(start, min(start + 1024, int(seconds * made.rate))) / made.rate
        samples = np.repeat(made.tone(t)[np.newaxis], channels, axis=0).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=made.layout)
        frame.rate = made.rate
        frame.pts, frame.time_base = start + round(made.audio_from * made.rate), Fraction(1, made.rate)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


# What phones write into a film's header: where its right and its bottom go.
ONE = 1 << 16
MATRICES = {
    (0, False): (ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30),
    (90, False): (0, ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30),
    (180, False): (-ONE, 0, 0, 0, -ONE, 0, 0, 0, 1 << 30),
    (270, False): (0, -ONE, 0, ONE, 0, 0, 0, 0, 1 << 30),
    (0, True): (-ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30),
    (90, True): (0, -ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30),
    (180, True): (ONE, 0, 0, 0, -ONE, 0, 0, 0, 1 << 30),
    (270, True): (0, ONE, 0, ONE, 0, 0, 0, 0, 1 << 30),
}


def box_at(content: bytes, name: bytes, number: int = 0) -> int:
    """Where the content of a box begins."""
    at = -1
    for _ in range(number + 1):
        at = content.index(name, at + 1)
    return at + 4


def with_duration(content: bytes, milliseconds: int) -> bytes:
    """A film whose header lies about its length, in all three places."""
    lying = bytearray(content)
    for name in (b"mvhd", b"mdhd", b"tkhd"):
        start = 0
        while (found := content.find(name, start)) >= 0:
            offset = {b"mvhd": 16, b"mdhd": 16, b"tkhd": 20}[name]
            struct.pack_into(">I", lying, found + 4 + offset, min(milliseconds * 12, 0xFFFF_FFF0))
            start = found + 4
    return bytes(lying)
