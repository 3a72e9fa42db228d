"""Scores of a folder's pictures beside each other, and the best of each burst."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import click

from api.cli.common import print_json
from api.cli.folder.report import member, shown
from api.cli.folder.seen import Seen
from ml.duplicates.compare import Kind
from ml.duplicates.grouping import Link, Member, bursts, relate
from ml.quality.ranking import best_of_burst, merit, percentiles
from ml.quality.scores import Scores
from ml.quality.verdicts import Verdict, film_verdicts, verdicts


@dataclass(frozen=True, slots=True)
class Rated:
    """One picture or film."""

    seen: Seen
    scores: Scores | None
    verdicts: tuple[Verdict, ...]
    # The part of the folder's pictures that are less sharp.
    percentile: float | None
    best_of_burst: bool


def read(words: Iterable[str]) -> set[Verdict]:
    """Read verdicts as people write them."""
    try:
        return {Verdict(word.replace("-", "_")) for word in words}
    except ValueError as error:
        message = f"{error}: verdicts are {', '.join(Verdict)}."
        raise click.UsageError(message) from error


def rated(seen: Sequence[Seen]) -> list[Rated]:
    """Rate all that could be looked at."""
    looked = [one for one in seen if one.looked]
    scores = [one.looked.scores if one.looked else None for one in looked]
    places = percentiles([one.sharpness if one else None for one in scores])
    best = _best(looked, scores)
    return [
        Rated(one, score, _verdicts(one, score), place, number in best)
        for number, (one, score, place) in enumerate(zip(looked, scores, places, strict=True))
    ]


def _verdicts(seen: Seen, scores: Scores | None) -> tuple[Verdict, ...]:
    if scores:
        return verdicts(scores)
    return film_verdicts(seen.looked.look.duration_ms) if seen.looked else ()


def _best(looked: Sequence[Seen], scores: Sequence[Scores | None]) -> set[int]:
    """Give the best of each burst: shots in a row that are alike."""
    members = [member(number, one) for number, one in enumerate(looked)]
    best = set()
    for burst in bursts(members, _alike):
        shots = [(number, score) for number in burst if (score := scores[number])]
        place = best_of_burst([score for _, score in shots])
        if place is not None:
            best.add(shots[place][0])
    return best


def _alike(first: Member, second: Member) -> Link | None:
    found = relate(first, second)
    return Link(first.number, second.number, found) if found and found.kind is Kind.SIMILAR else None


def show(chosen: Sequence[Rated], seen: Sequence[Seen], *, as_json: bool, best: bool, failed: Sequence[str]) -> None:
    """Print them in order; what could not be read goes to standard error."""
    ordered = sorted(chosen, key=lambda one: merit(one.scores) if one.scores else -99.0, reverse=best)
    unread = [(one.file.path, one.failure) for one in seen if one.failure]
    if as_json:
        print_json(
            {
                "pictures": [_document(one) for one in ordered],
                "unread": [{"path": str(path), "why": why} for path, why in unread],
                "failed": list(failed),
            }
        )
        return
    click.echo(f"{'sharpness':>10} {'percentile':>10} {'at 100 %':>9} {'noise':>6}")
    for one in ordered:
        click.echo(_written(one))
    for path, why in unread:
        click.echo(f"tagphoto: {shown(path)}: {why}", err=True)
    for line in failed:
        click.echo(f"tagphoto: {line}", err=True)


def _document(one: Rated) -> dict[str, object]:
    return {
        "path": str(one.seen.file.path),
        "verdicts": list(one.verdicts),
        "percentile": one.percentile,
        "best_of_burst": one.best_of_burst,
        "scores": asdict(one.scores) if one.scores else None,
    }


def _written(one: Rated) -> str:
    def number(value: float | None, digits: int, width: int) -> str:
        return f"{value:{width}.{digits}f}" if value is not None else f"{'-':>{width}}"

    scores = one.scores
    columns = (
        number(scores.sharpness if scores else None, 2, 10),
        number(one.percentile and 100 * one.percentile, 0, 10),
        number(scores.sharpest if scores else None, 2, 9),
        number(scores.noise if scores else None, 1, 6),
    )
    words = ", ".join(one.verdicts)
    return f"{' '.join(columns)} {'+' if one.best_of_burst else ' '} {shown(one.seen.file.path)}  {words}".rstrip()
