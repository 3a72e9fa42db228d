"""Run the benchmarks named, or all of them: ``./run bench [NAME…] [--json FILE]``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tests.bench import (
    conversions,
    duplicates,
    http,
    ingest,
    jobs,
    looks,
    numbers,
    quality,
    sandbox,
    sealing,
    space,
    start,
    timeline,
    transfers,
)
from tests.bench.figure import Figure

BENCHES = {
    "start": start.measure,
    "http": http.measure,
    "jobs": jobs.measure,
    "sealing": sealing.measure,
    "bytes": transfers.measure,
    "sandbox": sandbox.measure,
    "ingest": ingest.measure,
    "timeline": timeline.measure,
    "numbers": numbers.measure,
    "duplicates": duplicates.measure,
    "looks": looks.measure,
    "quality": quality.measure,
    "space": space.measure,
    "lossy": conversions.lossy,
    "convert": conversions.conversions,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write the figures, an object a line.")
@click.option(
    "--photos",
    type=click.Path(path_type=Path, exists=True),
    help="Measure by these instead of made ones.",
)
@click.option(
    "--labelled", type=click.Path(path_type=Path, exists=True), help="Photos named …_S sharp, …_F and …_M not."
)
def main(names: tuple[str, ...], file: Path | None, photos: Path | None, labelled: Path | None) -> None:
    """Print figures; a ratio is to the yardstick named beside it, taken in the same run."""
    figures: list[Figure] = []
    benches = BENCHES | {
        "duplicates": lambda: duplicates.measure(photos),
        "quality": lambda: quality.measure(photos, labelled),
        "space": lambda: space.measure(photos),
        "lossy": lambda: conversions.lossy(photos),
        "convert": lambda: conversions.conversions(photos),
    }
    for name in names or BENCHES:
        for figure in benches[name]():
            figures.append(figure)
            click.echo(figure.written())
    if file:
        file.write_text("".join(json.dumps(figure.document()) + "\n" for figure in figures))


if __name__ == "__main__":
    main()
