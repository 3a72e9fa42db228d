"""The SQL of tags. Who may see the library was asked before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ARRAY, Select, String, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from archive.db import among
from archive.ids import new_id
from archive.models import Asset, AssetTag, Tag

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


async def counted(session: AsyncSession, library_id: UUID, *, after: str | None, limit: int) -> list[tuple[Tag, int]]:
    """List the tags that assets have which are not in the trash, by name."""
    statement = (
        select(Tag, func.count())
        .join(AssetTag, AssetTag.tag_id == Tag.id)
        .join(Asset, Asset.id == AssetTag.asset_id)
        .where(Tag.library_id == library_id, Asset.trashed_at.is_(None))
        .group_by(Tag.id)
        .order_by(func.lower(Tag.name))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(func.lower(Tag.name) > func.lower(after))
    return [(row[0], row[1]) for row in await session.execute(statement)]


async def of(session: AsyncSession, asset_id: UUID) -> list[tuple[Tag, str]]:
    """List an asset's tags by name, and where each came from."""
    statement = select(Tag, AssetTag.source).join(AssetTag, AssetTag.tag_id == Tag.id)
    rows = await session.execute(statement.where(AssetTag.asset_id == asset_id).order_by(func.lower(Tag.name)))
    return [(row[0], row[1]) for row in rows]


async def ids(session: AsyncSession, library_id: UUID, names: Sequence[str]) -> list[UUID]:
    """Give the tags of these names, in whatever case."""
    statement = select(Tag.id).where(Tag.library_id == library_id, func.lower(Tag.name).in_(_lowered(names)))
    return list(await session.scalars(statement))


async def make(session: AsyncSession, library_id: UUID, names: Sequence[str]) -> None:
    """Make the tags that are not there yet."""
    # In one order, so that two who make the same ones do not wait for each other.
    rows = [{"id": new_id(), "library_id": library_id, "name": name} for name in sorted(names, key=str.lower)]
    await session.execute(insert(Tag).values(rows).on_conflict_do_nothing())


async def put_on(session: AsyncSession, tag_ids: Sequence[UUID], asset_ids: Sequence[UUID], source: str) -> None:
    """Put tags on assets; where one is already it stays as it is."""
    # Each with each.
    pairs = select(Tag.id, Asset.id, literal(source)).join_from(Tag, Asset, Asset.library_id == Tag.library_id)
    every = pairs.where(among(Tag.id, tag_ids), among(Asset.id, asset_ids))
    statement = insert(AssetTag).from_select(["tag_id", "asset_id", "source"], every)
    await session.execute(statement.on_conflict_do_nothing())


async def take_off(
    session: AsyncSession, asset_ids: Sequence[UUID], *, only: Sequence[UUID] | None = None, but: Sequence[UUID] = ()
) -> None:
    """Take tags off assets: all of them, only some, or all but some."""
    statement = delete(AssetTag).where(among(AssetTag.asset_id, asset_ids))
    if only is not None:
        statement = statement.where(among(AssetTag.tag_id, only))
    if but:
        statement = statement.where(~among(AssetTag.tag_id, but))
    await session.execute(statement)


def _lowered(names: Sequence[str]) -> Select[str]:
    # By the database, whose idea of case the index has.
    given = func.unnest(literal(list(names), ARRAY(String))).column_valued("given")
    return select(func.lower(given))
