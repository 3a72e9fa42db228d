"""What the one that stays takes over from those that go: marks, words, date, place, tags, albums, names; and back.

Only gaps are filled. What was taken over is written down, so that an undo takes back exactly that, and only where
nobody has changed it since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from archive.albums import standing_in
from archive.assets import editing
from archive.assets.editing import Changes
from archive.db import among
from archive.models import Asset, AssetName, AssetTag, Tag

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller
    from archive.models.base import Json

# Where a date came from, the surest first; the last three are guesses, which any other one is better than.
_DATES = ("user", "exif", "xmp", "iptc", "video", "name", "sent", "received")
_GUESSES = _DATES[5:]
_WORDS = ("title", "description", "rating")
_PLACE = ("latitude", "longitude")
_DATE = ("taken_at", "taken_offset")


async def merge(session: AsyncSession, caller: Caller, keeper: Asset, gone: Sequence[Asset]) -> Json:
    """Have one take over from others; gives what that was."""
    fields = gaps(keeper, gone)
    ids = [asset.id for asset in gone]
    words = await _missing_tags(session, keeper.id, ids)
    before = {name: _written(getattr(keeper, name)) for name in fields}
    await editing.edit(session, caller, [keeper.id], Changes(fields=fields, add_tags=words))
    albums, covers = await standing_in.stand_in(session, keeper.id, ids, caller.account_id)
    return {
        "keeper": str(keeper.id),
        "fields": {name: [before[name], _written(value)] for name, value in fields.items()},
        "tags": words,
        "albums": [str(one) for one in albums],
        "covers": {str(album): str(cover) for album, cover in covers.items()},
        "names": await _names(session, keeper.id, ids),
    }


async def take_back(session: AsyncSession, caller: Caller, merged: Json) -> None:
    """Take back what one took over."""
    keeper = await session.get(Asset, UUID(merged["keeper"]), populate_existing=True)
    if keeper is None:
        return
    fields: dict[str, Any] = {}
    for name, (old, new) in merged["fields"].items():
        if _written(getattr(keeper, name)) == new:
            # A gap was filled: the file has the word again. Marks are no corrections.
            fields[name] = old if name in editing.MARKS else None
    if not {*_PLACE} <= fields.keys():
        fields = {name: value for name, value in fields.items() if name not in _PLACE}
    await editing.edit(session, caller, [keeper.id], Changes(fields=fields, remove_tags=merged["tags"]))
    places = ([UUID(one) for one in merged["albums"]], {UUID(a): UUID(c) for a, c in merged["covers"].items()})
    await standing_in.step_back(session, keeper.id, places)
    taken = delete(AssetName).where(AssetName.asset_id == keeper.id, AssetName.name.in_(merged["names"]))
    await session.execute(taken)


def gaps(keeper: Asset, gone: Sequence[Asset]) -> dict[str, Any]:
    """Give what one lacks and the others have: of several the first that was received."""
    fields: dict[str, Any] = {}
    if not keeper.favourite and any(asset.favourite for asset in gone):
        fields["favourite"] = True
    for name in _WORDS:
        values = [value for asset in gone if (value := getattr(asset, name)) is not None]
        if getattr(keeper, name) is None and values:
            fields[name] = max(values) if name == "rating" else values[0]
    if keeper.latitude is None and (placed := [asset for asset in gone if asset.latitude is not None]):
        fields |= {name: getattr(placed[0], name) for name in _PLACE}
    if keeper.taken_from in _GUESSES:
        surer = min(gone, key=lambda asset: _rank(asset.taken_from))
        if surer.taken_from not in _GUESSES:
            fields |= {name: value for name in _DATE if (value := getattr(surer, name)) is not None}
    return fields


def _rank(taken_from: str) -> int:
    return _DATES.index(taken_from) if taken_from in _DATES else len(_DATES)


async def _missing_tags(session: AsyncSession, keeper_id: UUID, gone: Sequence[UUID]) -> list[str]:
    mine = select(AssetTag.tag_id).where(AssetTag.asset_id == keeper_id)
    statement = (
        select(Tag.name)
        .join(AssetTag, AssetTag.tag_id == Tag.id)
        .where(among(AssetTag.asset_id, gone), Tag.id.not_in(mine))
        .distinct()
        .order_by(Tag.name)
    )
    return list(await session.scalars(statement))


async def _names(session: AsyncSession, keeper_id: UUID, gone: Sequence[UUID]) -> list[str]:
    """Have one be found by the names the others came under."""
    names = select(AssetName.name).where(among(AssetName.asset_id, gone)).distinct().order_by(AssetName.name)
    rows = [{"asset_id": keeper_id, "name": name} for name in await session.scalars(names)]
    if not rows:
        return []
    added = insert(AssetName).values(rows).on_conflict_do_nothing().returning(AssetName.name)
    return list(await session.scalars(added))


def _written(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def merged_fields(merged: Mapping[str, Any]) -> list[str]:
    """Name what was taken over, for people."""
    names = [name for name in merged.get("fields", {}) if name not in {"longitude", "taken_offset"}]
    return names + [name for name in ("tags", "albums", "names") if merged.get(name)]
