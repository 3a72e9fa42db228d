"""The SQL of quality. Who may see the library was asked before, but for what starts from a caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ARRAY, Double, any_, func, literal, select, tuple_

from archive.access import Caller, Role
from archive.assets import queries as assets
from archive.db import among
from archive.models import Asset, Quality
from archive.quality.shoots import Shoot

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

# Behind the last one of a page: its merit and its id.
Place = tuple[float, UUID]
_STEPS = 100


async def counts(session: AsyncSession, library_id: UUID) -> dict[str, int]:
    """Count what is asked about by verdict."""
    each = (
        select(func.unnest(Quality.verdicts).label("verdict"))
        .join(Asset, Asset.id == Quality.asset_id)
        .where(Quality.library_id == library_id, Quality.asked, Asset.in_timeline)
        .subquery()
    )
    statement = select(each.c.verdict, func.count()).group_by(each.c.verdict)
    return {row[0]: row[1] for row in await session.execute(statement)}


async def asked(
    session: AsyncSession, library_id: UUID, verdict: str | None, *, after: Place | None, limit: int
) -> list[tuple[Asset, Quality]]:
    """List what is asked about, the worst first."""
    statement = (
        select(Asset, Quality)
        .join(Quality, Quality.asset_id == Asset.id)
        .where(Quality.library_id == library_id, Quality.asked, Asset.in_timeline)
        .order_by(Quality.merit, Quality.asset_id)
        .limit(limit)
    )
    if verdict is not None:
        statement = statement.where(literal(verdict) == any_(Quality.verdicts))
    if after is not None:
        statement = statement.where(tuple_(Quality.merit, Quality.asset_id) > tuple_(*after))
    return list(await session.execute(statement))


async def ranked(
    session: AsyncSession, library_id: UUID, shoot: Shoot, *, after: Place | None, limit: int
) -> list[tuple[Asset, Quality]]:
    """List pictures, the best first."""
    statement = (
        select(Asset, Quality)
        .join(Quality, Quality.asset_id == Asset.id)
        .where(Quality.library_id == library_id, *shoot.conditions(library_id))
        .order_by(Quality.merit.desc(), Quality.asset_id.desc())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(Quality.merit, Quality.asset_id) < tuple_(*after))
    return list(await session.execute(statement))


async def scale(session: AsyncSession, library_id: UUID, shoot: Shoot | None) -> Sequence[float]:
    """Give the sharpness of a library or shoot at equal steps, from the least to the most."""
    steps = literal([(step + 0.5) / _STEPS for step in range(_STEPS)], ARRAY(Double))
    statement = select(func.percentile_disc(steps).within_group(Quality.sharpness)).where(
        Quality.library_id == library_id, Quality.sharpness.is_not(None)
    )
    if shoot is not None and shoot != Shoot():
        statement = statement.join(Asset, Asset.id == Quality.asset_id).where(*shoot.conditions(library_id))
    return await session.scalar(statement) or ()


async def locked(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID], role: Role) -> list[Quality]:
    """Lock what was measured of assets of the caller's, all or none."""
    await assets.locked(session, caller, asset_ids, role)
    statement = select(Quality).where(among(Quality.asset_id, asset_ids)).order_by(Quality.asset_id)
    return list(await session.scalars(statement.with_for_update()))
