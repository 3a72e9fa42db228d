"""Sharpness beside the variance of the Laplacian: how often a sharp photo scores above a blurred one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from archive.media.pictures import smaller
from archive.media.seeing import see
from ml.quality.sharpness import VIEW_SIDE, sharpness, variance_of_laplacian
from ml.quality.verdicts import Verdict, verdicts
from tests.bench.figure import Figure
from tests.bench.photos import named, photos
from tests.support.degrading import BLURRED, SHARP, auc
from tests.support.photos import MEGAPIXELS_12, scene

_YARDSTICK = "variance of Laplacian"
_ROUNDS = 5
# As the blur dataset of kwentar names its files: sharp; out of focus and moved.
_SHARP_END, _BLURRED_ENDS = "_S", ("_F", "_M")

Score = Callable[[np.ndarray], float]


def measure(folder: Path | None = None, labelled: Path | None = None) -> Iterator[Figure]:
    originals = photos(folder)
    sharp = {name: [_both(edit(one)) for one in originals] for name, edit in SHARP.items()}
    blurred = {name: [_both(edit(one)) for one in originals] for name, edit in BLURRED.items()}
    good, bad = _all(sharp), _all(blurred)
    yield _compared(f"AUC, {len(good)} sharp and {len(bad)} blurred", good, bad, ">= 0.97")
    for name, scores in sharp.items():
        yield _compared(f"AUC: {name}", scores, bad)
    for name, scores in blurred.items():
        yield _compared(f"AUC: {name}", good, scores)
    yield from _said(originals)
    if labelled:
        yield from _labelled(labelled)
    yield from _timed()


def _both(image: Image.Image) -> tuple[float, float]:
    grey = np.asarray(smaller(image, VIEW_SIDE).convert("L"))
    return sharpness(grey) or -9.0, variance_of_laplacian(grey)


def _all(scores: dict[str, list[tuple[float, float]]]) -> list[tuple[float, float]]:
    return [one for some in scores.values() for one in some]


def _compared(
    title: str, good: list[tuple[float, float]], bad: list[tuple[float, float]], goal: str | None = None
) -> Figure:
    ours, theirs = (auc([one[which] for one in good], [one[which] for one in bad]) for which in (0, 1))
    return Figure("quality", title, ours, "", f"{_YARDSTICK} ({theirs:.3f})", ours / theirs, goal)


def _said(originals: list[Image.Image]) -> Iterator[Figure]:
    """Count the verdict where it is wrong, and where it is right."""
    for title, edits in (("sharp", SHARP), ("blurred", BLURRED)):
        said = [
            Verdict.MAYBE_BLURRED in verdicts(see(edit(one), size=one.width * one.height)[1])
            for one in originals
            for edit in edits.values()
        ]
        yield Figure("quality", f"'maybe blurred' said of {title} ones", float(np.mean(said)), "")


def _labelled(folder: Path) -> Iterator[Figure]:
    good, bad = [], []
    for path, image in named(folder):
        if path.stem.endswith(_SHARP_END):
            good.append(_both(image))
        elif path.stem.endswith(_BLURRED_ENDS):
            bad.append(_both(image))
    if good and bad:
        yield _compared(f"AUC, labelled: {len(good)} sharp and {len(bad)} blurred", good, bad, ">= 0.97")


def _timed() -> Iterator[Figure]:
    photo = scene(*MEGAPIXELS_12)
    taken = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        see(photo, size=3_000_000)
        taken.append(time.process_time() - started)
    yield Figure("quality", "look and scores of 12 MP, without decoding", median(taken) * 1e3, "cpu-ms")
