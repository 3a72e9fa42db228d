"""How the archive's bytes are, for admins and for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from archive import audit
from archive.access import Caller, Scope
from archive.integrity import mirroring
from archive.models import Asset, Deletion, File, Job, Library, Object, Rendition, Stray
from archive.queue import kinds
from archive.queue import service as queue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.integrity.mirroring import Lag


@dataclass(frozen=True, slots=True)
class Figures:
    """What can be counted often."""

    objects: int
    never_verified: int
    oldest_unverified: datetime | None
    oldest_seconds: float
    damaged: int
    deletions: int
    lag: Lag | None


@dataclass(frozen=True, slots=True)
class Summary:
    """How the archive's bytes are."""

    figures: Figures
    bytes: int
    last_verified: datetime | None
    strays: int


@dataclass(frozen=True, slots=True)
class Finding:
    """An object that is damaged, and what it is a part of."""

    key: str
    file_id: UUID
    kind: str
    library_id: UUID
    library: str
    asset_id: UUID | None
    asset: str | None
    rendition: str | None
    start: int
    size: int
    damage: str
    since: datetime
    # The mirror has a copy that was whole when it was last looked at.
    healable: bool


async def figures(session: AsyncSession, *, mirrored: bool) -> Figures:
    """Count. Each number is read from an index of its own: this is asked several times a minute."""
    never = Object.verified_at.is_(None)
    waits = select(func.min(Object.created_at)).where(never).scalar_subquery()
    verified = select(func.min(Object.verified_at)).scalar_subquery()
    oldest = func.least(waits, verified)
    row = await session.execute(
        select(
            select(func.count(Object.key)).scalar_subquery(),
            select(func.count()).select_from(Object).where(never).scalar_subquery(),
            oldest,
            func.extract("epoch", func.clock_timestamp() - oldest),
            select(func.count()).select_from(Object).where(Object.damage.is_not(None)).scalar_subquery(),
            select(func.count()).select_from(Deletion).scalar_subquery(),
        )
    )
    objects, unverified, moment, seconds, damaged, deletions = row.one()
    lag = await mirroring.lag(session) if mirrored else None
    return Figures(objects, unverified, moment, float(seconds or 0), damaged, deletions, lag)


async def summary(session: AsyncSession, caller: Caller, *, mirrored: bool) -> Summary:
    """Say how the bytes are."""
    caller.require(Scope.ADMIN)
    size, last = (await session.execute(select(func.sum(Object.sealed_size), func.max(Object.verified_at)))).one()
    strays = await session.scalar(select(func.count()).select_from(Stray))
    return Summary(await figures(session, mirrored=mirrored), int(size or 0), last, strays or 0)


async def findings(
    session: AsyncSession, caller: Caller, *, after: str | None, limit: int, mirrored: bool
) -> list[Finding]:
    """List what is damaged, with the names that tell whom to ask: see decision 0013."""
    caller.require(Scope.ADMIN)
    original, asset = aliased(Asset), aliased(Asset)
    statement = (
        select(Object, File, Library.name, asset, Rendition.name)
        .join(File, File.id == Object.file_id)
        .join(Library, Library.id == File.library_id)
        .outerjoin(original, original.original_id == File.id)
        .outerjoin(Rendition, Rendition.file_id == File.id)
        .outerjoin(asset, asset.id == func.coalesce(original.id, Rendition.asset_id))
        .where(Object.damage.is_not(None))
        .order_by(Object.key)
        .limit(limit)
    )
    rows = await session.execute(statement.where(Object.key > after) if after else statement)
    return [_finding(row, mirrored=mirrored) for row in rows]


async def start_scrub(session: AsyncSession, caller: Caller) -> Job:
    """Verify everything from now on; the same job again while one is under way."""
    caller.require(Scope.ADMIN)
    under_way = select(Job).where(
        Job.kind == kinds.SCRUB.name, Job.state.in_(("ready", "running")), Job.args.has_key("since")
    )
    while (job := await session.scalar(under_way.limit(1))) is None:
        since: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        await queue.enqueue(session, kinds.SCRUB, {"since": since.isoformat()}, key="by-hand")
    audit.record(session, "scrub.started", caller=caller, target=job.id)
    return job


def _finding(row: Sequence[Any], *, mirrored: bool) -> Finding:
    one, file, library, asset, rendition = row
    return Finding(
        key=one.key,
        file_id=file.id,
        kind=file.kind,
        library_id=file.library_id,
        library=library,
        asset_id=asset.id if asset else None,
        asset=asset.name if asset else None,
        rendition=rendition,
        start=one.start,
        size=one.size,
        damage=one.damage,
        since=one.damaged_at,
        healable=mirrored and one.mirrored_at is not None,
    )
