"""Publish events and read them back in an order in which none can be missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from sqlalchemy import BigInteger, literal, select, text, tuple_

from archive.models import Event

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL = "tagphoto_events"
_DIGITS = 18
# After every event of a transaction.
_LAST = 10**_DIGITS - 1
# The first transaction nobody has ended yet.
_UPCOMING = text("pg_snapshot_xmax(pg_current_snapshot())::text::bigint")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a reader stands: after this (transaction, id). Clients see it as the id of the last event."""

    transaction: int
    id: int

    def __str__(self) -> str:
        """Write it as ``Last-Event-ID`` carries it."""
        return f"{self.transaction}-{self.id}"

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """Read it back; nonsense from a client is no position."""
        transaction, _, number = written.partition("-")
        # Up to 18 digits are a bigint for certain; no installation gets further.
        if not (transaction.isdecimal() and number.isdecimal() and max(len(transaction), len(number)) <= _DIGITS):
            return None
        return cls(int(transaction), int(number))


@dataclass(frozen=True, slots=True)
class Published:
    """An event as its readers get it."""

    position: Position
    kind: str
    library_id: UUID | None
    data: dict[str, Any]


def publish(session: AsyncSession, kind: str, data: dict[str, Any], library_id: UUID | None = None) -> None:
    """Tell everybody who may see it, once the transaction is committed: a trigger of the table rings for it."""
    session.add(Event(kind=kind, library_id=library_id, data=data))


async def read_after(session: AsyncSession, position: Position, limit: int = 500) -> list[Published]:
    """Read what comes after a position, up to the oldest transaction still running.

    A later id can be committed before an earlier one. Nothing at or above the oldest running transaction is shown yet,
    so whatever commits later sorts after everything a reader has seen.
    """
    rows = await session.scalars(
        select(Event)
        .where(
            tuple_(Event.transaction, Event.id) > tuple_(position.transaction, position.id),
            Event.transaction < text("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"),
        )
        .order_by(Event.transaction, Event.id)
        .limit(limit)
    )
    return [Published(Position(row.transaction, row.id), row.kind, row.library_id, row.data) for row in rows]


async def unsettled(session: AsyncSession, position: Position) -> bool:
    """Say whether committed events wait for an older transaction to end.

    Rows of another cluster, restored with a dump, may carry transactions that are still to come here: nobody waits for
    those.
    """
    waiting = select(Event.id).where(
        tuple_(Event.transaction, Event.id) > tuple_(position.transaction, position.id),
        Event.transaction < _UPCOMING,
    )
    return await session.scalar(waiting.limit(1)) is not None


async def readable_from(session: AsyncSession, position: Position) -> bool:
    """Say whether everything after a position can still be read here.

    Not so for a position of another cluster, which may lie ahead of every transaction, nor when nothing as old as it is
    kept: then something after it may be forgotten too.
    """
    kept = select(Event.id).where(
        tuple_(Event.transaction, Event.id) <= tuple_(position.transaction, position.id),
        literal(position.transaction, BigInteger) < _UPCOMING,
    )
    return await session.scalar(kept.limit(1)) is not None


async def present(session: AsyncSession) -> Position:
    """Give the position of now: a reader who starts here sees only what commits later."""
    oldest = await session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
    return Position(int(oldest or 0) - 1, _LAST)
