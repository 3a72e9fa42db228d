"""Everything known of one asset."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.fields import View
from api.signing import Signer
from api.tiles import Part, TileView, Verdict, shown
from archive.albums import service as albums
from archive.assets import places
from archive.assets import service as assets
from archive.keyring import Keyring
from archive.models import Asset
from archive.steps import service as steps
from archive.tags import service as tags
from archive.timeline import tiles
from archive.timeline.tiles import Tile


class AssetTile(TileView):
    """A tile, and what the archive keeps of the asset."""

    library_id: UUID
    media_type: str
    size: int
    created_at: datetime
    trashed_at: datetime | None

    @classmethod
    def with_more(cls, tile: Tile, links: Signer, **more: Any) -> Self:  # noqa: ANN401  # further fields
        """Show a tile and what is kept."""
        asset = tile.asset
        kept = {name: getattr(asset, name) for name in ("library_id", "media_type", "size", "created_at", "trashed_at")}
        return cls.model_validate(shown(tile, links) | kept | more)


class StepView(View):
    """What was to be done with an asset, and how it ended."""

    name: str
    state: Literal["waiting", "done", "failed", "skipped"]
    verdict: Verdict | None
    detail: str | None
    updated_at: datetime


class PartView(View):
    """An asset that is shown as a part of this one."""

    id: UUID
    part: Part | None
    name: str
    media_type: str
    size: int


class AssetAlbum(View):
    """An album it is in."""

    id: UUID
    name: str


class AssetTag(View):
    """A tag it has."""

    id: UUID
    name: str
    source: Literal["file", "user"]


class PlaceView(View):
    """Where it was taken."""

    id: int | None
    name: str | None
    name_ru: str | None
    country: str | None
    country_name: str | None
    country_name_ru: str | None

    @classmethod
    def of(cls, asset: Asset) -> Self | None:
        """Name an asset's place."""
        if asset.place_id is None and asset.country is None:
            return None
        place = None if asset.place_id is None else places.by_id(asset.place_id)
        country = None if asset.country is None else places.country(asset.country)
        return cls(
            id=asset.place_id,
            name=place.label if place else None,
            name_ru=place.label_ru if place else None,
            country=asset.country,
            country_name=country.label if country else None,
            country_name_ru=country.label_ru if country else None,
        )


class Uploader(View):
    """Who sent it."""

    id: UUID
    name: str


_PLAIN = (
    "title", "description", "camera", "lens", "latitude", "longitude", "taken_from", "sent_at", "corrected",
    "shown_with", "part",
)  # fmt: skip


class AssetDetails(AssetTile):
    """An asset, and everything known of it."""

    names: list[str]
    title: str | None
    description: str | None
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None
    taken_from: str
    sent_at: datetime | None
    corrected: list[str]
    shown_with: UUID | None
    part: Part | None
    place: PlaceView | None
    metadata: dict[str, Any] | None
    steps: list[StepView]
    shown_parts: list[PartView]
    albums: list[AssetAlbum]
    tags: list[AssetTag]
    uploader: Uploader | None

    @classmethod
    async def load(cls, session: AsyncSession, keyring: Keyring, asset: Asset) -> Self:
        """Look everything up; that the caller may see the asset is known."""
        tile = (await tiles.of(session, [asset]))[0]
        sender = await assets.uploader(session, asset)
        return cls.with_more(
            tile,
            Signer(keyring),
            **{name: getattr(asset, name) for name in _PLAIN},
            names=await assets.names(session, asset),
            place=PlaceView.of(asset),
            metadata=await assets.metadata(session, asset),
            steps=await steps.of(session, asset.id),
            shown_parts=await assets.parts(session, asset),
            albums=[AssetAlbum.model_validate(album) for album in await albums.holding(session, asset)],
            tags=[
                {"id": tag.id, "name": tag.name, "source": source} for tag, source in await tags.of(session, asset.id)
            ],
            uploader=sender and Uploader(id=sender.id, name=sender.name),
        )
