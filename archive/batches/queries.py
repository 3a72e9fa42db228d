"""The SQL of batches: it starts from the libraries the caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from archive.access import Caller
from archive.db import among
from archive.errors import NotFound
from archive.libraries.queries import visible
from archive.models import Batch, BatchAsset, Step, Upload
from archive.steps import catalogue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

# How many of each state, by batch.
Counts = dict[UUID, dict[str, int]]


async def page(session: AsyncSession, library_id: UUID, *, before: UUID | None, limit: int) -> list[Batch]:
    """List a library's batches, the newest first."""
    statement = select(Batch).where(Batch.library_id == library_id).order_by(Batch.id.desc()).limit(limit)
    return list(await session.scalars(statement if before is None else statement.where(Batch.id < before)))


async def get(session: AsyncSession, caller: Caller, batch_id: UUID) -> Batch:
    """Find a batch of a library the caller belongs to."""
    memberships = visible(caller).subquery()
    statement = select(Batch).join(memberships, memberships.c.id == Batch.library_id).where(Batch.id == batch_id)
    batch = await session.scalar(statement)
    if batch is None:
        noun = "batch"
        raise NotFound(noun)
    return batch


async def uploads(session: AsyncSession, batch_ids: Sequence[UUID]) -> Counts:
    """Count uploads by their state; parts of a larger one are not counted beside it."""
    whole = or_(Upload.concat.is_(None), Upload.concat != "partial")
    statement = (
        select(Upload.batch_id, Upload.state, func.count())
        .where(among(Upload.batch_id, batch_ids), whole)
        .group_by(Upload.batch_id, Upload.state)
    )
    return _by_batch([(row[0], row[1], row[2]) for row in await session.execute(statement) if row[0] is not None])


async def assets(session: AsyncSession, batch_ids: Sequence[UUID]) -> Counts:
    """Count assets, and those of them that the library had before."""
    statement = (
        select(BatchAsset.batch_id, func.count(), func.count().filter(BatchAsset.duplicate))
        .where(among(BatchAsset.batch_id, batch_ids))
        .group_by(BatchAsset.batch_id)
    )
    return {row[0]: {"assets": row[1], "duplicates": row[2]} for row in await session.execute(statement)}


async def steps(session: AsyncSession, batch_ids: Sequence[UUID]) -> Counts:
    """Count the steps of assets by their state, but for those that nobody waits for."""
    statement = (
        select(BatchAsset.batch_id, Step.state, func.count())
        .join(Step, Step.asset_id == BatchAsset.asset_id)
        .where(among(BatchAsset.batch_id, batch_ids), Step.name.not_in(catalogue.QUIET))
        .group_by(BatchAsset.batch_id, Step.state)
    )
    return _by_batch([(row[0], row[1], row[2]) for row in await session.execute(statement)])


async def put(session: AsyncSession, batch_id: UUID, asset_id: UUID, *, duplicate: bool) -> None:
    """Note that an asset came with a batch; one that came twice is what it was at first."""
    row = insert(BatchAsset).values(batch_id=batch_id, asset_id=asset_id, duplicate=duplicate)
    await session.execute(row.on_conflict_do_nothing())


def _by_batch(rows: Sequence[tuple[UUID, str, int]]) -> Counts:
    found: Counts = {}
    for batch_id, state, count in rows:
        found.setdefault(batch_id, {})[state] = count
    return found
