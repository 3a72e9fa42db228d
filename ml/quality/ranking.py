"""Sorting a library or a shoot best-first, and the best of a burst: pictures beside each other, not an ideal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.quality.scores import Scores
from ml.quality.verdicts import Verdict, verdicts

_GRAVE = {Verdict.EMPTY, Verdict.MAYBE_BLURRED, Verdict.VERY_DARK, Verdict.VERY_LIGHT}
# In the units of the score: what the small view says counts first, then edges at 100 %, noise and clipping.
_EDGES, _NOISE, _CLIPPED = 0.5, 0.02, 2.0


def percentiles(values: Sequence[float | None]) -> list[float | None]:
    """Give for each value the part of all that are below it, from 0 to 1; equal ones are in the middle of theirs."""
    known = np.sort(np.array([value for value in values if value is not None], np.float64))
    if not len(known):
        return [None] * len(values)
    return [None if value is None else round(_share(known, value), 6) for value in values]


def percentile(values: Sequence[float], value: float) -> float:
    """Give the part of a library's scores that are below one, for an asset that is new."""
    return _share(np.sort(np.asarray(values, np.float64)), value) if len(values) else 0.5


def merit(found: Scores) -> float:
    """Give one number by which shots of the same thing are put in order; more is better."""
    if any(one in _GRAVE for one in verdicts(found)):
        return -10.0 + (found.sharpness or -5.0)
    sharp = found.sharpness if found.sharpness is not None else -5.0
    edges = found.sharpest if found.sharpest is not None else 0.0
    return sharp + _EDGES * edges - _NOISE * found.noise - _CLIPPED * (found.shadows + found.highlights)


def best_of_burst(shots: Sequence[Scores]) -> int | None:
    """Give the place of the best shot; none of a burst that has none."""
    if not shots:
        return None
    return max(range(len(shots)), key=lambda place: (merit(shots[place]), -place))


def _share(known: np.ndarray[tuple[int], np.dtype[np.float64]], value: float) -> float:
    below, upto = (int(np.searchsorted(known, value, side)) for side in ("left", "right"))
    return (below + upto) / 2 / len(known)
