"""What a file says of itself, as far as people may correct it: the one place that knows the record's fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archive.models import Asset
    from archive.models.base import Json

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


def _taken(asset: Asset, taken: dict[str, Any]) -> tuple[datetime, int | None, str]:
    if at := taken.get("at"):
        return datetime.fromisoformat(at).replace(tzinfo=None), taken.get("offset"), taken.get("source") or "exif"
    if asset.sent_at is not None:
        return asset.sent_at.astimezone(UTC).replace(tzinfo=None), None, "sent"
    return asset.created_at.astimezone(UTC).replace(tzinfo=None), None, "received"
