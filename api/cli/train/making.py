"""``tagphoto train generate`` and ``sheet``: data that is drawn."""

from __future__ import annotations

from pathlib import Path

import click
from PIL import Image

from ml.training.generate import lettering
from ml.training.generate import sheet as sheets
from ml.training.generate.shards import SAMPLES, store
from ml.training.generate.shards import generate as generated
from ml.training.mnist import lines, read

_FONTS = click.option(
    "--fonts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where free fonts are looked for, beside our own glyphs; else where Linux keeps them, if there are any.",
)
_SYSTEM_FONTS = Path("/usr/share/fonts")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--shards", default=10, show_default=True, help=f"How many files of {SAMPLES} samples there shall be.")
@click.option("--seed", default=1, show_default=True, help="Another seed gives other samples.")
@click.option(
    "--mnist",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Also set the digits of this folder of MNIST's files into a shard.",
)
@_FONTS
def generate(folder: Path, shards: int, seed: int, mnist: Path | None, fonts: Path | None) -> None:
    """Draw training data into a folder. Killed, it goes on where it was."""
    lettering.look_for_fonts_in(fonts or _SYSTEM_FONTS)
    with click.progressbar(length=shards, label="drawing") as bar:
        for _ in generated(folder, seed, shards):
            bar.update(1)
    if mnist is not None:
        store(folder / f"mnist-{seed}.npz", lines(*read(mnist), SAMPLES, seed))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--rows", default=12, show_default=True, help="Rows of the sheet.")
@click.option("--columns", default=8, show_default=True, help="Samples in a row.")
@click.option("--seed", default=1, show_default=True, help="The seed whose samples are shown.")
@click.option("--flat", is_flag=True, help="Show them as they were drawn, before anything is worn and photographed.")
@_FONTS
def sheet(file: Path, rows: int, columns: int, seed: int, *, flat: bool, fonts: Path | None) -> None:
    """Draw a contact sheet of training data, each sample with its truth."""
    lettering.look_for_fonts_in(fonts or _SYSTEM_FONTS)
    Image.fromarray(sheets.sheet(seed, rows, columns, flat=flat)).save(file)
