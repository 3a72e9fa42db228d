"""The SQL of albums: it starts from the libraries the caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, delete, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from archive.access import Caller, Role
from archive.db import among
from archive.errors import Forbidden, NotFound
from archive.libraries.queries import visible
from archive.models import Album, AlbumAsset, Asset, SelectedAsset

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

# Behind the last one of a page: when it was taken or its place, and its id.
Position = tuple[datetime | float, UUID]


@dataclass(frozen=True, slots=True)
class Extent:
    """How much an album has, and from when."""

    count: int
    first: datetime | None
    last: datetime | None


NOTHING = Extent(0, None, None)


async def page(session: AsyncSession, library_id: UUID, *, before: UUID | None, limit: int) -> list[Album]:
    """List a library's albums, the newest first."""
    statement = select(Album).where(Album.library_id == library_id).order_by(Album.id.desc()).limit(limit)
    return list(await session.scalars(statement if before is None else statement.where(Album.id < before)))


async def get(
    session: AsyncSession, caller: Caller, album_id: UUID, role: Role = Role.VIEWER, *, lock: bool = False
) -> Album:
    """Find an album of a library in which the caller is at least this."""
    memberships = visible(caller).subquery()
    statement = (
        select(Album, memberships.c.role)
        .join(memberships, memberships.c.id == Album.library_id)
        .where(Album.id == album_id)
    )
    row = (
        await session.execute(statement.with_for_update(of=Album, key_share=True) if lock else statement)
    ).one_or_none()
    if row is None:
        noun = "album"
        raise NotFound(noun)
    if not Role(row[1]).at_least(role):
        message = f"You are {row[1]} of this library; this needs {role}."
        raise Forbidden(message)
    album: Album = row[0]
    return album


async def extents(session: AsyncSession, album_ids: Sequence[UUID]) -> dict[UUID, Extent]:
    """Say how much each album has, and from when."""
    statement = (
        select(AlbumAsset.album_id, func.count(), func.min(Asset.taken_at), func.max(Asset.taken_at))
        .join(Asset, Asset.id == AlbumAsset.asset_id)
        .where(among(AlbumAsset.album_id, album_ids), Asset.in_timeline)
        .group_by(AlbumAsset.album_id)
    )
    return {row[0]: Extent(row[1], row[2], row[3]) for row in await session.execute(statement)}


