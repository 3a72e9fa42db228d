"""``tagphoto backup``: a verified copy of everything, in a folder or bucket apart."""

from __future__ import annotations

import sys

import click

from api.cli import common
from archive.backups import making, recovery
from archive.backups import target as targets
from archive.backups.making import Source
from archive.errors import BackupNotConfigured
from archive.runtime import Runtime
from archive.settings import Settings


@click.command()
@click.argument("target", required=False)
@click.option("--emptied", is_flag=True, help="The target was emptied on purpose; begin there anew.")
def backup(target: str | None, *, emptied: bool) -> None:
    """Make a backup in TARGET, a folder or a file:// or s3:// URL, and prove that it can be restored.

    Without TARGET it goes to TAGPHOTO_BACKUP_URL. Only what is new is copied. The answer is JSON. Exit status 1 says
    that objects could not be read whole and are not in it.
    """

    async def action(settings: Settings) -> dict[str, object]:
        place = target or settings.backup_url
        if place is None:
            raise BackupNotConfigured
        async with common.opened(settings) as runtime:
            stores = [runtime.addresses.store, *filter(None, [runtime.addresses.mirror])]
            async with targets.opened(place, apart_from=stores) as opened:
                await _tell_new_code(runtime)
                source = Source(runtime.database, runtime.addresses.database, runtime.vault, runtime.keyring)
                return _told(await making.make(source, opened, settings.backup_keep, progress, emptied=emptied))

    answer = common.run(action)
    common.print_json(answer)
    if answer["missing"]:
        click.echo("tagphoto: The backup lacks what 'missing' names: the store did not give it whole.", err=True)
        sys.exit(1)


async def progress(done: int, total: int, message: str) -> None:
    """Show people at a terminal how far it is."""
    if sys.stderr.isatty():
        click.echo(f"\r{message}: {done} of {total}   ", nl=done == total, err=True)


async def _tell_new_code(runtime: Runtime) -> None:
    """Show the recovery code when it is new: who makes backups by hand is somebody who can write it down."""
    async with runtime.database.transaction() as session:
        code, new = await recovery.code_and_whether_new(session, runtime.keyring)
    if new:
        click.echo(f"The recovery code of this archive: {code}", err=True)
        click.echo(
            "Keep it on paper, apart from the backups: with a backup and this code everything can be restored. "
            "'tagphoto keys recovery-code' shows it again.",
            err=True,
        )


def _told(made: making.Made) -> dict[str, object]:
    complete = made.complete
    return {
        "id": complete.id,
        "verified": complete.verified,
        "objects": complete.objects,
        "bytes": complete.bytes,
        "new_objects": complete.new_objects,
        "new_bytes": complete.new_bytes,
        "missing": dict(complete.missing),
        "removed": made.removed.backups,
        "note": made.note,
    }
