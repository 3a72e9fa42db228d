"""A copy of a film that every browser plays: H.264 and AAC in fragmented MP4, written from beginning to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import av

from archive.media.video.browsers import copies_sound
from archive.media.video.develop import Wanted
from archive.media.video.errors import Corrupt
from archive.media.video.film import Film, open_film
from archive.media.video.fragments import MUXER, Output
from archive.media.video.geometry import fit_shorter_even
from archive.media.video.probe import VideoProbe, probe
from archive.media.video.reader import SeekableFile
from archive.media.video.tracks import Copied, Encoded, Heard, Track

_BUFFER_BYTES = 256 * 1024
_BETWEEN_REPORTS = 0.5
_DAY_SECONDS = 24 * 3600.0
_FIRST_FAILURES = 500
_SOON = 0.05  # seconds; less is not noticed


@dataclass(frozen=True, slots=True)
class PlayPolicy:
    """How films are made playable. Whether they are (``mode``) is for the caller to decide, before it asks."""

    mode: Literal["all", "needed", "never"] = "needed"
    cap: int = 1080
    crf: int = 23
    threads: int = 1


@dataclass(frozen=True, slots=True)
class _Job:
    file: SeekableFile
    known: VideoProbe
    policy: PlayPolicy
    progress: Callable[[int, int], object]


def play(
    file: SeekableFile,
    write: Callable[[bytes], object],
    policy: PlayPolicy | None = None,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
    known: VideoProbe | None = None,
) -> dict[str, Any]:
    """Write the copy; say what was made.

    ``progress`` hears milliseconds done and in all, twice a second at most. What it or ``write`` raises ends the work
    and comes out.
    """
    job = _Job(file, known or probe(file), policy or PlayPolicy(), progress)
    output = Output(write, job.known.duration_ms)
    if _copies(job):
        try:
            return _make(job, output, copy=True)
        except Corrupt:
            # Some headers that decoders put up with, a muxer does not.
            if output.size:
                raise
            output = Output(write, job.known.duration_ms)
    return _make(job, output, copy=False)


def _copies(job: _Job) -> bool:
    """Whether the picture is taken over: H.264 that plays, and is not larger than wanted."""
    known = job.known
    fits = min(known.width, known.height) <= job.policy.cap
    return known.plays != "encode" and known.video_codec == "h264" and fits


def _make(job: _Job, output: Output, *, copy: bool) -> dict[str, Any]:
    known, policy = job.known, job.policy
    width, height = (known.width, known.height) if copy else fit_shorter_even(known.width, known.height, policy.cap)
    with open_film(job.file, policy.threads, sound=True) as film:
        tracks: dict[int, Track] = {}
        target = av.open(output, "w", format="mp4", container_options=MUXER, buffer_size=_BUFFER_BYTES)
        last = known.duration_ms / 1000 if known.duration_ms else _DAY_SECONDS
        try:
            if copy:
                tracks[film.video.index] = Copied(film, film.video, target)
            else:
                wanted = Wanted(width, height, "yuv420p", known.turn, known.interlaced, policy.threads)
                tracks[film.video.index] = Encoded(film, target, wanted, known.fps or 30, policy.crf, last)
            if film.audio is not None:
                tracks[film.audio.index] = _sound(film, target, last)
            _run(job, film, target, tracks)
        except BaseException:
            output.closed = True  # nobody wants the end of what will be thrown away
            raise
        finally:
            target.close()
        output.flush()
        sound = tracks.get(film.audio.index) if film.audio else None
        return {
            "width": width,
            "height": height,
            "duration_ms": known.duration_ms,
            "video": "copied" if copy else "encoded",
            "audio": None if sound is None else "copied" if isinstance(sound, Copied) else "encoded",
            "frames": tracks[film.video.index].made,
            "skipped": sum(track.skipped for track in tracks.values()),
            "bytes": output.size,
        }
    raise AssertionError  # the film's errors leave by themselves


def _sound(film: Film, target: Any, last: float) -> Track:  # noqa: ANN401 - PyAV's container
    assert film.audio is not None
    context = film.audio.codec_context
    # Sound that begins later needs silence before it: not every player honours an empty edit.
    late = (film.audio.start_time or 0) * (film.audio.time_base or 0) - film.start > _SOON
    # AAC out of a transport stream has its header in every packet, and none where MP4 wants it.
    if copies_sound(context.codec.canonical_name, context.profile) and context.extradata_size and not late:
        return Copied(film, film.audio, target)
    return Heard(film, target, last)


def _run(job: _Job, film: Film, target: Any, tracks: dict[int, Track]) -> None:  # noqa: ANN401 - PyAV's container
    picture, said = tracks[film.video.index], time.monotonic()
    streams = (film.video,) if film.audio is None else (film.video, film.audio)
    for packet in film.packets(*streams):
        at = packet.pts
        for made in tracks[packet.stream_index].take(packet):
            target.mux(made)
        if picture.skipped > _FIRST_FAILURES + picture.made:
            break
        now = time.monotonic()
        if now - said >= _BETWEEN_REPORTS and at is not None and packet.stream_index == film.video.index:
            said = now
            _report(job, film, at)
    for track in tracks.values():
        for made in track.finish():
            target.mux(made)
    if picture.made == 0 or picture.skipped > picture.made:
        raise Corrupt(f"of the film's picture {picture.made} pieces could be decoded and {picture.skipped} could not")


def _report(job: _Job, film: Film, at: int) -> None:
    total = job.known.duration_ms or 0
    done = int((at * (film.video.time_base or 0) - film.start) * 1000)
    job.progress(max(0, min(done, total)), total)
