"""``tagphoto train``: make data, train, judge, use. Only ``run`` and ``export`` need the ``train`` extra."""

from __future__ import annotations

import importlib

import click

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


class _Commands(click.Group):
    """Imports a command when it is called, as the whole command line does."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of the work."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(f"api.cli.train.{module}"), name)
        return found


@click.group(cls=_Commands)
def train() -> None:
    """Train the recogniser of numbers, on data that is drawn and on readings of your own."""
