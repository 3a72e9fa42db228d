"""Tiles: the one view of an asset that every list has, wherever it stands."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, PlainSerializer, WithJsonSchema

from api.fields import View
from api.signing import Signer
from archive.timeline.tiles import Source, Tile

Kind = Literal["photo", "video", "sidecar", "other"]
Part = Literal["motion", "raw", "sidecar"]
Verdict = Literal["unsupported", "corrupt", "resource_limit", "timeout", "crash"]


def _wall_clock(value: datetime) -> datetime:
    if value.tzinfo is not None or not 1 < value.year < 9999:  # noqa: PLR2004  # the first and last years
        message = "write what the clock on the wall showed: a date and a time without a zone"
        raise ValueError(message)
    return value


# What the clock on the wall showed. No 'date-time' of JSON schema: that has a zone.
WallClock = Annotated[
    datetime,
    AfterValidator(_wall_clock),
    PlainSerializer(lambda value: value.isoformat(timespec="milliseconds"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["2024-05-01T12:03:04.120"]}),
]


class TileView(View):
    """An asset in a list. Its links are signed for half an hour to an hour and need no sign-in."""

    id: UUID
    kind: Kind
    name: str
    taken_at: WallClock
    taken_offset: int | None
    width: int | None
    height: int | None
    duration_ms: int | None
    thumbhash: str | None
    thumb: str | None
    preview: str | None
    clip: str | None
    video: str | None
    motion: str | None
    favourite: bool
    archived: bool
    rating: int | None
    problem: Verdict | None
    parts: list[Part]
    updated_at: datetime

    @classmethod
    def of(cls, tile: Tile, links: Signer) -> Self:
        """Show a tile. Not validated: a page has a thousand, and their fields have the table's types."""
        return cls.model_construct(**shown(tile, links))


class Tiles(View):
    """A page of tiles."""

    items: list[TileView]
    next: str | None = None


def shown(tile: Tile, links: Signer, *, originals: bool = True) -> dict[str, Any]:
    """Give the fields of a tile; without originals, films that have no other form have no link."""
    asset = tile.asset

    def link(source: Source | None) -> str | None:
        if source is None:
            return None
        if source.rendition is None:
            return links.original(source.asset_id, inline=True) if originals else None
        return links.rendition(source.asset_id, source.rendition)

    return {
        "id": asset.id,
        "kind": asset.kind,
        "name": asset.name,
        "taken_at": asset.taken_at,
        "taken_offset": asset.taken_offset,
        "width": asset.width,
        "height": asset.height,
        "duration_ms": asset.duration_ms,
        "thumbhash": None if asset.thumbhash is None else base64.b64encode(asset.thumbhash).decode(),
        "thumb": link(tile.thumb),
        "preview": link(tile.preview),
        "clip": link(tile.clip),
        "video": link(tile.video),
        "motion": link(tile.motion),
        "favourite": asset.favourite,
        "archived": asset.archived,
        "rating": asset.rating,
        "problem": asset.problem,
        "parts": list(tile.parts),
        "updated_at": asset.updated_at,
    }


def views(tiles: Iterable[Tile], links: Signer) -> list[TileView]:
    """Show several tiles."""
    return [TileView.of(tile, links) for tile in tiles]
