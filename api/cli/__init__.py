"""The command line: ``tagphoto``."""

from __future__ import annotations

import sys

import click

from api.cli import accounts, apikeys, doctor, migrate, openapi, serve, work
from archive import __version__
from archive.errors import TagphotoError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tagphoto")
def commands() -> None:
    """Tagphoto, a smart photo archive.

    Settings come from TAGPHOTO_* variables and tagphoto.toml; 'tagphoto doctor' shows them.
    """


for command in (serve.serve, work.work, doctor.doctor, migrate.migrate, accounts.account, apikeys.apikey):
    commands.add_command(command)
for hidden in (serve.api_process, work.worker_process, openapi.openapi):
    commands.add_command(hidden)


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
    except OSError as error:
        click.echo(f"tagphoto: {error}", err=True)
        sys.exit(1)
