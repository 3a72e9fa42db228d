"""Films into another container, codec, size or length, written from beginning to end. Runs in the child."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
from av.container import OutputContainer

from archive.media.video.converted import ConvertedPicture, ConvertedSound, Part
from archive.media.video.develop import Wanted
from archive.media.video.errors import Corrupt, Unsupported
from archive.media.video.film import open_film
from archive.media.video.fragments import Output, muxer_options
from archive.media.video.geometry import fit_shorter_even
from archive.media.video.probe import VideoProbe, probe
from archive.media.video.reader import SeekableFile
from archive.media.video.tracks import Track
from archive.media.video.wish import Codec, FilmWish

_USUAL: dict[Codec, int] = {"h264": 23, "hevc": 28, "vp9": 33}
_BUFFER_BYTES = 256 * 1024
_BETWEEN_REPORTS = 0.5
_MOST_SECONDS = 3 * 3600.0
# Else it would open the system's source of random numbers, to number its tracks.
_WEBM = {"fflags": "+bitexact"}


@dataclass(frozen=True, slots=True)
class _Job:
    wish: FilmWish
    known: VideoProbe
    seconds: float
    progress: Callable[[int, int], object]


def convert(
    file: SeekableFile,
    write: Callable[[bytes], object],
    wish: FilmWish,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Write the film as it is wished; say what was made. ``progress`` hears milliseconds done and in all."""
    known = probe(file)
    seconds = _seconds(known, wish)
    job = _Job(wish, known, seconds, progress)
    output = Output(write, round(seconds * 1000)) if wish.container != "webm" else _Plain(write)
    options = _WEBM if wish.container == "webm" else muxer_options(round(seconds * 1000))
    with open_film(file, sound=True) as film:
        if wish.begin:
            film.seek(wish.begin)
        part = Part(film.container, film.video, film.audio if wish.sound else None, film.reader, wish.begin)
        if part.audio is None and wish.container == "m4a":
            raise Unsupported("the film has no sound to be taken out")
        name = "mp4" if wish.container == "m4a" else wish.container
        target = av.open(output, "w", format=name, container_options=options, buffer_size=_BUFFER_BYTES)
        try:
            tracks = _tracks(job, part, target)
            _run(job, part, target, tracks)
        except BaseException:
            output.closed = True  # nobody wants the end of what will be thrown away
            raise
        finally:
            target.close()
        output.flush()
        skipped = sum(track.skipped for track in tracks.values())
        return {"bytes": output.size, "duration_ms": round(seconds * 1000), "skipped": skipped, **_size(job)}
    raise AssertionError  # the film's errors leave by themselves


def _seconds(known: VideoProbe, wish: FilmWish) -> float:
    """Say how long it will be, and refuse what is not there or is too long."""
    whole = known.duration_ms / 1000 if known.duration_ms else None
    if whole is None and wish.end is None:
        raise Unsupported("the film does not say how long it is; say where its conversion shall end")
    last = min(end for end in (whole, wish.end) if end is not None)
    if last <= wish.begin:
        raise Unsupported(f"the film ends after {last:g} seconds, before the beginning that is wished for")
    if last - wish.begin > _MOST_SECONDS:
        raise Unsupported(f"at most {_MOST_SECONDS / 3600:g} hours are converted; choose a part of the film")
    return last - wish.begin


def _size(job: _Job) -> dict[str, int]:
    if job.wish.container == "m4a":
        return {}
    shorter = min(job.wish.shorter or min(job.known.width, job.known.height), job.known.width, job.known.height)
    width, height = fit_shorter_even(job.known.width, job.known.height, shorter)
    return {"width": width, "height": height}


def _tracks(job: _Job, film: Part, target: OutputContainer) -> dict[int, Track]:
    tracks: dict[int, Track] = {}
    if size := _size(job):
        wanted = Wanted(size["width"], size["height"], "yuv420p", job.known.turn, job.known.interlaced)
        codec = job.wish.picture
        crf = _USUAL[codec] if job.wish.crf is None else job.wish.crf
        tracks[film.video.index] = ConvertedPicture(
            film, target, wanted, job.known.fps or 30, (codec, crf), job.seconds
        )
    if film.audio is not None:
        codec_name = "libopus" if job.wish.container == "webm" else "aac"
        tracks[film.audio.index] = ConvertedSound(film, target, codec_name, job.seconds)
    return tracks


def _run(job: _Job, film: Part, target: OutputContainer, tracks: dict[int, Track]) -> None:
    streams = [stream for stream in (film.video, film.audio) if stream is not None and stream.index in tracks]
    waiting, said = {stream.index for stream in streams}, time.monotonic()
    for packet in film.packets(*streams):
        at = None if packet.pts is None else float(packet.pts * (packet.time_base or 0) - film.start)
        if at is not None and at > job.seconds + 1:  # pictures come in another order than they are shown in
            waiting.discard(packet.stream.index)
            if not waiting:
                break
            continue
        for made in tracks[packet.stream.index].take(packet):
            target.mux(made)
        now = time.monotonic()
        if at is not None and now - said >= _BETWEEN_REPORTS:
            said = now
            job.progress(max(0, min(round(at * 1000), round(job.seconds * 1000))), round(job.seconds * 1000))
    for track in tracks.values():
        for made in track.finish():
            target.mux(made)
    first = tracks[streams[0].index]
    if first.made == 0 or first.skipped > first.made:
        raise Corrupt(f"{first.made} pieces of the film could be decoded and {first.skipped} could not")


class _Plain:
    """Takes what FFmpeg writes, and hands it on. It cannot seek."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self.size = 0
        self.closed = False

    def write(self, content: bytes) -> int:
        """Take the next bytes."""
        self.size += len(content)
        self._write(content)
        return len(content)

    def flush(self) -> None:
        """Do nothing: nothing is kept."""
