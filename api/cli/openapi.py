"""``tagphoto openapi``: the document clients are generated from, without starting anything."""

from __future__ import annotations

import json

import click

from api.app import create_app


def written() -> str:
    """Write the OpenAPI document, the same for the same code."""

    def never_opened() -> None:
        raise AssertionError

    return json.dumps(create_app(never_opened).openapi(), indent=2, ensure_ascii=False) + "\n"  # type: ignore[arg-type]


@click.command(hidden=True)
def openapi() -> None:
    """Print the OpenAPI document."""
    click.echo(written(), nl=False)
