"""The command line: ``tagphoto``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import asyncpg
import click
from sqlalchemy.exc import DBAPIError

from api.cli.lazy import LazyGroup
from archive import __version__
from archive.errors import TagphotoError

_COMMANDS = {
    "serve": "serve:serve",
    "work": "work:work",
    "doctor": "doctor:doctor",
    "migrate": "migrate:migrate",
    "account": "accounts:account",
    "apikey": "apikeys:apikey",
    "scrub": "scrub:scrub",
    "rebuild": "rebuild:rebuild",
    "keys": "keys:keys",
    "backup": "backup:backup",
    "restore": "restore:restore",
    "read": "read:read",
    "convert": "convert:convert",
    "convert-film": "convert_film:convert_one",
    "train": "train:train",
    "duplicates": "duplicates:duplicates",
    "quality": "quality:quality",
    # What the supervisor runs, and what clients are generated from.
    "api-process": "api_process:api_process",
    "worker-process": "worker_process:worker_process",
    "openapi": "openapi:openapi",
}


@click.group(
    cls=LazyGroup, package="api.cli", lazily=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="tagphoto")
def commands() -> None:
    """Tagphoto, a smart photo archive.

    Settings come from TAGPHOTO_* variables and tagphoto.toml; 'tagphoto doctor' shows them.
    """


def main() -> None:
    """Run the command line; what is expected to go wrong is one clear message and exit status 1."""
    try:
        commands(prog_name="tagphoto", standalone_mode=False)
    except TagphotoError as error:
        for line in str(error).splitlines():
            click.echo(f"tagphoto: {line}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except (OSError, DBAPIError, asyncpg.PostgresError) as error:
        click.echo(f"tagphoto: {told(error)}", err=True)
        sys.exit(1)
    finally:
        _let_go_of_a_lost_terminal()


def _let_go_of_a_lost_terminal() -> None:
    """Drop what a terminal that is gone cannot take: flushed at exit, it would make a good end a failure (120)."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def told(error: BaseException) -> str:
    """Give the one line that an error of the system or of the database becomes; some say nothing but their kind."""
    database = isinstance(error, DBAPIError | asyncpg.PostgresError)
    if isinstance(error, DBAPIError):
        error = (error.orig and error.orig.__cause__) or error.orig or error  # the driver's own, without SQLAlchemy's
    text = str(error).partition("\n")[0].strip() or type(error).__name__
    return f"The database refused: {text}" if database else text
