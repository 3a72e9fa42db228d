"""How Alembic reaches the database: on the connection ``archive.schema`` hands over, or on one from the settings."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection

from archive.models import Base


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


async def _from_settings() -> None:
    from archive.db import create_engine  # noqa: PLC0415  # only the alembic command itself comes here
    from archive.embedded import addresses  # noqa: PLC0415
    from archive.settings import read_settings  # noqa: PLC0415

    engine = create_engine(addresses(read_settings()).database, pool_size=1)
    async with engine.begin() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    asyncio.run(_from_settings())
