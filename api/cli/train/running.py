"""``tagphoto train run`` and ``export``: what needs PyTorch."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from api.cli import common
from ml.numbers.errors import NumbersError
from ml.training.config import Training


def _require_torch() -> None:
    if importlib.util.find_spec("torch") is None:
        raise click.ClickException("training needs PyTorch: install the 'train' extra (pip install 'tagphoto[train]')")


def _training(config: Path | None) -> Training:
    try:
        return Training.read(config) if config else Training()
    except NumbersError as error:
        raise click.ClickException(str(error)) from error


_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="training.toml; without it the defaults.",
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--data",
    "data",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of shards; may be repeated.",
)
@click.option(
    "--judge",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of shards to judge on now and then.",
)
@click.option("--base", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A checkpoint to fine-tune.")
@_CONFIG
def run(folder: Path, data: tuple[Path, ...], judge: Path | None, base: Path | None, config: Path | None) -> None:
    """Train in a folder: checkpoint and journal. Killed, it goes on from its last checkpoint."""
    _require_torch()
    from ml.training import loop  # noqa: PLC0415 -- PyTorch takes seconds to load
    from ml.training.batches import Shards  # noqa: PLC0415
    from ml.training.judge import judged  # noqa: PLC0415
    from ml.training.kinds import KINDS  # noqa: PLC0415

    training = _training(config)
    shards = Shards(data, list(KINDS), training.batch, training.seed)
    state = loop.begin(training, list(KINDS), folder, base)
    files = sorted(judge.glob("*.npz")) if judge else []
    with click.progressbar(length=training.steps, label="training") as bar:
        bar.update(state.step)
        try:
            loop.run(
                training,
                shards,
                state,
                folder,
                judge=(lambda model: judged(model, shards, files)) if files else None,
                tick=lambda: bar.update(1),
            )
        except FileNotFoundError as error:
            raise click.ClickException(str(error)) from error


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option("--temperature", default=1.0, show_default=True, help="By what the reader's certainty is divided.")
@_CONFIG
def export(folder: Path, target: Path, temperature: float, config: Path | None) -> None:
    """Write what was trained as a model that runs without PyTorch, with the record of how it came to be."""
    _require_torch()
    from ml.training.export import export as exported  # noqa: PLC0415

    record = exported(_training(config), folder, target, {"temperature": temperature})
    common.print_json({key: record[key] for key in ("version", "parameters", "sha256")})
