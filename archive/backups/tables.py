"""The tables of a backup: which, in which order, out of one database and into another, by COPY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg
from alembic import command
from blake3 import blake3
from sqlalchemy import NullPool, String, Table
from sqlalchemy.ext.asyncio import create_async_engine

from archive import schema
from archive.models import Base

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

# What is of its moment or its machine: live processes, signed-in browsers (a restore must not revive a session that
# was ended since), what browsers were told, counted attempts, zips about to be downloaded, what a sweep finds anew. And
# what triggers count again when assets are restored.
_MOMENTARY = frozenset({"worker", "session", "event", "attempt", "selection", "selected_asset", "stray"})
LEFT_OUT = _MOMENTARY | {"timeline_day", "timeline_change"}
# Jobs that ended well are history; a mail asked for before a restore must not be sent weeks later; and the backup that
# is being made is no work to be taken up again.
_ONLY = {"job": "state NOT IN ('done', 'cancelled') AND queue <> 'mail' AND kind <> 'backups.make'"}
# Text of values must not depend on how a server or role is configured.
_SETTINGS = {
    "application_name": "tagphoto backup",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    # The connection that holds the lock says nothing for as long as copying takes; routers forget such ones.
    "tcp_keepalives_idle": "60",
    # A process frozen inside a transaction must not hold the database up for ever.
    "idle_in_transaction_session_timeout": "600000",
}
_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Spec:
    """One table as it is copied."""

    name: str
    columns: tuple[str, ...]
    query: str


def specs() -> list[Spec]:
    """Give the tables, each after those it refers to."""
    return [_spec(table) for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def _spec(table: Table) -> Spec:
    columns = tuple(column.name for column in table.columns if column.computed is None)
    # In one order on every server: what was restored is compared with this.
    order = [f'"{c.name}"' + (' COLLATE "C"' if isinstance(c.type, String) else "") for c in table.primary_key.columns]
    where = f" WHERE {_ONLY[table.name]}" if table.name in _ONLY else ""
    listed = ", ".join(f'"{name}"' for name in columns)
    return Spec(table.name, columns, f'SELECT {listed} FROM "{table.name}"{where} ORDER BY {", ".join(order)}')


async def connect(dsn: str, database: str | None = None) -> Any:  # noqa: ANN401  # asyncpg has no types
    """Connect for copying."""
    named = {"database": database} if database else {}
    return await asyncpg.connect(dsn, timeout=10, server_settings=_SETTINGS, **named)


@asynccontextmanager
async def snapshot(dsn: str) -> AsyncIterator[Any]:
    """See the database as it is now, whatever others do meanwhile."""
    connection = await connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close(timeout=10)


@asynccontextmanager
async def writing(dsn: str, database: str | None = None) -> AsyncIterator[AsyncConnection]:
    """Open one transaction in which schema and rows are made: all of it is there afterwards, or none."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(connect, dsn, database),
        poolclass=NullPool,
        hide_parameters=True,
    )
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


async def driver_of(connection: AsyncConnection) -> Any:  # noqa: ANN401  # asyncpg has no types
    """Give the driver's own connection, in the same transaction."""
    return (await connection.get_raw_connection()).driver_connection


async def migrate(connection: AsyncConnection, revision: str) -> None:
    """Bring a database to a revision."""

    def upgrade(sync: Connection) -> None:
        command.upgrade(schema.config(sync), revision)

    await connection.run_sync(upgrade)


class Export:
    """The rows of a query as CSV; how many they were is known at the end."""

    def __init__(self, connection: Any, query: str, **options: Any) -> None:  # noqa: ANN401  # asyncpg has no types
        self.rows = 0
        self._connection, self._query = connection, query
        self._options = options or {"format": "csv", "header": True}

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Give the bytes as fast as they are taken."""
        ready: asyncio.Queue[bytes | None] = asyncio.Queue()
        room = asyncio.Semaphore(_AHEAD)

        async def take(piece: bytes) -> None:
            await room.acquire()
            ready.put_nowait(piece)

        copying = asyncio.ensure_future(
            self._connection.copy_from_query(self._query, output=take, **self._options),
        )
        copying.add_done_callback(lambda _: ready.put_nowait(None))
        try:
            while (piece := await ready.get()) is not None:
                room.release()
                yield piece
            self.rows = int((await copying).split()[-1])
        finally:
            copying.cancel()
            await asyncio.wait([copying])


async def fill(driver: Any, name: str, columns: list[str], source: AsyncGenerator[bytes, None]) -> int:  # noqa: ANN401
    """Copy rows into a table; gives how many there were."""
    async with aclosing(source):
        status = await driver.copy_to_table(name, source=source, columns=columns, format="csv", header=True)
    return int(status.split()[-1])


async def digest(driver: Any, spec: Spec) -> bytes:  # noqa: ANN401  # asyncpg has no types
    """Give the BLAKE3 of a table as it would be exported."""
    found = blake3()
    async with aclosing(Export(driver, spec.query).pieces()) as pieces:
        async for piece in pieces:
            found.update(piece)
    return found.digest()
