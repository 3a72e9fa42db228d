"""Into the trash and out of it, whoever asks: the count of bytes and those who look on follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import func, update

from archive.assets import queries
from archive.db import among
from archive.events.service import publish
from archive.models import Asset
from archive.usage import service as usage

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


async def move(session: AsyncSession, assets: Sequence[Asset], *, into_trash: bool) -> None:
    """Move assets that are locked and on the other side."""
    ids = [asset.id for asset in assets]
    for library_id, _, size in await queries.sizes(session, ids):
        sign = 1 if into_trash else -1
        await usage.add(session, library_id, originals=-sign * size, trash=sign * size)
    moment = func.now() if into_trash else None
    await session.execute(update(Asset).where(among(Asset.id, ids)).values(trashed_at=moment))
    tell(session, "asset.trashed" if into_trash else "asset.restored", assets)
    for asset in assets:
        await session.refresh(asset)


def tell(session: AsyncSession, kind: str, assets: Sequence[Asset]) -> None:
    """Tell every library what happened to its assets."""
    for library_id in {asset.library_id for asset in assets}:
        ids = [str(asset.id) for asset in assets if asset.library_id == library_id]
        publish(session, kind, {"ids": ids}, library_id)
