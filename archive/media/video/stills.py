"""Frames of a film at equal steps, small: what tells whether two films are the same."""

from __future__ import annotations

from PIL import Image

from archive.media.video.develop import Developer, Wanted
from archive.media.video.film import Film, open_film
from archive.media.video.geometry import fit_longer
from archive.media.video.poster import as_image
from archive.media.video.probe import VideoProbe, probe
from archive.media.video.reader import SeekableFile

COUNT = 6
_LONGER = 256
_MOST_PACKETS = 250


def stills(file: SeekableFile, known: VideoProbe | None = None) -> list[Image.Image | None]:
    """Give the frames; none where one cannot be had."""
    known = known or probe(file)
    seconds = (known.duration_ms or 0) / 1000
    with open_film(file) as film:
        developer = Developer(Wanted(*fit_longer(known.width, known.height, _LONGER), "rgb24", known.turn))
        return [_still(film, developer, seconds * (number + 0.5) / COUNT) for number in range(COUNT)]
    raise AssertionError  # the film's errors leave by themselves


def _still(film: Film, developer: Developer, moment: float) -> Image.Image | None:
    """Give the frame of a moment: keyframes lie elsewhere in a copy that was encoded anew."""
    film.seek(moment)
    last = None
    for frame in film.frames(_MOST_PACKETS):
        if frame.is_corrupt:
            continue
        last = frame
        time = film.time(frame)
        if time is None or time >= moment - 1e-3:
            break
    if last is None:
        return None
    return next((as_image(made) for made in developer.develop(last)), None)
