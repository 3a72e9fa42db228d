"""From labels and their pictures to data for training: split by event, crops in shards, a held-out set to judge on.

All pictures of an event fall on one side: runners, light and bibs repeat within an event, and would leak what is asked.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ml.numbers.alphabet import normalized
from ml.numbers.errors import LabelsInvalid
from ml.numbers.geometry import Picture, box, cut, grown
from ml.training.generate.camera import HEIGHT, WIDTH
from ml.training.generate.shards import SAMPLES, Shard, store
from ml.training.labels.annotation import Annotation
from ml.training.labels.quality import Item, faults, items

_LONGEST = 12
_VIEWS = 6  # of one crop, each cut a little differently, as detectors cut


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be prepared. ``kind`` is ``bib`` or a country's code."""

    kind: str = "bib"
    held_out: float = 0.2
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was prepared."""

    events: int
    training: int
    held_out: int
    left_out: int


def event_of(file: str) -> str:
    """Give the event of a picture: the folder it is in, or what its name begins with before the first number."""
    path = Path(file)
    if path.parent.name not in {"", ".", "images"}:
        return path.parent.name
    stem = path.stem.rstrip("0123456789")
    return stem.rstrip("_- ") or path.stem


def side(event: str, plan: Plan) -> str:
    """Give the side an event falls on: by its name, so that it stays there when others come."""
    digest = hashlib.sha256(f"{plan.seed}/{event}".encode()).digest()
    return "held-out" if int.from_bytes(digest[:4]) / 2**32 < plan.held_out else "training"


def prepare(
    annotations: Sequence[Annotation], load: Callable[[str], Picture], to: Path, plan: Plan | None = None
) -> Prepared:
    """Prepare what workers agree on and what has no fault; the rest is left out and counted."""
    plan = plan or Plan()
    doubtful = {(one["file"], one["place"]) for one in faults(annotations)}
    found = items(annotations)
    good = [item for item in found if _usable(item) and not any((a.file, a.place) in doubtful for a in item.answers)]
    if not good:
        raise LabelsInvalid("no label has a box, a text that its workers agree on, and no fault")
    events = sorted({event_of(item.file) for item in good})
    sides = _sides(events, plan)
    train = [item for item in good if sides[event_of(item.file)] == "training"]
    held = [item for item in good if sides[event_of(item.file)] == "held-out"]
    _write_shards(train, load, to / "training", plan)
    _write_set(held, load, to / "held-out")
    (to / "prepared.json").write_text(
        json.dumps({"events": sides, "kind": plan.kind, "seed": plan.seed}, indent=1) + "\n"
    )
    return Prepared(len(events), len(train), len(held), len(found) - len(good))


def _sides(events: Sequence[str], plan: Plan) -> dict[str, str]:
    """Part the events. Of two or more, each side has one at least; a single one cannot be parted without a leak."""
    sides = {event: side(event, plan) for event in events}
    if len(events) > 1:
        for missing, other in (("held-out", "training"), ("training", "held-out")):
            if missing not in sides.values():
                moved = min(events, key=lambda event: hashlib.sha256(event.encode()).digest())
                sides[moved] = missing if sides[moved] == other else sides[moved]
    return sides


def _usable(item: Item) -> bool:
    return item.settled is not None and len(item.settled) <= _LONGEST and item.answers[0].box is not None


def _write_shards(found: Sequence[Item], load: Callable[[str], Picture], to: Path, plan: Plan) -> None:
    to.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(plan.seed)
    crops = list(_crops(found, load, random))
    for number, start in enumerate(range(0, len(crops), SAMPLES)):
        part = crops[start : start + SAMPLES]
        pictures = np.stack([crop for crop, _ in part])
        texts = [text for _, text in part]
        shard = Shard(pictures, texts, np.ones(len(part), np.uint8), [plan.kind] * len(part))
        store(to / f"own-{number:05d}.npz", shard)


def _crops(
    found: Sequence[Item], load: Callable[[str], Picture], random: np.random.Generator
) -> Iterator[tuple[Picture, str]]:
    for item in found:
        given, text = item.answers[0].box, item.settled
        assert given
        assert text
        picture = load(item.file)
        for _ in range(_VIEWS):
            corners = grown(box(*given), given[3] * random.uniform(0, 0.25), given[3] * random.uniform(0, 0.2))
            grey = cv2.cvtColor(cut(picture, corners), cv2.COLOR_RGB2GRAY)
            yield np.asarray(cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8), text


def _write_set(found: Sequence[Item], load: Callable[[str], Picture], to: Path) -> None:
    """Write a set as ``train evaluate`` reads it, the pictures whole."""
    (to / "images").mkdir(parents=True, exist_ok=True)
    with (to / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "text", "x", "y", "w", "h"])
        for item in found:
            name = item.file.replace("/", "_")
            given = item.answers[0].box
            assert given
            writer.writerow([f"images/{name}", normalized(item.settled or ""), *(round(one, 1) for one in given)])
            target = to / "images" / name
            if not target.exists():
                coded, data = cv2.imencode(target.suffix or ".png", np.ascontiguousarray(load(item.file)[..., ::-1]))
                if not coded:
                    raise LabelsInvalid(f"{item.file} cannot be written as {target.suffix}")
                target.write_bytes(data.tobytes())
