"""``tagphoto migrate``: bring the database's schema to this version."""

from __future__ import annotations

import click

from api.cli import common
from archive import schema
from archive.embedded.servers import reachable
from archive.settings import Settings


@click.command()
def migrate() -> None:
    """Bring the database's schema to this version. 'serve' does it too; this is for those who want it apart."""
    common.run(_migrate)


async def _migrate(settings: Settings) -> None:
    async with reachable(settings) as addresses:
        await common.require_database(settings, addresses)
        before = await schema.current(addresses.database)
        await schema.upgrade(addresses.database)
    common.print_json({"before": before, "now": schema.head()})
