"""The one door to assets: every query starts from the libraries the caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from archive.access import Caller, Role
from archive.db import among
from archive.errors import Forbidden, NotFound
from archive.libraries.queries import visible
from archive.models import Album, Asset, AssetName, File, Metadata, Object, Rendition
from archive.models.base import Json

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


async def page(
    session: AsyncSession, library_id: UUID, *, before: UUID | None, limit: int, trashed: bool
) -> list[Asset]:
    """List a library's assets, the latest first: ids grow with time. What went into the trash with another asset, as a
    part of it, comes out with it and is not listed beside it.
    """
    statement = select(Asset).where(Asset.library_id == library_id).order_by(Asset.id.desc()).limit(limit)
    if trashed:
        main = aliased(Asset)
        beside = select(main.id).where(main.id == Asset.shown_with, main.trashed_at.is_not(None)).exists()
        statement = statement.where(Asset.trashed_at.is_not(None), ~beside)
    else:
        statement = statement.where(Asset.trashed_at.is_(None))
    if before is not None:
        statement = statement.where(Asset.id < before)
    return list(await session.scalars(statement))


async def get(session: AsyncSession, caller: Caller, asset_id: UUID, role: Role = Role.VIEWER) -> Asset:
    """Find one asset."""
    return (await _found(session, caller, [asset_id], role, lock=False))[0]


async def locked(
    session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID], role: Role, *, parts: bool = False
) -> list[Asset]:
    """Find several assets, all or none, and keep them as they are until the transaction ends; with ``parts`` also what
    is shown as a part of them.
    """
    return await _found(session, caller, asset_ids, role, lock=True, parts=parts)


async def hold_covers(session: AsyncSession, asset_ids: Sequence[UUID]) -> None:
    """Lock the albums that have one of these, or a part of them, as their cover, before the assets are locked: whoever
    changes an album locks it first, too, and destroying its cover changes it.
    """
    wanted = select(Asset.id).where(or_(among(Asset.id, asset_ids), among(Asset.shown_with, asset_ids)))
    albums = select(Album.id).where(Album.cover_id.in_(wanted)).order_by(Album.id)
    await session.execute(albums.with_for_update(key_share=True))


async def _found(
    session: AsyncSession,
    caller: Caller,
    asset_ids: Sequence[UUID],
    role: Role,
    *,
    lock: bool,
    parts: bool = False,
) -> list[Asset]:
    memberships = visible(caller).subquery()
    statement = (
        select(Asset, memberships.c.role)
        .join(memberships, memberships.c.id == Asset.library_id)
        .where(
            or_(among(Asset.id, asset_ids), among(Asset.shown_with, asset_ids)) if parts else among(Asset.id, asset_ids)
        )
        # In one order, so that two who lock the same ones do not wait for each other.
        .order_by(Asset.id)
    )
    rows = (await session.execute(statement.with_for_update(of=Asset) if lock else statement)).all()
    if not {row[0].id for row in rows} >= set(asset_ids):
        noun = "asset"
        raise NotFound(noun)
    for _, held in rows:
        if not Role(held).at_least(role):
            message = f"You are {held} of this library; this needs {role}."
            raise Forbidden(message)
    return [row[0] for row in rows]


async def names(session: AsyncSession, asset_id: UUID) -> list[str]:
    """List an asset's names, the oldest first."""
    statement = select(AssetName.name).where(AssetName.asset_id == asset_id)
    return list(await session.scalars(statement.order_by(AssetName.added_at, AssetName.name)))


async def metadata(session: AsyncSession, asset_id: UUID) -> Json | None:
    """Give what an asset's file says of itself."""
    return await session.scalar(select(Metadata.record).where(Metadata.asset_id == asset_id))


async def parts(session: AsyncSession, asset: Asset) -> list[Asset]:
    """List what is shown as a part of an asset; what is in the trash alone is not."""
    trashed = Asset.trashed_at.is_(None) if asset.trashed_at is None else Asset.trashed_at.is_not(None)
    statement = select(Asset).where(Asset.shown_with == asset.id, trashed).order_by(Asset.part, Asset.name, Asset.id)
    return list(await session.scalars(statement))


