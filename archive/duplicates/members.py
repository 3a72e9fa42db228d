"""Assets as grouping compares them: their looks, read back from the store, and when their cameras took them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive.db import among
from archive.errors import Damaged
from archive.media.looked import BLOB
from archive.models import Asset, Metadata, Rendition
from archive.vault import reading
from ml.duplicates.grouping import Member
from ml.duplicates.look import unpack

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models.base import Json
    from archive.vault.keys import LibraryKeys
    from archive.vault.reading import Plan
    from archive.vault.vault import Vault
    from ml.duplicates.look import Look


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody to compare with, and how to read its look."""

    asset_id: UUID
    identity: bytes
    # What it is shown with, or itself: shots that are shown as one are no duplicates of each other.
    whole: UUID
    moment: float | None
    camera: str | None
    plan: Plan


async def others(session: AsyncSession, keys: LibraryKeys, asset_ids: Sequence[UUID]) -> list[Other]:
    """Find out how to compare with assets, in their order; those without a look are left out."""
    statement = (
        select(Asset, Rendition.file_id, Metadata.record)
        .join(Rendition, (Rendition.asset_id == Asset.id) & (Rendition.name == BLOB))
        .join(Metadata, Metadata.asset_id == Asset.id, isouter=True)
        .where(among(Asset.id, asset_ids))
    )
    found: dict[UUID, Other] = {}
    for asset, file_id, record in await session.execute(statement):
        try:
            plan = await reading.plan_whole(session, keys, file_id)
        except Damaged:
            continue  # it is looked at anew when the findings are dealt with; nothing can be said of it now
        moment, camera = shot(record)
        found[asset.id] = Other(asset.id, asset.identity, asset.shown_with or asset.id, moment, camera, plan)
    return [found[one] for one in asset_ids if one in found]


async def member(vault: Vault, number: int, other: Other) -> Member | None:
    """Read somebody's look; none where it is of another version, damaged, or gone meanwhile."""
    try:
        async with aclosing(reading.read(vault.stores, other.plan)) as pieces:
            content = b"".join([piece async for piece in pieces])
        look = unpack(content)
    except (Damaged, ValueError):
        return None
    return Member(number, other.identity, look, other.moment, other.camera)


def of(asset: Asset, record: Json | None, look: Look) -> Member:
    """Give an asset that was just looked at."""
    moment, camera = shot(record)
    return Member(0, asset.identity, look, moment, camera)


def shot(record: Json | None) -> tuple[float | None, str | None]:
    """Say when a camera says that it took something, in seconds of its own clock, and which camera that was."""
    said = record or {}
    taken, model = said.get("taken") or {}, said.get("camera_model")
    if not model or taken.get("source") != "exif" or not taken.get("local"):
        return None, None
    local = datetime.fromisoformat(taken["local"]).replace(tzinfo=UTC)
    moment = local.timestamp()
    digits = taken.get("subsecond") or ""
    if digits.isdigit() and not local.microsecond:
        moment += float(f"0.{digits}")
    return moment, f"{model} {said.get('camera_serial') or ''}"
