"""The task ``look``: all that duplicates and quality need of a file, from one decoding at full size. Runs in the child.

The look comes back as a blob, the scores in the result. ``looked`` reads both in the parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from archive.media import films
from archive.media.pictures import picture
from archive.media.seeing import see
from archive.media.sniff import MediaKind, sniff
from archive.media.verdict import Unsupported
from ml.duplicates.look import Look, pack, unpack
from ml.quality.pages import Sort
from ml.quality.scores import Scores

if TYPE_CHECKING:
    from archive.media.child import Work

BLOB = "look"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a file gives. Films have no scores."""

    look: Look
    scores: Scores | None


def look(work: Work) -> dict[str, Any]:
    """Give the blob ``look``, and the scores."""
    found = sniff(work.file)
    if found.kind is MediaKind.VIDEO:
        work.emit(BLOB, pack(films.look(work)))
        return {"scores": None}
    if found.kind is not MediaKind.PHOTO:
        message = f"nothing to see in {found.media_type}"
        raise Unsupported(message)
    shown = picture(work.file, found, work.limits, memory=work.memory)
    seen, measured = see(shown.image, frames=shown.header.frames, size=work.file.size)
    work.emit(BLOB, pack(seen))
    return {"scores": {field.name: getattr(measured, field.name) for field in fields(measured)}}


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
