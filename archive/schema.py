"""Bring the database's schema to this version. Any number of hosts may try at once: one does it, the others wait."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from archive.db import create_engine
from archive.errors import StartRefused

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FOLDER = Path(__file__).resolve().parents[1] / "migrations"
LOCK = 7_461_870  # any number, the same in every version


def config(connection: Connection | None = None) -> Config:
    """Give Alembic's configuration, with the connection its environment shall use."""
    made = Config()
    made.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def head() -> str:
    """Give the revision this version of the program needs."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


async def current(dsn: str) -> str | None:
    """Give the revision the database is at; None for an empty one."""
    engine = create_engine(dsn, pool_size=1)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    finally:
        await engine.dispose()


async def upgrade(dsn: str) -> None:
    """Run the migrations that are missing."""
    # Large tables, and another host that migrates them just now, take as long as they take.
    engine = create_engine(dsn, pool_size=1, command_timeout=None)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


async def require_current(dsn: str, patience: float = 60.0) -> None:
    """Wait until the schema is at this version: another host may be migrating. Then refuse."""
    needed, waited = head(), 0.0
    while (found := await current(dsn)) != needed:
        if waited >= patience:
            message = (
                f"The database's schema is at {found or 'nothing'}, this version needs {needed}. "
                "Run 'tagphoto migrate' once, or start 'tagphoto serve', which does it."
            )
            raise StartRefused(message)
        await asyncio.sleep(1)
        waited += 1


def _upgrade(connection: Connection) -> None:
    revisions = ScriptDirectory.from_config(config())
    found = MigrationContext.configure(connection).get_current_revision()
    if found and found not in {script.revision for script in revisions.walk_revisions()}:
        message = f"The database's schema is at {found}, which this version does not know: it was made by a newer one."
        raise StartRefused(message)
    command.upgrade(config(connection), "head")
