"""``tagphoto train``: make data, train, judge, use. Only ``run`` and ``export`` need the ``train`` extra."""

from __future__ import annotations

import click

from api.cli.lazy import LazyGroup

_COMMANDS = {
    "generate": "making:generate",
    "sheet": "making:sheet",
    "labels": "labelling:labels",
    "prepare": "labelling:prepare",
    "run": "running:run",
    "export": "running:export",
    "evaluate": "judging:evaluate",
    "promote": "judging:promote",
    "rollback": "judging:rollback",
}


@click.group(cls=LazyGroup, package="api.cli.train", lazily=_COMMANDS)
def train() -> None:
    """Train the recogniser of numbers, on data that is drawn and on readings of your own."""
