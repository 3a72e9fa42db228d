"""The SQL of duplicates. It starts from the libraries the caller may see, or who may see one was asked before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select

from archive.access import Caller, Role
from archive.db import among
from archive.errors import Forbidden, NotFound
from archive.libraries.queries import visible
from archive.models import (
    AlbumAsset,
    Asset,
    AssetTag,
    Different,
    Group,
    GroupMember,
    Likeness,
    Quality,
    Resolution,
    Resolved,
    Tag,
)

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncSession

Link = Likeness


@dataclass(frozen=True, slots=True)
class Related:
    """What is known beside the assets themselves, by asset."""

    quality: dict[UUID, Quality] = field(default_factory=dict)
    albums: dict[UUID, list[UUID]] = field(default_factory=dict)
    tags: dict[UUID, list[str]] = field(default_factory=dict)
    with_raw: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Spare:
    """How many groups of a kind there are to decide, and what all but the largest of each take."""

    groups: int
    assets: int
    bytes: int


def _open(library_id: UUID, kind: str | None) -> Select[*tuple[UUID]]:
    """Choose groups that nobody has decided yet and of which two are to be seen."""
    two = (
        select(func.count())
        .select_from(GroupMember)
        .join(Asset, Asset.id == GroupMember.asset_id)
        .where(GroupMember.group_id == Group.id, Asset.in_timeline)
        .scalar_subquery()
    )
    statement = select(Group.id).where(Group.library_id == library_id, Group.settled_at.is_(None), two > 1)
    return statement if kind is None else statement.where(Group.kind == kind)


async def page(
    session: AsyncSession, library_id: UUID, kind: str | None, *, before: UUID | None, limit: int
) -> list[Group]:
    """List groups that are open, the latest first."""
    statement = _open(library_id, kind).order_by(Group.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Group.id < before)
    return list(await session.scalars(statement.with_only_columns(Group)))


async def behind(session: AsyncSession, library_id: UUID, kind: str, after: UUID | None, limit: int) -> list[UUID]:
    """Give the ids of open groups, the oldest first, behind one."""
    statement = _open(library_id, kind).order_by(Group.id).limit(limit)
    return list(await session.scalars(statement if after is None else statement.where(Group.id > after)))


async def spare(session: AsyncSession, library_id: UUID) -> dict[str, Spare]:
    """Add up what there is to decide, by kind."""
    each = (
        select(
            Group.kind.label("kind"),
            func.count().label("assets"),
            (func.sum(Asset.size) - func.max(Asset.size)).label("bytes"),
        )
        .join(GroupMember, GroupMember.group_id == Group.id)
        .join(Asset, Asset.id == GroupMember.asset_id)
        .where(Group.library_id == library_id, Group.settled_at.is_(None), Asset.in_timeline)
        .group_by(Group.id)
        .having(func.count() > 1)
        .subquery()
    )
    statement = select(each.c.kind, func.count(), func.sum(each.c.assets), func.sum(each.c.bytes)).group_by(each.c.kind)
    return {row[0]: Spare(row[1], int(row[2]), int(row[3])) for row in await session.execute(statement)}


async def get(
    session: AsyncSession, caller: Caller, group_id: UUID, role: Role = Role.VIEWER, *, lock: bool = False
) -> Group:
    """Find a group of a library in which the caller is at least this."""
    statement = select(Group).where(Group.id == group_id)
    found = await session.scalar(statement.with_for_update() if lock else statement)
    await _require(session, caller, found.library_id if found else None, role, "group of duplicates")
    assert found is not None
    return found


async def resolution(
    session: AsyncSession, caller: Caller, resolution_id: UUID, role: Role = Role.VIEWER, *, lock: bool = False
) -> Resolution:
    """Find a resolution of a library in which the caller is at least this."""
    statement = select(Resolution).where(Resolution.id == resolution_id)
    found = await session.scalar(statement.with_for_update() if lock else statement)
    await _require(session, caller, found.library_id if found else None, role, "resolution")
    assert found is not None
    return found


async def _require(session: AsyncSession, caller: Caller, library_id: UUID | None, role: Role, noun: str) -> None:
    memberships = visible(caller).subquery()
    held = await session.scalar(select(memberships.c.role).where(memberships.c.id == library_id))
    if held is None:
        raise NotFound(noun)
    if not Role(held).at_least(role):
        message = f"You are {held} of this library; this needs {role}."
        raise Forbidden(message)


async def resolutions(session: AsyncSession, library_id: UUID, *, before: UUID | None, limit: int) -> list[Resolution]:
    """List what was resolved, the latest first."""
    statement = select(Resolution).where(Resolution.library_id == library_id, ~Resolution.dry_run)
    statement = statement.order_by(Resolution.id.desc()).limit(limit)
    return list(await session.scalars(statement if before is None else statement.where(Resolution.id < before)))


async def resolved(session: AsyncSession, resolution_id: UUID, limit: int | None = None) -> list[Resolved]:
    """List what was done to each group."""
    statement = select(Resolved).where(Resolved.resolution_id == resolution_id).order_by(Resolved.group_id)
    return list(await session.scalars(statement if limit is None else statement.limit(limit)))


async def members(session: AsyncSession, group_ids: Sequence[UUID]) -> dict[UUID, list[Asset]]:
    """List who of groups is to be seen, the first received first."""
    statement = (
        select(GroupMember.group_id, Asset)
        .join(Asset, Asset.id == GroupMember.asset_id)
        .where(among(GroupMember.group_id, group_ids), Asset.in_timeline)
        .order_by(Asset.id)
    )
    found: dict[UUID, list[Asset]] = defaultdict(list)
    for group_id, asset in await session.execute(statement):
        found[group_id].append(asset)
    return found


async def links(session: AsyncSession, asset_ids: Sequence[UUID]) -> list[Link]:
    """List the likenesses among some assets, but for those that people called different."""
    called = select(Different.first_id).where(
        Different.first_id == Likeness.first_id, Different.second_id == Likeness.second_id
    )
    statement = select(Likeness).where(
        among(Likeness.first_id, asset_ids), among(Likeness.second_id, asset_ids), ~called.exists()
    )
    return list(await session.scalars(statement.order_by(Likeness.first_id, Likeness.second_id)))


async def related(session: AsyncSession, asset_ids: Sequence[UUID]) -> Related:
    """Give what is known beside the assets themselves."""
    quality = await session.scalars(select(Quality).where(among(Quality.asset_id, asset_ids)))
    raw = select(Asset.shown_with).where(
        among(Asset.shown_with, asset_ids), Asset.part == "raw", Asset.trashed_at.is_(None)
    )
    albums: dict[UUID, list[UUID]] = defaultdict(list)
    held = select(AlbumAsset.asset_id, AlbumAsset.album_id).where(among(AlbumAsset.asset_id, asset_ids))
    for asset_id, album_id in await session.execute(held):
        albums[asset_id].append(album_id)
    tags: dict[UUID, list[str]] = defaultdict(list)
    worn = select(AssetTag.asset_id, Tag.name).join(Tag, Tag.id == AssetTag.tag_id).order_by(func.lower(Tag.name))
    for asset_id, name in await session.execute(worn.where(among(AssetTag.asset_id, asset_ids))):
        tags[asset_id].append(name)
    with_raw = frozenset(one for one in await session.scalars(raw) if one is not None)
    return Related({row.asset_id: row for row in quality}, albums, tags, with_raw)


async def groups_of(session: AsyncSession, asset_id: UUID) -> list[Group]:
    """List the open groups an asset is in."""
    statement = select(Group).join(GroupMember, GroupMember.group_id == Group.id)
    return list(
        await session.scalars(
            statement.where(GroupMember.asset_id == asset_id, Group.settled_at.is_(None)).order_by(Group.kind)
        )
    )
