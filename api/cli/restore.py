"""``tagphoto restore``: everything back, on an empty machine, by one command."""

from __future__ import annotations

import json
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

import click

from api.cli import common
from api.cli.backup import progress
from archive.backups import restoring
from archive.backups import target as targets
from archive.backups.restoring import Places, Restored, RootKeys
from archive.db import Database, create_engine
from archive.embedded.servers import reachable
from archive.settings import Settings
from storage import open_store


@click.command()
@click.argument("target")
@click.option("--backup", "backup_id", help="Which backup; the newest if left out.")
@click.option("--root-key", type=click.Path(path_type=Path), help="The root key file, to be put in place.")
@click.option("--recovery-code", help="The recovery code instead of the file; '-' reads it from standard input.")
@click.option("--report", type=click.Path(path_type=Path), help="Also write the answer to this file.")
def restore(
    target: str, backup_id: str | None, root_key: Path | None, recovery_code: str | None, report: Path | None
) -> None:
    """Restore the backup in TARGET into an empty database and the store, then report what was lost, by name.

    When it is interrupted, run it again: it goes on where it was. Exit status 0 says that nothing is lost.
    """
    if root_key and recovery_code:
        message = "Give --root-key or --recovery-code, not both."
        raise click.UsageError(message)
    code = sys.stdin.readline() if recovery_code == "-" else recovery_code

    async def action(settings: Settings) -> Restored:
        keys = RootKeys(settings.key_file, settings.given_root_keys, root_key, code)
        return await _restore(settings, target, backup_id, keys)

    restored = common.run(action)
    answer = json.dumps(asdict(restored), default=str, ensure_ascii=False, indent=2)
    if report:
        report.write_text(answer + "\n", encoding="utf-8")
    click.echo(answer)
    _tell(restored)
    if restored.losses:
        sys.exit(1)


async def _restore(settings: Settings, target: str, backup_id: str | None, keys: RootKeys) -> Restored:
    async with AsyncExitStack() as stack:
        addresses = await stack.enter_async_context(reachable(settings))
        await common.require_database(settings, addresses)
        await common.require_store(addresses)
        stores = [addresses.store, *filter(None, [addresses.mirror])]
        opened = await stack.enter_async_context(targets.opened(target, apart_from=stores, must_exist=True))
        store = open_store(addresses.store)
        stack.push_async_callback(store.close)
        mirror = open_store(addresses.mirror) if addresses.mirror else None
        if mirror is not None:
            stack.push_async_callback(mirror.close)
        database = Database(create_engine(addresses.database, pool_size=2))
        stack.push_async_callback(database.close)
        places = Places(database, addresses.database, store, mirror)
        return await restoring.restore(places, opened, backup_id, keys, progress)


def _tell(restored: Restored) -> None:
    for warning in restored.warnings:
        click.echo(f"tagphoto: {warning}", err=True)
    if not restored.losses:
        click.echo(f"Restored {restored.assets} photos and videos; nothing is lost. Start 'tagphoto serve'.", err=True)
        return
    click.echo(f"tagphoto: {len(restored.losses)} could not be restored:", err=True)
    for loss in restored.losses:
        trashed = ", in the trash" if loss.trashed else ""
        click.echo(f"tagphoto:   {loss.library}: {loss.name} ({loss.what}{trashed}): {loss.reason}", err=True)
