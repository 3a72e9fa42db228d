"""Look at a library by time: how much there is of each month or day, pages of it, what it can be narrowed down to."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from archive.access import Caller, Role
from archive.assets import places
from archive.libraries import service as libraries
from archive.timeline import queries, tiles
from archive.timeline.filters import Filters
from archive.timeline.queries import By, Place
from archive.timeline.tiles import Tile

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Value:
    """What a filter can be set to, what people call it, and how many assets it leaves."""

    value: str
    label: str
    label_ru: str | None
    count: int


async def buckets(
    session: AsyncSession, caller: Caller, library_id: UUID, filters: Filters, by: By
) -> list[tuple[date, int]]:
    """Count a library's assets by month or day, the newest first."""
    await libraries.get(session, caller, library_id)
    counted = queries.kept_counts if filters.counted else queries.counts
    return await counted(session, library_id, filters, by)


async def page(
    session: AsyncSession, caller: Caller, library_id: UUID, filters: Filters, *, after: Place | None, limit: int
) -> list[Tile]:
    """List a library's assets, the latest taken first."""
    await libraries.get(session, caller, library_id)
    return await tiles.of(session, await queries.page(session, library_id, filters, after=after, limit=limit))


def days_of(bucket: date, by: By) -> tuple[date, date]:
    """Give the first and the last day of a bucket."""
    if by == "day":
        return bucket, bucket
    return bucket.replace(day=1), bucket.replace(day=monthrange(bucket.year, bucket.month)[1])


async def values(session: AsyncSession, caller: Caller, library_id: UUID, filters: Filters, of: str) -> list[Value]:
    """List what a filter can be set to."""
    await libraries.get(session, caller, library_id)
    rows = await queries.values(session, library_id, filters, of)
    return [Value(value, *_labels(of, value, label), count) for value, label, count in rows]


async def ids(session: AsyncSession, caller: Caller, library_id: UUID, filters: Filters, limit: int) -> list[UUID]:
    """Give the ids of what the filters leave, to somebody who may change it."""
    await libraries.get_for(session, caller, library_id, Role.EDITOR)
    return await queries.ids(session, library_id, filters, limit)


def _labels(of: str, value: str, label: str | None) -> tuple[str, str | None]:
    named = {"place": lambda: places.by_id(int(value)), "country": lambda: places.country(value)}
    if of in named and (name := named[of]()) is not None:
        return name.label, name.label_ru
    return label or value, None