async def trashed_with(session: AsyncSession, asset: Asset) -> list[Asset]:
    """Lock what came into the trash with an asset: its parts, or what it is itself a part of, and that one's parts."""
    main = aliased(Asset)
    trashed = select(main.id).where(main.id == asset.shown_with, main.trashed_at.is_not(None))
    whole = await session.scalar(trashed) or asset.id
    statement = select(Asset).where(
        or_(Asset.id.in_((asset.id, whole)), Asset.shown_with == whole), Asset.trashed_at.is_not(None)
    )
    return list(await session.scalars(statement.order_by(Asset.id).with_for_update()))


async def by_identity(session: AsyncSession, library_id: UUID, identities: list[bytes]) -> dict[bytes, Asset]:
    """Find assets by either of their identities."""
    statement = select(Asset).where(
        Asset.library_id == library_id, or_(Asset.identity.in_(identities), Asset.identity_sha1.in_(identities))
    )
    # One that is damaged is not there to those who might send it: that would mend it.
    damaged = select(Object.key).where(Object.file_id == Asset.original_id, Object.damage.is_not(None)).exists()
    found: dict[bytes, Asset] = {}
    for asset in await session.scalars(statement.where(~damaged)):
        found[asset.identity] = found[asset.identity_sha1] = asset
    return found


async def sizes(session: AsyncSession, asset_ids: Sequence[UUID]) -> list[tuple[UUID, bool, int]]:
    """Add up what originals take, by library and by whether they are in the trash."""
    trashed = Asset.trashed_at.is_not(None)
    statement = (
        select(Asset.library_id, trashed, func.sum(File.size))
        .join(File, File.id == Asset.original_id)
        .where(Asset.id.in_(asset_ids))
        .group_by(Asset.library_id, trashed)
        .order_by(Asset.library_id, trashed)
    )
    return [(row[0], row[1], int(row[2])) for row in await session.execute(statement)]


async def each_size(session: AsyncSession, asset_ids: Sequence[UUID]) -> list[tuple[UUID, int]]:
    """Give the size of each of these that is still there, as it was received."""
    statement = select(Asset.id, Asset.size).where(among(Asset.id, asset_ids))
    return [(row[0], row[1]) for row in await session.execute(statement)]


async def rendition_sizes(session: AsyncSession, asset_ids: Sequence[UUID]) -> list[tuple[UUID, int]]:
    """Add up what renditions take, by library."""
    statement = (
        select(File.library_id, func.sum(File.size))
        .join(Rendition, Rendition.file_id == File.id)
        .where(Rendition.asset_id.in_(asset_ids))
        .group_by(File.library_id)
        .order_by(File.library_id)
    )
    return [(row[0], int(row[1])) for row in await session.execute(statement)]


async def purgeable(
    session: AsyncSession,
    limit: int,
    *,
    older_than: timedelta | None = None,
    library_id: UUID | None = None,
    until: datetime | None = None,
) -> list[Asset]:
    """Lock some assets that are in the trash for so long, or were put there by a moment."""
    statement = select(Asset).where(Asset.trashed_at.is_not(None)).order_by(Asset.trashed_at, Asset.id).limit(limit)
    if older_than is not None:
        statement = statement.where(Asset.trashed_at <= func.now() - older_than)
    if library_id is not None:
        statement = statement.where(Asset.library_id == library_id)
    if until is not None:
        statement = statement.where(Asset.trashed_at <= until)
    await hold_covers(session, list(await session.scalars(statement.with_only_columns(Asset.id))))
    return list(await session.scalars(statement.with_for_update(skip_locked=True)))


async def rendition(session: AsyncSession, asset_id: UUID, name: str) -> Rendition | None:
    """Find a rendition, of whoever's asset: the caller was asked before."""
    return await session.get(Rendition, (asset_id, name))


async def selected(session: AsyncSession, library_id: UUID, asset_ids: Sequence[UUID]) -> set[UUID]:
    """Say which of these are assets of a library, and not in its trash."""
    statement = select(Asset.id).where(
        Asset.id.in_(asset_ids), Asset.library_id == library_id, Asset.trashed_at.is_(None)
    )
    return set(await session.scalars(statement))
