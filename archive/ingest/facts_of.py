"""What an asset shows of its facts: everything but what its users have corrected."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from archive.tags import service as tags

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.media.facts import Facts
    from archive.media.places import Gazetteer
    from archive.models import Asset


async def apply(session: AsyncSession, places: Gazetteer, asset: Asset, facts: Facts) -> None:
    """Show facts on an asset."""
    asset.width, asset.height, asset.duration_ms = facts.width, facts.height, facts.duration_ms
    asset.camera, asset.lens = facts.camera, facts.lens
    corrected = set(asset.corrected)
    if "title" not in corrected:
        asset.title = facts.title
    if "description" not in corrected:
        asset.description = facts.description
    if "rating" not in corrected:
        asset.rating = facts.rating
    if "taken_at" not in corrected:
        _show_time(asset, facts)
    if "position" not in corrected:
        where = facts.position
        show_position(places, asset, where.latitude if where else None, where.longitude if where else None)
    if "tags" not in corrected:
        await tags.set_from_file(session, asset, facts.keywords)


def _show_time(asset: Asset, facts: Facts) -> None:
    if facts.taken is not None:
        asset.taken_at, asset.taken_offset = facts.taken.local, facts.taken.offset
        asset.taken_from = facts.taken.source
        return
    moment, asset.taken_from = (asset.sent_at, "sent") if asset.sent_at else (asset.created_at, "received")
    asset.taken_at, asset.taken_offset = moment.astimezone(UTC).replace(tzinfo=None), None


def show_position(places: Gazetteer, asset: Asset, latitude: float | None, longitude: float | None) -> None:
    """Show where it was taken, and what that place is called."""
    asset.latitude, asset.longitude, asset.place_id, asset.country = latitude, longitude, None, None
    if latitude is None or longitude is None:
        return
    place = places.find(latitude, longitude)
    if place is not None:
        asset.place_id, asset.country = place.id, place.country