async def covers(session: AsyncSession, album_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Give each album's cover: the chosen one if it is still to be seen there, else the first in its order."""
    chosen = case((Asset.id == Album.cover_id, 0), else_=1)
    statement = (
        select(AlbumAsset.album_id, Asset.id)
        .ext(distinct_on(AlbumAsset.album_id))
        .join(Asset, Asset.id == AlbumAsset.asset_id)
        .join(Album, Album.id == AlbumAsset.album_id)
        .where(among(AlbumAsset.album_id, album_ids), Asset.in_timeline)
        .order_by(
            AlbumAsset.album_id,
            chosen,
            case((Album.order == "newest", Asset.taken_at)).desc(),
            case((Album.order == "oldest", Asset.taken_at)),
            case((Album.order == "manual", AlbumAsset.place)),
            Asset.id,
        )
    )
    return {row[0]: row[1] for row in await session.execute(statement)}


async def assets(
    session: AsyncSession, album: Album, *, after: Position | None, limit: int
) -> list[tuple[Asset, float]]:
    """List an album's assets in its order, with their places."""
    statement = _members(album.id)
    first: Any = AlbumAsset.place if album.order == "manual" else Asset.taken_at
    if album.order == "newest":
        behind = None if after is None else tuple_(first, Asset.id) < tuple_(*after)
        order = [first.desc(), Asset.id.desc()]
    else:
        behind = None if after is None else tuple_(first, Asset.id) > tuple_(*after)
        order = [first, Asset.id]
    statement = statement if behind is None else statement.where(behind)
    return [(row[0], row[1]) for row in await session.execute(statement.order_by(*order).limit(limit))]


def _members(album_id: UUID) -> Select[Asset, float]:
    statement = select(Asset, AlbumAsset.place).join(AlbumAsset, AlbumAsset.asset_id == Asset.id)
    return statement.where(AlbumAsset.album_id == album_id, Asset.in_timeline)


async def member(session: AsyncSession, album_id: UUID, asset_id: UUID) -> Asset | None:
    """Find an asset that is to be seen in an album."""
    row = (await session.execute(_members(album_id).where(Asset.id == asset_id))).one_or_none()
    return None if row is None else row[0]


async def holding(session: AsyncSession, asset_id: UUID) -> list[Album]:
    """List the albums an asset is in."""
    statement = select(Album).join(AlbumAsset, AlbumAsset.album_id == Album.id)
    return list(await session.scalars(statement.where(AlbumAsset.asset_id == asset_id).order_by(Album.id)))


async def theirs(session: AsyncSession, library_id: UUID, asset_ids: Sequence[UUID]) -> set[UUID]:
    """Say which of these are assets of a library; they stay so until the transaction ends."""
    statement = select(Asset.id).where(among(Asset.id, asset_ids), Asset.library_id == library_id)
    return set(await session.scalars(statement.order_by(Asset.id).with_for_update(read=True, key_share=True)))


async def add(session: AsyncSession, album_id: UUID, asset_ids: Sequence[UUID], added_by: UUID | None) -> int:
    """Put assets behind all that an album has, in this order; says how many were not there."""
    last = await session.scalar(select(func.max(AlbumAsset.place)).where(AlbumAsset.album_id == album_id)) or 0.0
    rows = [
        {"album_id": album_id, "asset_id": asset_id, "place": last + number, "added_by": added_by}
        for number, asset_id in enumerate(dict.fromkeys(asset_ids), 1)
    ]
    statement = upsert(AlbumAsset).values(rows).on_conflict_do_nothing().returning(AlbumAsset.asset_id)
    return len(list(await session.scalars(statement)))


async def remove(session: AsyncSession, album_id: UUID, asset_ids: Sequence[UUID]) -> int:
    """Take assets out of an album; says how many were there."""
    gone = delete(AlbumAsset).where(AlbumAsset.album_id == album_id, among(AlbumAsset.asset_id, asset_ids))
    return len(list(await session.scalars(gone.returning(AlbumAsset.asset_id))))


async def renumber(session: AsyncSession, album: Album) -> None:
    """Give every asset a whole number as its place, in the album's order."""
    keys: dict[str, list[ColumnElement[Any]]] = {
        "oldest": [Asset.taken_at.asc(), Asset.id.asc()],
        "newest": [Asset.taken_at.desc(), Asset.id.desc()],
        "manual": [AlbumAsset.place.asc(), AlbumAsset.asset_id.asc()],
    }
    number = func.row_number().over(order_by=keys[album.order])
    numbered = (
        select(AlbumAsset.asset_id, number.label("number"))
        .join(Asset, Asset.id == AlbumAsset.asset_id)
        .where(AlbumAsset.album_id == album.id)
        .subquery()
    )
    moved = update(AlbumAsset).where(AlbumAsset.album_id == album.id, AlbumAsset.asset_id == numbered.c.asset_id)
    await session.execute(moved.values(place=numbered.c.number), execution_options={"synchronize_session": False})


async def place(session: AsyncSession, album_id: UUID, asset_id: UUID) -> float | None:
    """Give an asset's place in an album."""
    statement = select(AlbumAsset.place).where(AlbumAsset.album_id == album_id, AlbumAsset.asset_id == asset_id)
    return await session.scalar(statement)


async def place_before(
    session: AsyncSession, album_id: UUID, before: float | None, but: Sequence[UUID]
) -> float | None:
    """Give the last place in an album, or the last one before a place, not counting some assets."""
    statement = select(func.max(AlbumAsset.place)).where(
        AlbumAsset.album_id == album_id, ~among(AlbumAsset.asset_id, but)
    )
    return await session.scalar(statement if before is None else statement.where(AlbumAsset.place < before))


async def put(session: AsyncSession, album_id: UUID, places: dict[UUID, float]) -> None:
    """Give assets of an album these places."""
    given = {"synchronize_session": False}
    places_of = case(places, value=AlbumAsset.asset_id, else_=AlbumAsset.place)
    moved = update(AlbumAsset).where(AlbumAsset.album_id == album_id, among(AlbumAsset.asset_id, list(places)))
    await session.execute(moved.values(place=places_of), execution_options=given)


async def present(session: AsyncSession, album_id: UUID, asset_ids: Sequence[UUID]) -> set[UUID]:
    """Say which of these an album has."""
    statement = select(AlbumAsset.asset_id).where(
        AlbumAsset.album_id == album_id, among(AlbumAsset.asset_id, asset_ids)
    )
    return set(await session.scalars(statement))


async def select_all(session: AsyncSession, album_id: UUID, selection_id: UUID) -> None:
    """Choose all that is to be seen in an album for a zip, and what is shown with it."""
    shown = select(AlbumAsset.asset_id).where(AlbumAsset.album_id == album_id)
    chosen = select(literal(selection_id), Asset.id).where(
        Asset.trashed_at.is_(None), Asset.id.in_(shown) | Asset.shown_with.in_(shown)
    )
    await session.execute(insert(SelectedAsset).from_select(["selection_id", "asset_id"], chosen))
