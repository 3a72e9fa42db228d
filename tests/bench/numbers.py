"""Reading numbers on labelled sets, beside the general reader alone; what fusion, grammar and zoom are worth.

The sets are no part of the project: ``NUMBERS_DATA`` names a folder of them (each ``labels.csv`` and ``images/``);
without it, pictures that the generator draws are read instead, which says less.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.numbers.alphabet import folded, normalized
from ml.numbers.geometry import around, box, overlap
from ml.numbers.pipeline import NumberReader, Options
from ml.training.evaluation import Evaluation, judge
from ml.training.generate.sample import sample
from ml.training.sets import Labelled, read_set
from tests.bench.figure import Figure

_THREADS = 2
_DRAWN = 60
_PARTS = {
    "without our own reader": Options(own=False),
    "without the general reader": Options(general=False),
    "without grammar": Options(grammar=False),
    "without the second look": Options(zoom=False),
}
Picture = NDArray[np.uint8]


def measure() -> Iterator[Figure]:
    reader = NumberReader(threads=_THREADS)
    yield from _crops(reader)
    data, every = os.environ.get("NUMBERS_DATA"), int(os.environ.get("NUMBERS_EVERY", "1"))
    for folder in sorted(Path(data).iterdir()) if data else ():
        if (folder / "labels.csv").exists():
            yield from _set(reader, folder, every)


def _crops(reader: NumberReader) -> Iterator[Figure]:
    """One crop at a time on one core, as drawn: time does not depend on what is to be read."""
    alone = NumberReader(threads=1)
    made = [one for number in range(_DRAWN * 2) if (one := sample(77, number)).kind != "none"][:_DRAWN]
    crops = [np.repeat(one.picture[..., None], 3, axis=2) for one in made]
    general = _timed(alone.general.read, crops)
    own = _timed(lambda crop: alone.own.read([crop]), crops)
    yield Figure("numbers", "general reader, a crop on one core", general * 1e3, "ms CPU")
    yield Figure(
        "numbers", "own reader, a crop on one core", own * 1e3, "ms CPU", "the general reader", own / general, "<= 5"
    )
    read = [reader.read_crop(crop, rows=one.rows) for crop, one in zip(crops, made, strict=True)]
    right = [got is not None and folded(got.text) == folded(one.text) for got, one in zip(read, made, strict=True)]
    yield Figure("numbers", "drawn crops, read right", sum(right) / len(right), "share")


def _timed(read: Callable[[Picture], object], crops: Sequence[Picture]) -> float:
    read(crops[0])
    started = time.process_time()
    for crop in crops:
        read(crop)
    return (time.process_time() - started) / len(crops)


def _set(reader: NumberReader, folder: Path, every: int) -> Iterator[Figure]:
    pictures = read_set(folder)[::every]
    name = folder.name.removeprefix("plates_")
    bare = _share(pictures, _rapidocr())
    yield Figure("numbers", f"{name}: rapidocr alone", bare, "exact, folded")
    if shutil.which("tesseract"):
        yield Figure("numbers", f"{name}: tesseract alone", _share(pictures, _tesseract), "exact, folded")
    figures = _judged(reader, pictures, Options()).document()
    read, goal = figures["exact_folded"], _GOALS.get(folder.name)
    yield Figure("numbers", f"{name}: read", read, "exact, folded", "rapidocr alone", read / max(bare, 1e-9), goal)
    for key in ("precision", "calibration_error", "auto_accepted", "auto_accepted_right"):
        if figures[key] is not None:
            goal = ">= 0.99" if key.endswith("right") else None
            yield Figure("numbers", f"{name}: {key}", figures[key], "share", goal=goal)
    yield Figure("numbers", f"{name}: an image", figures["seconds_per_image"], "s", goal="<= 0.6")
    for part, less in _PARTS.items():
        share = _judged(reader, pictures, less).document()["exact_folded"]
        yield Figure("numbers", f"{name}: {part}", share, "exact, folded")


_GOALS = {
    "plates_openalpr_eu": ">= 0.97",
    "plates_openalpr_br": ">= 0.96",
    "plates_openalpr_us": ">= 0.85",
    "platecrops_ar": ">= 0.85",
    "bib_rbnr": ">= 0.96, with a roster",
}


def _judged(reader: NumberReader, pictures: Sequence[Labelled], options: Options) -> Evaluation:
    result = Evaluation()
    for one in pictures:
        judge(result, one, _opened(one.file), lambda picture: reader.read(picture, options))
    return result


def _opened(file: Path) -> Picture:
    # The sets are trusted, and what is measured is reading, not the sandbox.
    return np.ascontiguousarray(np.asarray(cv2.imread(str(file)), np.uint8)[..., ::-1])


Lines = Callable[[Path], list[tuple[str, Any]]]


def _share(pictures: Sequence[Labelled], read: Lines) -> float:
    """Give the share of labels of which some line at their place says exactly the text, O and 0, I and 1 alike."""
    right = []
    for one in pictures:
        lines = read(one.file)
        for label in one.labels:
            there = [text for text, corners in lines if label.corners is None or overlap(corners, label.corners) > 0.3]
            right.append(any(folded(normalized(text)) == folded(label.text) for text in there))
    return sum(right) / max(len(right), 1)


def _rapidocr() -> Lines:
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS})

    def read(file: Path) -> list[tuple[str, Any]]:
        result: Any = engine(str(file))
        return list(zip(result.txts or (), () if result.boxes is None else result.boxes, strict=False))

    return read


def _tesseract(file: Path) -> list[tuple[str, Any]]:
    argv = ["tesseract", str(file), "-", "--psm", "11", "tsv"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    rows = [line.split("\t") for line in done.stdout.splitlines()[1:]]
    words = [(row[11], box(*map(float, row[6:10]))) for row in rows if len(row) > 11 and row[11].strip()]
    pairs = [(one[0] + two[0], around([one[1], two[1]])) for one, two in pairwise(words)]
    return words + pairs
