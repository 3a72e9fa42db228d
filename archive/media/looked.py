"""What the task ``look`` gave, as the parent reads it: no decoder is needed for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml.duplicates.look import Look, unpack
from ml.quality.pages import Sort
from ml.quality.scores import Scores

BLOB = "look"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a file gives. Films have no scores."""

    look: Look
    scores: Scores | None


def looked(value: Mapping[str, Any], blobs: Mapping[str, bytes]) -> Looked:
    """Read what a child gave; ValueError where it cannot be, for a decoder of hostile files wrote it."""
    measured = value.get("scores")
    try:
        return Looked(unpack(blobs[BLOB]), None if measured is None else _scores(measured))
    except (KeyError, TypeError) as error:
        message = f"no look: {error}"
        raise ValueError(message) from error


def _scores(value: dict[str, Any]) -> Scores:
    numbers = {name: None if one is None else float(one) for name, one in value.items() if name != "sort"}
    for name in ("width", "height"):
        numbers[name] = int(value[name])
    if any(one is None for name, one in numbers.items() if name not in ("sharpness", "sharpest")):
        raise ValueError("a score that is none")
    return Scores(**numbers, sort=Sort(value["sort"]))  # type: ignore[arg-type]  # checked above
