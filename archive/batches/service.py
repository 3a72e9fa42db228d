"""Begin batches, and say how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from archive.access import Caller, Role
from archive.batches import queries
from archive.errors import NotFound
from archive.libraries import service as libraries
from archive.models import Batch

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Asset


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch, and how many of each state its uploads, assets and their steps are."""

    batch: Batch
    uploads: dict[str, int]
    assets: dict[str, int]
    steps: dict[str, int]


async def create(session: AsyncSession, caller: Caller, library_id: UUID, name: str) -> Progress:
    """Begin a batch."""
    await libraries.get_for(session, caller, library_id, Role.EDITOR)
    batch = Batch(library_id=library_id, name=name, created_by=caller.account_id)
    session.add(batch)
    await session.flush()
    await session.refresh(batch)
    return Progress(batch, {}, {}, {})


async def page(
    session: AsyncSession, caller: Caller, library_id: UUID, *, before: UUID | None, limit: int
) -> list[Progress]:
    """List a library's batches, the newest first, in a number of queries that does not grow with them."""
    await libraries.get(session, caller, library_id)
    return await _progress(session, await queries.page(session, library_id, before=before, limit=limit))


async def get(session: AsyncSession, caller: Caller, batch_id: UUID) -> Progress:
    """Show one batch."""
    return (await _progress(session, [await queries.get(session, caller, batch_id)]))[0]


async def require(session: AsyncSession, caller: Caller, batch_id: UUID, library_id: UUID) -> None:
    """Refuse a batch of another library, or of one the caller does not see."""
    if (await queries.get(session, caller, batch_id)).library_id != library_id:
        noun = "batch"
        raise NotFound(noun)


async def put_received(session: AsyncSession, batch_id: UUID, asset: Asset, *, duplicate: bool) -> None:
    """Note that an asset came with a batch."""
    await queries.put(session, batch_id, asset.id, duplicate=duplicate)


async def _progress(session: AsyncSession, batches: Sequence[Batch]) -> list[Progress]:
    ids = [batch.id for batch in batches]
    uploads, assets = await queries.uploads(session, ids), await queries.assets(session, ids)
    steps = await queries.steps(session, ids)
    return [
        Progress(batch, uploads.get(batch.id, {}), assets.get(batch.id, {}), steps.get(batch.id, {}))
        for batch in batches
    ]
