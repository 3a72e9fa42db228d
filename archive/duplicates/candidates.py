"""Whom a new look is worth comparing with: by hashes, by marks, by the moment, and films by their length."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select, text

from archive.models import Asset
from archive.models import Look as Row
from ml.duplicates.grouping import BURST_SECONDS, FILM_MS, FILM_PART
from ml.duplicates.sharing import COMMON, LEAST_SHARED

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.duplicates.nearby import Nearby
    from ml.duplicates.look import Look

_BY_MARKS, _BY_MOMENT, _BY_LENGTH = 32, 12, 32
# Keys that many pictures have are a pattern's, and say nothing.
_SHARING = text("""
WITH hit AS MATERIALIZED (
    SELECT look.asset_id, key.one FROM look CROSS JOIN LATERAL unnest(look.keys) AS key(one)
    WHERE look.library_id = :library AND look.asset_id <> :asset AND look.keys && CAST(:keys AS int[])
        AND key.one = ANY(CAST(:keys AS int[]))
), rare AS (SELECT one FROM hit GROUP BY one HAVING count(*) <= :common)
SELECT hit.asset_id FROM hit JOIN rare USING (one) GROUP BY hit.asset_id HAVING count(*) >= :least
ORDER BY count(*) DESC, hit.asset_id LIMIT :limit
""")


async def candidates(session: AsyncSession, nearby: Nearby, asset: Asset, look: Look, keys: list[int]) -> list[UUID]:
    """Give who is worth comparing with an asset, the likeliest first."""
    if not look.telling and not look.film:
        return []
    if look.film:
        found = await _films(session, asset, look)
    else:
        near = await nearby.near(session, asset.library_id, look.hashes, but=asset.id)
        found = [asset_id for asset_id, _ in near]
        found += await by_marks(session, asset.library_id, asset.id, keys)
        found += await _by_moment(session, asset)
    return list(dict.fromkeys(found))


async def by_marks(session: AsyncSession, library_id: UUID, asset_id: UUID, keys: list[int]) -> list[UUID]:
    """Give who shares keys enough with an asset, those with most first."""
    if not keys:
        return []
    values = {
        "library": library_id,
        "asset": asset_id,
        "keys": keys,
        "common": COMMON,
        "least": LEAST_SHARED,
        "limit": _BY_MARKS,
    }
    return list(await session.scalars(_SHARING, values))


async def _by_moment(session: AsyncSession, asset: Asset) -> list[UUID]:
    if asset.camera is None:
        return []
    soon = timedelta(seconds=BURST_SECONDS)
    apart = func.abs(func.extract("epoch", Asset.taken_at - asset.taken_at))
    statement = (
        select(Asset.id)
        .join(Row, Row.asset_id == Asset.id)
        .where(
            Asset.library_id == asset.library_id,
            Asset.id != asset.id,
            Asset.camera == asset.camera,
            Asset.taken_at.between(asset.taken_at - soon, asset.taken_at + soon),
            Asset.in_timeline,
        )
        .order_by(apart, Asset.id)
        .limit(_BY_MOMENT)
    )
    return list(await session.scalars(statement))


async def _films(session: AsyncSession, asset: Asset, look: Look) -> list[UUID]:
    length = look.duration_ms or 0
    off = max(FILM_MS, round(FILM_PART * length))
    statement = (
        select(Row.asset_id)
        .where(
            Row.library_id == asset.library_id,
            Row.asset_id != asset.id,
            Row.length_ms.between(length - off, length + off),
        )
        .order_by(func.abs(Row.length_ms - length), Row.asset_id)
        .limit(_BY_LENGTH)
    )
    return list(await session.scalars(statement))
