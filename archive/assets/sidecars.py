"""What people corrected, as an XMP sidecar: for other programs, and for coming back with the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive.media.facts import Position, Taken
from archive.media.sidecar import Corrections, write_sidecar
from archive.tags import service as tags

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Asset

MEDIA_TYPE = "application/rdf+xml"
ENDING = ".xmp"


async def of(session: AsyncSession, asset: Asset) -> bytes:
    """Write what of an asset was corrected; what was not, the original says itself."""
    corrected = set(asset.corrected)
    words = [tag.name for tag, _ in await tags.of(session, asset.id)] if "tags" in corrected else None
    return write_sidecar(
        Corrections(
            # What was emptied by hand is said to be empty.
            title=(asset.title or "") if "title" in corrected else None,
            description=(asset.description or "") if "description" in corrected else None,
            rating=asset.rating if "rating" in corrected else None,
            keywords=None if words is None else tuple(words),
            taken=_taken(asset) if corrected & {"taken_at", "taken_offset"} else None,
            position=_position(asset) if "latitude" in corrected else None,
        )
    )


def _taken(asset: Asset) -> Taken:
    return Taken(asset.taken_at, "xmp", asset.taken_offset)


def _position(asset: Asset) -> Position | None:
    if asset.latitude is None or asset.longitude is None:
        return None
    return Position(asset.latitude, asset.longitude)
