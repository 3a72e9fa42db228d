"""``tagphoto train labels`` and ``prepare``: labels that people made."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from api.cli import common
from api.cli.pictures import Pictures
from archive.media.verdict import Refused
from ml.numbers.errors import LabelsInvalid, NumbersError
from ml.training.labels import read_labels
from ml.training.labels.prepare import Plan
from ml.training.labels.prepare import prepare as prepared
from ml.training.labels.quality import report

_HELD_AT_ONCE = 4


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
def labels(source: Path) -> None:
    """Report on labels: Mechanical Turk, VOC, YOLO, COCO, Label Studio, labels.csv.

    What each worker agrees with, what can hardly be right and where it stands, and what is not settled, as JSON.
    """
    try:
        name, annotations = read_labels(source)
    except NumbersError as error:
        raise click.ClickException(str(error)) from error
    common.print_json({"format": name, **report(annotations)})


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--pictures",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Where the pictures are.",
)
@click.option("--kind", default="bib", show_default=True, help="What the numbers are: bib, or the code of a country.")
@click.option(
    "--held-out",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0, 0.9),
    help="The share of events that is kept to judge on.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed parts the events otherwise.")
def prepare(source: Path, target: Path, folder: Path, kind: str, held_out: float, seed: int) -> None:
    """Prepare labels for training: crops, and a held-out set of whole events to judge on."""
    with Pictures() as pictures:

        @lru_cache(_HELD_AT_ONCE)
        def load(name: str) -> NDArray[np.uint8]:
            try:
                return pictures.pixels(folder / name)
            except (OSError, Refused) as error:
                raise LabelsInvalid(f"{folder / name}: {error}") from error

        try:
            _, annotations = read_labels(source)
            done = prepared(annotations, load, target, Plan(kind, held_out, seed))
        except NumbersError as error:
            raise click.ClickException(str(error)) from error
    click.echo(
        f"{done.training} numbers to train on, {done.held_out} held out, of {done.events} events; "
        f"{done.left_out} left out (tagphoto train labels says why)"
    )
