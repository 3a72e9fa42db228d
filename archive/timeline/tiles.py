"""Tiles: what every list shows of an asset, put together for a whole page in a few queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from archive.timeline import queries

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Asset
    from archive.timeline.queries import Part


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes that a browser can show: a rendition of an asset, or, where none is named, its original."""

    asset_id: UUID
    rendition: str | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """An asset, and what there is to be seen of it."""

    asset: Asset
    thumb: Source | None
    preview: Source | None
    clip: Source | None
    video: Source | None
    # The film of a live photo.
    motion: Source | None
    parts: tuple[str, ...]


async def of(session: AsyncSession, assets: Sequence[Asset]) -> list[Tile]:
    """Make the tiles of some assets, in their order."""
    if not assets:
        return []
    by_main = _by_main(assets, await queries.parts(session, [asset.id for asset in assets]))
    films = {main: part.asset_id for main, parts in by_main.items() for part in parts if part.part == "motion"}
    made = await queries.renditions(session, [*(asset.id for asset in assets), *films.values()])
    videos = [*(asset.id for asset in assets if asset.kind == "video"), *films.values()]
    unmade = [one for one in videos if "video" not in made.get(one, ())]
    playable = await queries.playable(session, unmade) if unmade else set[UUID]()

    def rendition(asset_id: UUID, name: str) -> Source | None:
        return Source(asset_id, name) if name in made.get(asset_id, ()) else None

    def film(asset_id: UUID) -> Source | None:
        return rendition(asset_id, "video") or (Source(asset_id) if asset_id in playable else None)

    return [
        Tile(
            asset,
            thumb=rendition(asset.id, "thumb"),
            preview=rendition(asset.id, "preview"),
            clip=rendition(asset.id, "clip"),
            video=film(asset.id) if asset.kind == "video" else None,
            motion=film(films[asset.id]) if asset.id in films else rendition(asset.id, "motion"),
            parts=_named(by_main.get(asset.id, ())),
        )
        for asset in assets
    ]


def _by_main(assets: Sequence[Asset], parts: Iterable[Part]) -> dict[UUID, list[Part]]:
    """Sort parts by what they are shown with; one that is in the trash alone is not shown."""
    trashed = {asset.id: asset.trashed_at is not None for asset in assets}
    found: dict[UUID, list[Part]] = {}
    for part in parts:
        if part.trashed is trashed[part.shown_with]:
            found.setdefault(part.shown_with, []).append(part)
    return found


def _named(parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(sorted({part.part for part in parts if part.part is not None}))
