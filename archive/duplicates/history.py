"""What was decided before, for who wants to look at it or undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from archive.access import Caller
from archive.assets import queries as assets
from archive.duplicates import queries
from archive.duplicates.merging import merged_fields
from archive.duplicates.resolving import Outcome
from archive.libraries import service as libraries

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Resolution

_SHOWN = 100


async def page(
    session: AsyncSession, caller: Caller, library_id: UUID, *, before: UUID | None, limit: int
) -> list[Resolution]:
    """List what was decided in a library, the latest first."""
    await libraries.get(session, caller, library_id)
    return await queries.resolutions(session, library_id, before=before, limit=limit)


async def get(session: AsyncSession, caller: Caller, resolution_id: UUID) -> tuple[Resolution, list[Outcome]]:
    """Show a resolution and what was done to its first groups."""
    found = await queries.resolution(session, caller, resolution_id)
    parts = await queries.resolved(session, resolution_id, _SHOWN)
    sizes = dict(await assets.each_size(session, [asset_id for part in parts for asset_id in part.trashed]))
    return found, [
        Outcome(
            part.group_id,
            part.kept,
            part.trashed,
            sum(sizes.get(asset_id, 0) for asset_id in part.trashed),
            merged_fields(part.merged),
        )
        for part in parts
    ]
