"""A film in a few seconds, without sound: an animated WebP out of up to four places."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image

from archive.media.video.develop import Developer, Wanted
from archive.media.video.errors import Corrupt
from archive.media.video.film import Film, open_film
from archive.media.video.geometry import fit_longer
from archive.media.video.poster import as_image
from archive.media.video.probe import VideoProbe, probe
from archive.media.video.reader import SeekableFile

LONGER_SIDE = 320
MOST_BYTES = 600_000
_FPS, _PLACES, _SECONDS = 8, 4, 1.0
_MOST_PACKETS = 300  # of one place: five seconds at 60 frames a second
_QUALITIES = (60, 40, 20)


def clip(file: SeekableFile, known: VideoProbe | None = None) -> bytes:
    """Make the clip. A film that is shorter gives all it has, and be it one frame."""
    known = known or probe(file)
    with open_film(file) as film:
        # Frames that no other needs are half of many films, and at eight frames a second nobody misses them.
        film.video.codec_context.skip_frame = "NONREF"
        size = fit_longer(known.width, known.height, LONGER_SIDE)
        developer = Developer(Wanted(*size, "rgb24", known.turn))
        pictures = list(_pictures(film, developer, (known.duration_ms or 0) / 1000))
        if not pictures:
            raise Corrupt("not one frame of the film could be decoded")
        return _small(pictures)
    raise AssertionError  # the film's errors leave by themselves


def _pictures(film: Film, developer: Developer, seconds: float) -> Iterator[Image.Image]:
    if seconds <= _PLACES * _SECONDS:
        yield from _place(film, developer, 0.0, _PLACES * _SECONDS)[0]
        return
    end = 0.0
    for place in range(_PLACES):
        start = max(end, seconds * (place + 0.5) / _PLACES - _SECONDS / 2)
        film.seek(start)
        pictures, end = _place(film, developer, end, _SECONDS)
        yield from pictures


def _place(film: Film, developer: Developer, after: float, length: float) -> tuple[list[Image.Image], float]:
    """Take pictures from where the film stands on, and after a moment that was shown already; say where they end.

    They begin at the keyframe: going on to the very moment asked for would mean decoding frames to throw away.
    """
    pictures: list[Image.Image] = []
    due = last = after
    begun: float | None = None
    for frame in film.frames(_MOST_PACKETS):
        time = film.time(frame)
        time = last + 1 / _FPS if time is None else time
        if time < after:
            continue
        begun = time if begun is None else begun
        if time >= begun + length:
            break
        last = time
        if not pictures or time >= due:
            pictures += [as_image(made) for made in developer.develop(frame)]
            due = max(due, begun) + 1 / _FPS
    return pictures, (after if begun is None else begun + length)


def _small(pictures: list[Image.Image]) -> bytes:
    """Encode, with less quality and then with fewer pictures until it is small enough."""
    pause = 1000 // _FPS
    while True:
        for quality in _QUALITIES:
            encoded = _encode(pictures, quality, pause)
            if len(encoded) <= MOST_BYTES or len(pictures) == 1:
                return encoded
        pictures, pause = pictures[::2], pause * 2


def _encode(pictures: list[Image.Image], quality: int, pause: int) -> bytes:
    out = io.BytesIO()
    pictures[0].save(
        out,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=pause,
        loop=0,
        quality=quality,
        method=1,
        # A key picture now and then lets the encoder throw away nothing it still needs, and costs little at this size.
        kmin=9,
        kmax=17,
    )
    return out.getvalue()
