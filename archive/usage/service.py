"""Keep count of a library's bytes, reserve room for uploads, set quotas, report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from archive import audit
from archive.access import Caller, Scope
from archive.errors import NotFound, QuotaExceeded
from archive.libraries import service as libraries
from archive.models import Asset, File, Library, Rendition, Upload, Usage

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Report:
    """A library's bytes."""

    library_id: UUID
    name: str
    assets: int
    originals: int
    renditions: int
    trash: int
    reserved: int
    counted: int
    quota: int | None
    counts_renditions: bool
    counts_trash: bool


async def add(
    session: AsyncSession, library_id: UUID, *, originals: int = 0, renditions: int = 0, trash: int = 0
) -> None:
    """Change the count, in the transaction that changes what is counted."""
    row = insert(Usage).values(library_id=library_id, originals=originals, renditions=renditions, trash=trash)
    changed = {
        "originals": Usage.originals + originals,
        "renditions": Usage.renditions + renditions,
        "trash": Usage.trash + trash,
    }
    await session.execute(row.on_conflict_do_update(index_elements=[Usage.library_id], set_=changed))


async def reserve(session: AsyncSession, library_id: UUID, wanted: int, *, noted: bool = False) -> None:
    """Refuse an upload there is no room for. Two at once are asked one after the other, so they cannot share room.

    ``noted`` says that the upload's row speaks of these bytes already.
    """
    if await session.scalar(select(Usage.quota).where(Usage.library_id == library_id)) is None:
        return  # nearly always; and those who send at once need not wait for each other
    row = await _locked(session, library_id)
    if row.quota is None:
        return
    used, reserved = counted(row), await _reserved(session, library_id) - (wanted if noted else 0)
    if used + reserved + wanted > row.quota:
        raise QuotaExceeded(wanted=wanted, used=used, reserved=reserved, quota=row.quota)


async def reserve_restored(session: AsyncSession, library_id: UUID, size: int) -> None:
    """Refuse to take out of the trash what there is no room for, where the trash does not count and the rest does."""
    counts = await session.scalar(select(Usage.counts_trash).where(Usage.library_id == library_id))
    if counts is False:
        await reserve(session, library_id, size)


def counted(row: Usage) -> int:
    """Add up what counts for the quota."""
    renditions = row.renditions if row.counts_renditions else 0
    return row.originals + renditions + (row.trash if row.counts_trash else 0)


async def set_quota(
    session: AsyncSession,
    caller: Caller,
    library_id: UUID,
    quota: int | None,
    *,
    counts_renditions: bool,
    counts_trash: bool,
) -> Report:
    """Say how much a library may have. An admin does, who need not belong to it."""
    caller.require(Scope.ADMIN)
    library = await session.get(Library, library_id)
    if library is None:
        raise NotFound("library")
    row = await _locked(session, library_id)
    audit.record(session, "quota.set", caller=caller, library_id=library_id, old=row.quota, new=quota)
    row.quota, row.counts_renditions, row.counts_trash = quota, counts_renditions, counts_trash
    await session.flush()
    return await _report(session, library)


async def report(session: AsyncSession, caller: Caller, library_id: UUID) -> Report:
    """Show a library's bytes to its members."""
    library, _ = await libraries.get(session, caller, library_id)
    return await _report(session, library)


async def page(
    session: AsyncSession, caller: Caller, *, after: UUID | None, limit: int, everybody: bool
) -> list[Report]:
    """Show the bytes of the caller's libraries; to admins, who have to plan disks, of all."""
    if everybody:
        caller.require(Scope.ADMIN)
        statement = select(Library).order_by(Library.id).limit(limit)
        found = list(await session.scalars(statement.where(Library.id > after) if after else statement))
    else:
        found = [row[0] for row in await libraries.page(session, caller, after=after, limit=limit)]
    return [await _report(session, library) for library in found]


async def recount(session: AsyncSession, library_id: UUID) -> tuple[int, int, int]:
    """Add up originals, renditions and trash from what there is: what the count must say."""
    sizes = (
        select(func.coalesce(func.sum(File.size), 0))
        .select_from(Asset)
        .join(File, File.id == Asset.original_id)
        .where(Asset.library_id == library_id)
    )
    renditions = (
        select(func.coalesce(func.sum(File.size), 0))
        .select_from(Rendition)
        .join(File, File.id == Rendition.file_id)
        .where(File.library_id == library_id)
    )
    row = await session.execute(
        select(
            sizes.where(Asset.trashed_at.is_(None)).scalar_subquery(),
            renditions.scalar_subquery(),
            sizes.where(Asset.trashed_at.is_not(None)).scalar_subquery(),
        )
    )
    originals, derived, trash = row.one()
    return int(originals), int(derived), int(trash)


async def _report(session: AsyncSession, library: Library) -> Report:
    row = await session.get(Usage, library.id) or Usage(
        originals=0, renditions=0, trash=0, counts_renditions=False, counts_trash=True
    )
    assets = select(func.count()).where(Asset.library_id == library.id, Asset.trashed_at.is_(None))
    return Report(
        library_id=library.id,
        name=library.name,
        assets=await session.scalar(assets) or 0,
        originals=row.originals,
        renditions=row.renditions,
        trash=row.trash,
        reserved=await _reserved(session, library.id),
        counted=counted(row),
        quota=row.quota,
        counts_renditions=row.counts_renditions,
        counts_trash=row.counts_trash,
    )


async def _reserved(session: AsyncSession, library_id: UUID) -> int:
    """Add up what unfinished uploads will need; one of unknown length, what it has."""
    needed = func.sum(func.coalesce(Upload.length, Upload.received))
    open_ones = select(needed).where(Upload.library_id == library_id, Upload.state == "open")
    return int(await session.scalar(open_ones) or 0)


async def _locked(session: AsyncSession, library_id: UUID) -> Usage:
    await session.execute(insert(Usage).values(library_id=library_id).on_conflict_do_nothing())
    return await session.get_one(Usage, library_id, with_for_update=True, populate_existing=True)
