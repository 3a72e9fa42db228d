"""One asset takes the places of others in albums, and gives them back. Who may change the assets was asked before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update

from archive.db import among
from archive.events.service import publish
from archive.models import Album, AlbumAsset

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

# The albums an asset came into, and those of which it became the cover, with the cover they had.
Places = tuple[list[UUID], dict[UUID, UUID]]


async def hold(session: AsyncSession, asset_ids: Sequence[UUID]) -> None:
    """Lock the albums of some assets, before the assets are: whoever changes an album does it in that order."""
    holding = select(AlbumAsset.album_id).where(among(AlbumAsset.asset_id, asset_ids))
    wanted = or_(Album.id.in_(holding), among(Album.cover_id, asset_ids))
    await session.execute(select(Album.id).where(wanted).order_by(Album.id).with_for_update(key_share=True))


async def stand_in(session: AsyncSession, asset_id: UUID, others: Sequence[UUID], added_by: UUID) -> Places:
    """Put an asset into the albums of others, at the first of their places there, and on their covers."""
    mine = select(AlbumAsset.album_id).where(AlbumAsset.asset_id == asset_id)
    theirs = (
        select(AlbumAsset.album_id, func.min(AlbumAsset.place))
        .where(among(AlbumAsset.asset_id, others), AlbumAsset.album_id.not_in(mine))
        .group_by(AlbumAsset.album_id)
        .order_by(AlbumAsset.album_id)
    )
    places = {row[0]: row[1] for row in await session.execute(theirs)}
    rows = [
        {"album_id": album_id, "asset_id": asset_id, "place": place, "added_by": added_by}
        for album_id, place in places.items()
    ]
    if rows:
        await session.execute(insert(AlbumAsset), rows)
    covered = select(Album.id, Album.cover_id).where(among(Album.cover_id, others)).order_by(Album.id)
    covers = {row[0]: row[1] for row in await session.execute(covered) if row[1] is not None}
    await session.execute(update(Album).where(among(Album.id, list(covers))).values(cover_id=asset_id))
    await _changed(session, [*places, *covers])
    return list(places), covers


async def step_back(session: AsyncSession, asset_id: UUID, places: Places) -> None:
    """Take an asset out of the albums it came into so, and off the covers, where nobody has changed that since."""
    joined, covers = places
    gone = delete(AlbumAsset).where(AlbumAsset.asset_id == asset_id, among(AlbumAsset.album_id, joined))
    await session.execute(gone)
    for album_id, cover_id in covers.items():
        there = select(AlbumAsset.asset_id).where(AlbumAsset.album_id == album_id, AlbumAsset.asset_id == cover_id)
        back = update(Album).where(Album.id == album_id, Album.cover_id == asset_id, there.exists())
        await session.execute(back.values(cover_id=cover_id))
    left = update(Album).where(among(Album.id, joined), Album.cover_id == asset_id)
    await session.execute(left.values(cover_id=None))
    await _changed(session, [*joined, *covers])


async def _changed(session: AsyncSession, album_ids: Sequence[UUID]) -> None:
    ids = sorted(set(album_ids))
    statement = update(Album).where(among(Album.id, ids)).values(updated_at=func.clock_timestamp())
    for album_id, library_id in await session.execute(statement.returning(Album.id, Album.library_id)):
        publish(session, "album.changed", {"id": str(album_id)}, library_id)
