"""What may be said of a picture by its scores: only what is sure, and in words that say how sure."""

from __future__ import annotations

from enum import StrEnum

from ml.quality.pages import Sort
from ml.quality.scores import Scores


class Verdict(StrEnum):
    """Why somebody may want to look at a picture again."""

    EMPTY = "empty"
    TINY = "tiny"
    MAYBE_BLURRED = "maybe_blurred"
    SOFT = "soft_at_full_size"
    VERY_DARK = "very_dark"
    VERY_LIGHT = "very_light"
    LOW_CONTRAST = "low_contrast"
    NOISY = "noisy"
    COMPRESSED = "heavily_compressed"
    SCREENSHOT = "screenshot"
    DOCUMENT = "document"
    SHORT_FILM = "short_film"


# Below it nothing is sharp in the small view: of 210 sharp pictures made hard to judge (night, bokeh, noise, little
# contrast) none is lower than -3.7, of blurred ones half are.
BLURRED = -3.75
# What is sharp in 1024 pixels and has this many more, and no edge steeper than this.
_SOFT, _FULL_SIDE = 0.24, 1500
_TINY_PIXELS = 120_000
_DARK_MEAN, _DARK_LIGHTEST = 18.0, 90.0
_LIGHT_MEAN, _LIGHT_PARTS = 225.0, 0.5
_FLAT_RANGE, _FLAT_LIGHT = 40.0, 60.0
_NOISY = 14.0
_BLOCKY, _FEW_BYTES = 1.9, 0.12
_SHORT_MS = 1500
_PAGES, _INK = {Sort.SCREENSHOT: Verdict.SCREENSHOT, Sort.DOCUMENT: Verdict.DOCUMENT}, 80.0
# A picture with little to see says nothing about its sharpness.
_LEAST_RANGE = 25.0


def verdicts(found: Scores) -> tuple[Verdict, ...]:
    """Give what is sure, the gravest first."""
    if found.width * found.height < _TINY_PIXELS:
        return (Verdict.EMPTY, Verdict.TINY) if found.sort is Sort.EMPTY else (Verdict.TINY,)
    if found.sort is Sort.EMPTY:
        return (Verdict.EMPTY,)
    # What is burnt out to white but for its edges is made like a page, without the ink.
    if found.sort in _PAGES and found.lightest - found.darkest >= _INK:
        return (_PAGES[found.sort],)
    return (*_sharp(found), *_light(found), *_clean(found))


def film_verdicts(duration_ms: int | None) -> tuple[Verdict, ...]:
    """Give what is sure of a film: one so short was hardly meant."""
    return (Verdict.SHORT_FILM,) if duration_ms is not None and 0 < duration_ms < _SHORT_MS else ()


def _sharp(found: Scores) -> tuple[Verdict, ...]:
    if found.sharpness is None or found.range < _LEAST_RANGE:
        return ()
    if found.sharpness < BLURRED:
        return (Verdict.MAYBE_BLURRED,)
    large = max(found.width, found.height) >= _FULL_SIDE
    soft = large and found.sharpest is not None and found.sharpest < _SOFT
    return (Verdict.SOFT,) if soft else ()


def _light(found: Scores) -> tuple[Verdict, ...]:
    given = []
    # A night sky is dark on purpose: it has lights. So the mean alone says nothing.
    if found.mean < _DARK_MEAN and found.lightest < _DARK_LIGHTEST:
        given.append(Verdict.VERY_DARK)
    if found.mean > _LIGHT_MEAN and found.highlights > _LIGHT_PARTS:
        given.append(Verdict.VERY_LIGHT)
    if found.range < _FLAT_RANGE and found.lightest - found.mean < _FLAT_LIGHT and not given:
        given.append(Verdict.LOW_CONTRAST)
    return tuple(given)


def _clean(found: Scores) -> tuple[Verdict, ...]:
    given = []
    if found.noise > _NOISY:
        given.append(Verdict.NOISY)
    if found.blockiness > _BLOCKY and found.bytes_a_pixel < _FEW_BYTES:
        given.append(Verdict.COMPRESSED)
    return tuple(given)
