"""Put tags on assets, take them off, list them. Who may change the assets was asked before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from archive.access import Caller
from archive.libraries import service as libraries
from archive.tags import queries

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Tag

Source = Literal["file", "user"]
_LONGEST = 200


async def page(
    session: AsyncSession, caller: Caller, library_id: UUID, *, after: str | None, limit: int
) -> list[tuple[Tag, int]]:
    """List a library's tags by name, and how many assets have each."""
    await libraries.get(session, caller, library_id)
    return await queries.counted(session, library_id, after=after, limit=limit)


async def of(session: AsyncSession, asset_id: UUID) -> list[tuple[Tag, str]]:
    """List an asset's tags."""
    return await queries.of(session, asset_id)


async def add(
    session: AsyncSession, library_id: UUID, asset_ids: Sequence[UUID], names: Sequence[str], source: Source
) -> None:
    """Put tags on assets of a library."""
    await _put_on(session, library_id, asset_ids, names, source)


async def remove(session: AsyncSession, library_id: UUID, asset_ids: Sequence[UUID], names: Sequence[str]) -> None:
    """Take tags off assets of a library."""
    await queries.take_off(session, asset_ids, only=await queries.ids(session, library_id, names))


async def replace(
    session: AsyncSession, library_id: UUID, asset_ids: Sequence[UUID], names: Sequence[str], source: Source
) -> None:
    """Give assets of a library these tags and no others. By hand, one that was there stays as it came; the file's own
    are the file's whoever had put them there too.
    """
    if source == "file" or not names:
        await queries.take_off(session, asset_ids)
        await _put_on(session, library_id, asset_ids, names, source)
        return
    kept = await _put_on(session, library_id, asset_ids, names, source)
    await queries.take_off(session, asset_ids, but=kept)


async def _put_on(
    session: AsyncSession, library_id: UUID, asset_ids: Sequence[UUID], names: Sequence[str], source: Source
) -> list[UUID]:
    # Files say all sorts of things.
    words = [word for name in names if (word := " ".join(name.split())[:_LONGEST])]
    if not words:
        return []
    await queries.make(session, library_id, words)
    found = await queries.ids(session, library_id, words)
    await queries.put_on(session, found, asset_ids, source)
    return found
