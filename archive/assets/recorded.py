"""What a file says of itself, as far as people may correct it: the one place that knows these fields of the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from archive.assets import places
from archive.tags import service as tags

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Asset
    from archive.models.base import Json

# What may be corrected; tags are kept elsewhere and corrected like these.
FIELDS = frozenset({"title", "description", "rating", "taken_at", "taken_offset", "latitude", "longitude"})
TAGS = "tags"
_WORST, _BEST = -1, 5


@dataclass(frozen=True, slots=True)
class Recorded:
    """What holds where nobody has corrected it."""

    title: str | None
    description: str | None
    rating: int | None
    keywords: tuple[str, ...]
    taken_at: datetime
    taken_offset: int | None
    taken_from: str
    latitude: float | None
    longitude: float | None


def of(asset: Asset, record: Json | None) -> Recorded:
    """Read a metadata record; one that is not there yet says nothing."""
    said = record or {}
    position = said.get("position") or {}
    rating = said.get("rating")
    at, offset, source = _taken(asset, said.get("taken") or {})
    return Recorded(
        title=said.get("title"),
        description=said.get("description"),
        rating=rating if isinstance(rating, int) and _WORST <= rating <= _BEST else None,
        keywords=tuple(said.get("keywords") or ()),
        taken_at=at,
        taken_offset=offset,
        taken_from=source,
        latitude=position.get("latitude"),
        longitude=position.get("longitude"),
    )


async def show(session: AsyncSession, asset: Asset, said: Recorded, names: AbstractSet[str]) -> None:
    """Have an asset show what its file says, for some of its fields."""
    for name in names & FIELDS:
        setattr(asset, name, getattr(said, name))
    if "taken_at" in names:
        asset.taken_from = said.taken_from
    if "latitude" in names:
        found = places.Found()
        if said.latitude is not None and said.longitude is not None:
            found = places.at(said.latitude, said.longitude)
        asset.place_id, asset.country = found.place_id, found.country
    if TAGS in names:
        await tags.replace(session, asset.library_id, [asset.id], said.keywords, "file")


def _taken(asset: Asset, taken: dict[str, Any]) -> tuple[datetime, int | None, str]:
    if at := taken.get("local"):
        return datetime.fromisoformat(at).replace(tzinfo=None), taken.get("offset"), taken.get("source") or "exif"
    if asset.sent_at is not None:
        return asset.sent_at.astimezone(UTC).replace(tzinfo=None), None, "sent"
    return asset.created_at.astimezone(UTC).replace(tzinfo=None), None, "received"
