"""Commands that are imported when they are called: a start must not wait for what the other commands need."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click


class LazyGroup(click.Group):
    """A group whose commands are named as ``module:name`` within a package."""

    def __init__(self, *, package: str, lazily: Mapping[str, str], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # click's own
        self._package, self._lazily = package, lazily

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands, in their order."""
        del ctx
        return list(self._lazily)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in self._lazily:
            return None
        module, _, name = self._lazily[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(f"{self._package}.{module}"), name)
        return found
