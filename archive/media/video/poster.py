"""One frame that stands for a film: near its beginning, where people film what they mean, and not a black one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.video.frame import VideoFrame
from PIL import Image

from archive.media.video.develop import Developer, Wanted
from archive.media.video.errors import Corrupt
from archive.media.video.film import Film, open_film
from archive.media.video.geometry import fit_longer
from archive.media.video.probe import VideoProbe, probe
from archive.media.video.reader import SeekableFile

LONGER_SIDE = 1440
_SOONEST, _PART = 3.0, 0.1
_ELSEWHERE = (0.25, 0.5, 0.75)
_MOST_PACKETS = 250  # as far apart as keyframes usually are at most
_DARK, _LIGHT, _EVEN = 20, 240, 8


def poster(file: SeekableFile, known: VideoProbe | None = None, longer: int = LONGER_SIDE) -> Image.Image:
    """Give a frame that stands for the film, in sRGB, as it is shown, no larger than the film."""
    known = known or probe(file)
    with open_film(file) as film:
        frame = _choose(film, known.duration_ms)
        width, height = fit_longer(known.width, known.height, longer)
        developer = Developer(Wanted(width, height, "rgb24", known.turn))
        developed = next(developer.develop(frame))
        return as_image(developed)
    raise AssertionError  # the film's errors leave by themselves


def as_image(frame: VideoFrame) -> Image.Image:
    """Make a Pillow image of an RGB frame, which may have bytes between its rows."""
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    pixels = np.ascontiguousarray(rows[: frame.height, : frame.width * 3])
    return Image.fromarray(pixels.reshape(frame.height, frame.width, 3))


def _choose(film: Film, duration_ms: int | None) -> VideoFrame:
    """Take the first candidate that is neither black nor white nor all one colour, else the most varied."""
    best: tuple[float, VideoFrame] | None = None
    for frame in _candidates(film, duration_ms):
        dull, spread = _judge(frame)
        if not dull:
            return frame
        if best is None or spread > best[0]:
            best = spread, frame
    if best is None:
        raise Corrupt("not one frame of the film could be decoded")
    return best[1]


def _candidates(film: Film, duration_ms: int | None) -> Iterator[VideoFrame]:
    seconds = (duration_ms or 0) / 1000
    film.seek(min(_SOONEST, seconds * _PART))
    # The keyframe before is near enough, and the cheapest: what lies between would have to be decoded.
    yield from _one(film, 0)
    film.video.codec_context.skip_frame = "NONREF"  # on the way to a moment, what no other frame needs is not decoded
    for part in _ELSEWHERE if seconds else ():
        film.seek(seconds * part)
        yield from _one(film, seconds * part)
    film.seek(0)
    yield from _one(film, 0)


def _one(film: Film, moment: float) -> Iterator[VideoFrame]:
    """Give the frame of a moment, or the last that can be had without decoding for long."""
    last = None
    for frame in film.frames(_MOST_PACKETS):
        last = frame
        if frame.is_corrupt:
            continue
        time = film.time(frame)
        if time is None or time >= moment:
            break
    if last is not None:
        yield last


def _judge(frame: VideoFrame) -> tuple[bool, float]:
    small = frame.reformat(width=64, height=36, format="gray", src_colorspace=5, threads=1)
    plane = small.planes[0]
    grey = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:36, :64]  # type: ignore[call-overload]
    mean, spread = float(grey.mean()), float(grey.std())
    return mean < _DARK or mean > _LIGHT or spread < _EVEN, spread
