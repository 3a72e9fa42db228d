"""The database: one engine, one transaction per request or job, committed at the edge, and what leaves after a commit.

Services never commit; they flush when they need a generated value. Work for other processes is put into the outbox of
the session and delivered only once the commit has succeeded, so a rolled-back request leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, event, literal, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Deliver = Callable[[list[object]], Awaitable[None]]
_OUTBOX, _ACTS = "outbox", "acts"


def now() -> datetime:
    """Give the present moment; every stored time is aware and in UTC."""
    return datetime.now(UTC)


def create_engine(dsn: str, *, pool_size: int = 10, command_timeout: float | None = 60) -> AsyncEngine:
    """Make the engine. The DSN goes to asyncpg as it is, so that all libpq allows in it (sslmode, sockets) works."""
    connect = partial(
        asyncpg.connect,
        dsn,
        timeout=10,
        command_timeout=command_timeout,
        server_settings={
            "application_name": "tagphoto",
            # A process frozen inside a transaction must not hold its locks, and events, up for ever.
            "idle_in_transaction_session_timeout": "120000",
            # The default is that of disks that turn: it makes the planner read a whole library for a page of an album.
            "random_page_cost": "1.1",
        },
    )
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_recycle=1800,
        # Parameters hold hashes and addresses; errors end in logs and on jobs.
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "checkout", _require_open)
    return engine


def _require_open(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401  # SQLAlchemy's adapter
    """Have the pool replace a connection that a restarted server has closed.

    The event loop has heard of it: that needs no question to the server, of which a ping by the pool takes three.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def send_after_commit(session: AsyncSession, message: object) -> None:
    """Hold a message until the session's transaction is committed; a rollback discards it."""
    session.info.setdefault(_OUTBOX, []).append(message)


def do_after_commit(session: AsyncSession, act: Callable[[], object]) -> None:
    """Do something small and certain, such as logging, once what it speaks of has happened."""
    session.info.setdefault(_ACTS, []).append(act)


def among(column: Any, ids: Sequence[UUID]) -> ColumnElement[bool]:  # noqa: ANN401  # a mapped column, of whatever table
    """Say that a column is one of these ids: one parameter however many there are."""
    compared: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(Uuid)))
    return compared


async def _nowhere(_messages: list[object]) -> None:
    """Deliver to nobody: for tools that only read and write tables."""


class Database:
    """Opens transactions; the only place that commits."""

    def __init__(self, engine: AsyncEngine, deliver: Deliver = _nowhere) -> None:
        self.engine = engine
        self._deliver = deliver
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction: committed when the block ends well, rolled back otherwise, then the outbox leaves."""
        async with self._sessions() as session:
            yield session
            await session.commit()
        for act in session.info.pop(_ACTS, ()):
            act()
        if outbox := session.info.pop(_OUTBOX, None):
            await self._deliver(outbox)

    async def ping(self) -> None:
        """Fail unless the database answers."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
