"""The tasks of films: what they are, a still and a short animation, a copy that every browser plays. In the child."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archive.media import video
from archive.media.facts import Facts, Probe
from archive.media.metadata.dates import taken_from_name
from archive.media.metadata.describe import read
from archive.media.renditions import render_image
from archive.media.seeing import see
from archive.media.verdict import Corrupt, LimitExceeded, Unsupported
from archive.media.video import converting
from archive.media.video.wish import BLOB, FilmWish
from ml.duplicates.look import Look

if TYPE_CHECKING:
    from archive.media.child import Work
    from archive.media.sniff import Format


def describe(work: Work, found: Format) -> dict[str, Any]:
    """Give a film's facts, and whether browsers play it."""
    with _verdicts():
        seen = video.probe(work.file)
    probe = Probe(
        seen.format, found.media_type, "video", seen.width, seen.height, duration_ms=seen.duration_ms, tags=seen.tags
    )
    facts = read(work.file, replace(probe, oriented=True))
    return {"facts": dated(facts, work.args.get("name")).to_json(), "plays_in_browser": seen.plays_in_browser}


def render(work: Work) -> dict[str, Any]:
    """Give ``preview`` and ``thumb`` of a still, and ``clip``."""
    with _verdicts():
        seen = video.probe(work.file)
        still = video.poster(work.file, seen)
        made = render_image(still, work.emit)
        work.emit("clip", video.clip(work.file, seen))
    return {**made, "width": seen.width, "height": seen.height, "damaged": False}


def look(work: Work) -> Look:
    """See a film as comparisons do: a still, frames at equal steps, and how long it is."""
    with _verdicts():
        seen = video.probe(work.file)
        frames = [None if still is None else see(still)[0] for still in video.stills(work.file, seen)]
    shown = next((one for one in frames if one and one.telling), None) or next(filter(None, frames), None)
    if shown is None:
        raise Corrupt("not one frame of the film could be decoded")
    film = tuple(one.hashes[0] if one and one.telling else 0 for one in frames)
    return replace(shown, width=seen.width, height=seen.height, duration_ms=seen.duration_ms, film=film)


def play(work: Work) -> dict[str, Any]:
    """Give ``video``, and how far it is."""
    policy = video.PlayPolicy(cap=int(work.args["most"]))
    with _verdicts(), work.blob("video") as blob:
        return video.play(work.file, blob.write, policy, work.progress)


def convert(work: Work) -> dict[str, Any]:
    """Give ``film``: the film as it is wished, and how far it is."""
    try:
        wish = FilmWish(**work.args)
    except (TypeError, ValueError) as error:
        raise Unsupported(str(error)) from error
    with _verdicts(), work.blob(BLOB) as blob:
        return converting.convert(work.file, blob.write, wish, work.progress)


def dated(facts: Facts, name: object) -> Facts:
    """Take the date from the file's name where nothing inside says one."""
    if facts.taken is None and isinstance(name, str):
        return replace(facts, taken=taken_from_name(name))
    return facts


@contextmanager
def _verdicts() -> Iterator[None]:
    """Turn what is wrong with a film into the verdict it means."""
    try:
        yield
    except video.Unsupported as error:
        raise Unsupported(str(error)) from error
    except video.Corrupt as error:
        raise Corrupt(str(error)) from error
    except video.TooMuch as error:
        raise LimitExceeded(str(error)) from error
