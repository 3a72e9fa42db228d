"""Make albums, change them, put assets into them and in order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy import func

from archive import audit
from archive.access import Caller, Role
from archive.albums import queries
from archive.albums.queries import NOTHING, Extent, Position
from archive.assets import selections
from archive.errors import Invalid, NotFound
from archive.events.service import publish
from archive.libraries import service as libraries
from archive.models import Album
from archive.timeline import tiles
from archive.timeline.queries import renditions
from archive.timeline.tiles import Source, Tile

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Asset, Selection

Order = Literal["oldest", "newest", "manual"]


@dataclass(frozen=True, slots=True)
class Listed:
    """An album, how much it has, from when, and what stands for it."""

    album: Album
    extent: Extent
    cover_id: UUID | None
    cover: Source | None


async def page(
    session: AsyncSession, caller: Caller, library_id: UUID, *, before: UUID | None, limit: int
) -> list[Listed]:
    """List a library's albums, the newest first, in a number of queries that does not grow with them."""
    await libraries.get(session, caller, library_id)
    return await listed(session, await queries.page(session, library_id, before=before, limit=limit))


async def show(session: AsyncSession, caller: Caller, album_id: UUID) -> Listed:
    """Show one album."""
    return (await listed(session, [await queries.get(session, caller, album_id)]))[0]


async def get(session: AsyncSession, caller: Caller, album_id: UUID, role: Role = Role.VIEWER) -> Album:
    """Find an album of a library in which the caller is at least this."""
    return await queries.get(session, caller, album_id, role)


async def listed(session: AsyncSession, albums: Sequence[Album]) -> list[Listed]:
    """Say of albums what a list shows."""
    ids = [album.id for album in albums]
    extents, covers = await queries.extents(session, ids), await queries.covers(session, ids)
    made = await renditions(session, list(covers.values()))

    def shown(album: Album) -> Listed:
        cover = covers.get(album.id)
        seen = Source(cover, "thumb") if cover is not None and "thumb" in made.get(cover, ()) else None
        return Listed(album, extents.get(album.id, NOTHING), cover, seen)

    return [shown(album) for album in albums]


async def holding(session: AsyncSession, asset: Asset) -> list[Album]:
    """List the albums of an asset the caller may see."""
    return await queries.holding(session, asset.id)


async def create(
    session: AsyncSession, caller: Caller, library_id: UUID, fields: Mapping[str, Any], asset_ids: Sequence[UUID] = ()
) -> Album:
    """Make an album, of some assets or of none yet."""
    await libraries.get_for(session, caller, library_id, Role.EDITOR)
    album = Album(library_id=library_id, created_by=caller.account_id, **fields)
    session.add(album)
    await session.flush()
    if asset_ids:
        await _put(session, album, asset_ids, caller.account_id)
    await session.refresh(album)
    await _tell(session, album)
    return album


async def change(session: AsyncSession, caller: Caller, album_id: UUID, fields: Mapping[str, Any]) -> Album:
    """Change an album's name, description, cover or order."""
    album = await queries.get(session, caller, album_id, Role.EDITOR, lock=True)
    cover = fields.get("cover_id")
    if cover is not None and not await queries.present(session, album_id, [cover]):
        message = "The cover has to be in the album."
        raise Invalid(message)
    if fields.get("order") == "manual" and album.order != "manual":
        # It begins with the order in which everybody saw it so far.
        await queries.renumber(session, album)
    for name, value in fields.items():
        setattr(album, name, value)
    await _changed(session, album)
    return album


async def delete(session: AsyncSession, caller: Caller, album_id: UUID) -> None:
    """Delete an album, and the links to it; its assets stay."""
    album = await queries.get(session, caller, album_id, Role.EDITOR, lock=True)
    audit.record(session, "album.deleted", caller=caller, library_id=album.library_id, target=album.id, name=album.name)
    await session.delete(album)
    publish(session, "album.deleted", {"id": str(album.id)}, album.library_id)


async def assets(
    session: AsyncSession, caller: Caller, album_id: UUID, *, after: Position | None, limit: int
) -> tuple[list[Tile], Position | None]:
    """List an album's assets in its order, and say where the next page begins."""
    album = await queries.get(session, caller, album_id)
    return await seen(session, album, after=after, limit=limit)


async def seen(
    session: AsyncSession, album: Album, *, after: Position | None, limit: int
) -> tuple[list[Tile], Position | None]:
    """List the assets of an album that somebody may see."""
    if after is not None and isinstance(after[0], float) is not (album.order == "manual"):
        # Its order was changed in between: there is no such place in it any more.
        message = "The album's order was changed. Begin with the first page."
        raise Invalid(message)
    rows = await queries.assets(session, album, after=after, limit=limit)
    following: Position | None = None
    if len(rows) == limit:
        last, place = rows[-1]
        following = (place if album.order == "manual" else last.taken_at, last.id)
    return await tiles.of(session, [asset for asset, _ in rows]), following


