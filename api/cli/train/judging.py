"""``tagphoto train evaluate``, ``promote`` and ``rollback``: what weights are worth, and which are in use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from api.cli import common
from api.cli.pictures import Pictures
from archive.media.verdict import Refused
from ml.numbers.errors import LabelsInvalid, NumbersError
from ml.numbers.geometry import Picture
from ml.numbers.pipeline import NumberReader, Options
from ml.numbers.reading import Kind
from ml.numbers.sessions import WEIGHTS
from ml.training.evaluation import Evaluation, judge
from ml.training.promotion import Judged, Models
from ml.training.report import write
from ml.training.sets import read_set

_THREADS = 2
_DATA = click.option(
    "--data", required=True, type=click.Path(path_type=Path, file_okay=False), help="A set: labels.csv and images."
)
_WEIGHTS = click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=WEIGHTS,
    help="Weights to judge; without it those that come with the project.",
)
_MODELS = click.option(
    "--models", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder of weights in use."
)


@click.command()
@_DATA
@_WEIGHTS
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON document.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a page with all figures and the worst cases into this folder.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in Kind]),
    help="Read only numbers of this kind; may be repeated.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(["own", "general", "grammar", "zoom"]),
    help="Leave a part out, to see what it is worth; may be repeated.",
)
def evaluate(
    data: Path, weights: Path, *, as_json: bool, report: Path | None, kinds: tuple[str, ...], without: tuple[str, ...]
) -> None:
    """Judge the whole pipeline on a set: what is read right, and how well it is known."""
    options = Options(
        kinds=frozenset(map(Kind, kinds)) or frozenset(Kind),
        own="own" not in without,
        general="general" not in without,
        grammar="grammar" not in without,
        zoom="zoom" not in without,
    )
    with _refusals():
        result = _judged(data, weights, options)
        if report is not None:
            write(result, report, lambda file: Path(data, "images", file))
    if as_json:
        common.print_json(result.document())
    else:
        for name, value in result.document().items():
            click.echo(f"{name:<20} {value}")


@click.command()
@click.argument("candidate", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_DATA
@_MODELS
def promote(candidate: Path, data: Path, models: Path) -> None:
    """Use weights from now on, if they read more of a held-out set right than those in use."""
    with _refusals():
        kept = Models(models)
        new, old = (_judged(data, weights, Options()) for weights in (candidate, kept.current()))
        target = kept.promote(candidate, _right(new), _right(old))
    click.echo(f"in use: {target}")


@click.command()
@_MODELS
def rollback(models: Path) -> None:
    """Go back to the weights that were in use before."""
    with _refusals():
        click.echo(f"in use: {Models(models).roll_back()}")


@contextmanager
def _refusals() -> Iterator[None]:
    """Make what is expected to go wrong one clear line."""
    try:
        yield
    except NumbersError as error:
        raise click.ClickException(str(error)) from error


def _judged(data: Path, weights: Path, options: Options) -> Evaluation:
    labelled = read_set(data)
    reader = NumberReader(weights, _THREADS)
    result = Evaluation()
    with Pictures() as pictures, click.progressbar(labelled, label="judging", file=sys.stderr) as bar:
        for one in bar:
            judge(result, one, _loaded(pictures, one.file), lambda picture: reader.read(picture, options))
    return result


def _loaded(pictures: Pictures, file: Path) -> Picture:
    try:
        return pictures.pixels(file)
    except (OSError, Refused) as error:
        raise LabelsInvalid(f"{file}: {error}") from error


def _right(result: Evaluation) -> Judged:
    return Judged(sum(case.right for case in result.cases) / max(len(result.cases), 1), len(result.cases))
