"""A page about an evaluation: figures by group, what is mistaken for what, calibration, the worst cases as pictures."""

from __future__ import annotations

import html
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ml.numbers.geometry import size
from ml.training.evaluation import Case, Evaluation

_WORST = 40
_BINS = 10


def write(result: Evaluation, folder: Path, picture: Callable[[str], Path]) -> None:
    """Write ``report.json`` and ``report.html``, with the pictures of the worst cases beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        **result.document(),
        "by_country": _grouped(result.cases, lambda case: (case.reading and case.reading.country) or "none"),
        "by_height": _grouped(result.cases, _height),
        "by_rows": _grouped(result.cases, lambda case: str(case.reading.rows) if case.reading else "not found"),
        "mistaken": mistaken(result.cases),
        "calibration": calibration(result),
        "worst": [_told(case) for case in _worst(result.cases)],
    }
    (folder / "report.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for case in _worst(result.cases):
        source = picture(case.file)
        if source.exists():
            shutil.copyfile(source, folder / case.file)
    (folder / "report.html").write_text(_page(document), "utf-8")


def mistaken(cases: Sequence[Case]) -> dict[str, int]:
    """Count which character is read for which, where the lengths agree: ``0>O`` is a 0 read as an O."""
    pairs: Counter[str] = Counter()
    for case in cases:
        if case.reading and len(case.reading.text) == len(case.label.text):
            pairs.update(f"{a}>{b}" for a, b in zip(case.label.text, case.reading.text, strict=True) if a != b)
    return dict(pairs.most_common())


def calibration(result: Evaluation) -> list[dict[str, float]]:
    """Give, for each tenth of confidence, what was told and what was right."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for reading, right in result.readings:
        bins[min(int(reading.confidence * _BINS), _BINS - 1)].append((reading.confidence, right))
    return [
        {
            "told": round(sum(c for c, _ in there) / len(there), 4),
            "right": round(sum(r for _, r in there) / len(there), 4),
            "count": len(there),
        }
        for _, there in sorted(bins.items())
    ]


def _grouped(cases: Sequence[Case], by: Callable[[Case], str]) -> dict[str, dict[str, float]]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        groups[by(case)].append(case.right)
    return {name: {"count": len(r), "right": round(sum(r) / len(r), 4)} for name, r in sorted(groups.items())}


def _height(case: Case) -> str:
    if case.label.corners is None:
        return "unknown"
    tall = size(case.label.corners)[1]
    low = next((limit for limit in (12, 20, 32, 64) if tall < limit), None)
    return f"under {low} px" if low else "64 px and more"


def _worst(cases: Sequence[Case]) -> list[Case]:
    wrong = [case for case in cases if not case.right]
    return sorted(wrong, key=lambda case: -(case.reading.confidence if case.reading else 0))[:_WORST]


def _told(case: Case) -> dict[str, Any]:
    return {
        "file": case.file,
        "wanted": case.label.text,
        "read": case.reading.text if case.reading else None,
        "confidence": round(case.reading.confidence, 4) if case.reading else None,
    }


def _page(document: dict[str, Any]) -> str:
    figures = "".join(
        f"<tr><th>{html.escape(name)}<td>{html.escape(str(value))}"
        for name, value in document.items()
        if not isinstance(value, dict | list)
    )
    tables = "".join(
        f"<h2>{html.escape(name)}</h2><pre>{html.escape(json.dumps(document[name], indent=1))}</pre>"
        for name in ("by_country", "by_height", "by_rows", "mistaken", "calibration")
    )
    worst = "".join(_figure(one) for one in document["worst"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation</title>'
        f"<h1>Evaluation</h1><table>{figures}</table>{tables}<h2>worst</h2>{worst}</html>\n"
    )


def _figure(one: dict[str, Any]) -> str:
    said = html.escape(f"{one['wanted']} read as {one['read']} ({one['confidence']})")
    source = html.escape(one["file"], quote=True)
    return f'<figure><img src="{source}" height="160" alt=""><figcaption>{said}</figcaption></figure>'
