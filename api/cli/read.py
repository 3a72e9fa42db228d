"""``tagphoto read``: the numbers in pictures, without an archive."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from api.cli.pictures import Pictures, opened
from ml.numbers.errors import NumbersError
from ml.numbers.grammar import chosen
from ml.numbers.pipeline import NumberReader, Options
from ml.numbers.reading import Kind, Reading
from ml.numbers.sessions import WEIGHTS
from ml.training.promotion import Models

_THREADS = 2


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document a picture, a line each.")
@click.option(
    "--annotate",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the pictures into this folder, with what was read drawn on them.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in Kind]),
    help="Read only numbers of this kind; may be repeated.",
)
@click.option(
    "--country", "countries", multiple=True, help="Expect only plates of this country, say DE; may be repeated."
)
@click.option(
    "--grammars",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder with grammars of your own.",
)
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder of weights: those that 'tagphoto train promote' put to use there are used.",
)
def read(
    files: Sequence[Path],
    *,
    as_json: bool,
    annotate: Path | None,
    kinds: Sequence[str],
    countries: Sequence[str],
    grammars: Path | None,
    models: Path | None,
) -> None:
    """Read the numbers in pictures: race bibs and licence plates.

    Exit status 1 if a picture could not be read; one without numbers is no fault.
    """
    try:
        options = Options(
            kinds=frozenset(map(Kind, kinds)) or frozenset(Kind),
            countries=tuple(code.upper() for code in countries),
            grammars=(grammars,) if grammars else (),
        )
        if options.countries:
            chosen(options.countries, *options.grammars)
        weights = Models(models).current() if models else WEIGHTS
        reader = NumberReader(weights, threads=_THREADS)
        refused = _read_all(reader, files, options, as_json=as_json, annotate=annotate)
    except NumbersError as error:
        raise click.ClickException(str(error)) from error
    if refused:
        sys.exit(1)


def _read_all(
    reader: NumberReader, files: Sequence[Path], options: Options, *, as_json: bool, annotate: Path | None
) -> int:
    refused: list[Path] = []

    def told(file: Path, why: str) -> None:
        refused.append(file)
        click.echo(f"{file}: {why}", err=True)

    with Pictures() as pictures:
        for file, seen in opened(pictures, files, told):
            readings = reader.read(seen.pixels, options)
            if as_json:
                found = [reading.document(seen.scale) for reading in readings]
                click.echo(json.dumps({"file": str(file), "numbers": found}, ensure_ascii=False))
            else:
                click.echo(_told(file, readings))
            if annotate is not None:
                from api.cli.annotation import annotated  # noqa: PLC0415 -- only who asks for it needs it

                annotate.mkdir(parents=True, exist_ok=True)
                annotated(seen.pixels, readings).save(annotate / f"{file.stem}.png")
    return len(refused)


def _told(file: Path, readings: Sequence[Reading]) -> str:
    if not readings:
        return f"{file}: no number"
    return "\n".join(
        f"{file}: {one.text}  {one.kind}{f' {one.country}' if one.country else ''}  {one.confidence:.0%}"
        f"{'' if one.accepted else '  (look at it)'}"
        for one in readings
    )