async def member(session: AsyncSession, album: Album, asset_id: UUID) -> Asset:
    """Find an asset in an album that somebody may see."""
    asset = await queries.member(session, album.id, asset_id)
    if asset is None:
        noun = "asset"
        raise NotFound(noun)
    return asset


async def add(session: AsyncSession, caller: Caller, album_id: UUID, asset_ids: Sequence[UUID]) -> int:
    """Put assets of its library into an album; says how many were not in it."""
    album = await queries.get(session, caller, album_id, Role.EDITOR, lock=True)
    return await _put(session, album, asset_ids, caller.account_id)


async def put_received(session: AsyncSession, album_id: UUID, asset: Asset, account_id: UUID) -> None:
    """Put an asset that was just received into the album its sender named.

    The album is not locked: its asset is already, and who adds assets to albums locks the two the other way round. Two
    that come at once may get one place, which their ids put in order.
    """
    await queries.add(session, album_id, [asset.id], account_id)
    publish(session, "album.changed", {"id": str(album_id)}, asset.library_id)


async def remove(session: AsyncSession, caller: Caller, album_id: UUID, asset_ids: Sequence[UUID]) -> int:
    """Take assets out of an album; says how many were in it."""
    album = await queries.get(session, caller, album_id, Role.EDITOR, lock=True)
    count = await queries.remove(session, album_id, asset_ids)
    if album.cover_id in asset_ids:
        album.cover_id = None
    await _changed(session, album)
    return count


async def move(
    session: AsyncSession, caller: Caller, album_id: UUID, asset_ids: Sequence[UUID], before: UUID | None
) -> None:
    """Put assets of an album before one of the others, or at its end. From then on its order is by hand."""
    album = await queries.get(session, caller, album_id, Role.EDITOR, lock=True)
    named = [*asset_ids] if before is None else [*asset_ids, before]
    if len(set(named)) != len(named):
        message = "Name each asset once, and one to put them before that is not among them."
        raise Invalid(message)
    if await queries.present(session, album_id, named) != set(named):
        noun = "asset"
        raise NotFound(noun)
    if album.order != "manual":
        await queries.renumber(session, album)
        album.order = "manual"
        await session.flush()
    places = await _between(session, album, asset_ids, before)
    if places is None:
        # There was room for fifty halvings.
        await queries.renumber(session, album)
        places = await _between(session, album, asset_ids, before)
    assert places is not None, "between whole numbers there is room for all that one request can name"
    await queries.put(session, album_id, dict(zip(asset_ids, places, strict=True)))
    await _changed(session, album)


async def select(session: AsyncSession, caller: Caller, album_id: UUID, name: str | None) -> Selection:
    """Choose all of an album for a zip."""
    album = await queries.get(session, caller, album_id)
    return await selected(session, album, caller.account_id, name)


async def selected(session: AsyncSession, album: Album, account_id: UUID, name: str | None = None) -> Selection:
    """Choose all of an album for a zip, in somebody's name."""
    selection = await selections.begin(session, album.library_id, account_id, name or album.name)
    await queries.select_all(session, album.id, selection.id)
    return selection


async def _put(session: AsyncSession, album: Album, asset_ids: Sequence[UUID], added_by: UUID) -> int:
    if await queries.theirs(session, album.library_id, asset_ids) != set(asset_ids):
        noun = "asset"
        raise NotFound(noun)
    count = await queries.add(session, album.id, asset_ids, added_by)
    await _changed(session, album)
    return count


async def _between(
    session: AsyncSession, album: Album, asset_ids: Sequence[UUID], before: UUID | None
) -> list[float] | None:
    """Find places for assets before another, unless there is no room left there."""
    end = None if before is None else await queries.place(session, album.id, before)
    start = await queries.place_before(session, album.id, end, asset_ids)
    count = len(asset_ids)
    if end is None:
        return [math.floor(start or 0.0) + number for number in range(1, count + 1)]
    if start is None:
        return [end - count + number for number in range(count)]
    places = [start + (end - start) * number / (count + 1) for number in range(1, count + 1)]
    apart = all(one < other for one, other in pairwise([start, *places, end]))
    return places if apart else None


async def _changed(session: AsyncSession, album: Album) -> None:
    album.updated_at = func.clock_timestamp()
    await session.flush()
    await session.refresh(album)
    await _tell(session, album)


async def _tell(session: AsyncSession, album: Album) -> None:
    publish(session, "album.changed", {"id": str(album.id)}, album.library_id)
