"""What belongs together: a live photo and its film, the RAW beside a JPEG, a sidecar and its photo."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Select, func, or_, select

from archive.media import sidecar
from archive.media.facts import Facts
from archive.models import Asset, Metadata
from archive.steps import catalogue
from archive.steps import service as steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

_RAW = "image/x-%"
_FEW = 20


async def find(session: AsyncSession, asset: Asset) -> None:
    """Put an asset together with what belongs to it, in whichever order they came."""
    for key in filter(None, (asset.live_id, asset.shot_key, _stem(asset.name))):
        # Two that are described at once would not see each other: the second waits for the first.
        lock = func.pg_advisory_xact_lock(func.hashtext(f"tagphoto.together.{asset.library_id}.{key}"))
        await session.execute(select(lock))
    if asset.live_id is not None:
        await _live(session, asset)
    if asset.shot_key is not None:
        await _shot(session, asset)
    await _sidecars(session, asset)


async def with_sidecar(session: AsyncSession, asset: Asset, facts: Facts) -> Facts:
    """Let the sidecars of a photo have the last word over what the photo says itself."""
    statement = (
        select(Metadata.record)
        .join(Asset, Asset.id == Metadata.asset_id)
        .where(Asset.shown_with == asset.id, Asset.part == "sidecar", Asset.trashed_at.is_(None))
        .order_by(Asset.id)
    )
    for record in await session.scalars(statement):
        facts = sidecar.merge(facts, Facts.from_json(record))
    return facts


async def _live(session: AsyncSession, asset: Asset) -> None:
    same = await _others(session, asset, Asset.live_id == asset.live_id)
    photos = [one for one in [asset, *same] if one.kind == "photo"]
    for film in [one for one in [asset, *same] if one.kind == "video" and one.shown_with is None]:
        if photos:
            _show(film, min(photos, key=lambda one: one.id), "motion")


async def _shot(session: AsyncSession, asset: Asset) -> None:
    same = [asset, *await _others(session, asset, Asset.shot_key == asset.shot_key)]
    pictures = [one for one in same if one.kind == "photo" and not is_raw(one)]
    for raw in [one for one in same if is_raw(one) and one.shown_with is None]:
        if pictures:
            _show(raw, min(pictures, key=lambda one: one.id), "raw")


async def _sidecars(session: AsyncSession, asset: Asset) -> None:
    """Sidecars are named as their photos are: nothing inside them says which one they mean."""
    if asset.kind == "sidecar":
        if asset.shown_with is None and (photo := await _photo_of(session, asset)) is not None:
            _show(asset, photo, "sidecar")
            await steps.ask(session, photo.library_id, photo.id, [catalogue.DESCRIBE])
        return
    lone = await _others(session, asset, Asset.kind == "sidecar", Asset.shown_with.is_(None), *_named_for(asset))
    for one in lone:
        _show(one, asset, "sidecar")


def _named_for(asset: Asset) -> list[ColumnElement[bool]]:
    stem, name = _stem(asset.name), asset.name.lower()
    return [
        Asset.created_by == asset.created_by,
        or_(func.lower(Asset.name) == f"{stem}.xmp", func.lower(Asset.name) == f"{name}.xmp"),
    ]


async def _photo_of(session: AsyncSession, sidecar_asset: Asset) -> Asset | None:
    stem = sidecar_asset.name.lower().removesuffix(".xmp")
    named = or_(func.lower(Asset.name) == stem, func.lower(Asset.name).startswith(f"{stem}.", autoescape=True))
    found = await _others(
        session, sidecar_asset, named, Asset.kind.in_(("photo", "video")), Asset.created_by == sidecar_asset.created_by
    )
    if not found:
        return None
    # Exactly so named first, then a RAW, for which sidecars are made, then the latest.
    return max(found, key=lambda one: (one.name.lower() == stem, is_raw(one), one.id))


def is_raw(asset: Asset) -> bool:
    """Tell a camera's RAW, which is shown beneath the picture that was made of it."""
    return asset.media_type.startswith("image/x-") and asset.kind == "photo"


def _show(part: Asset, whole: Asset, name: str) -> None:
    # One level: what is shown with a part is shown with what that is a part of.
    part.shown_with, part.part = whole.shown_with or whole.id, name


async def _others(session: AsyncSession, asset: Asset, *wanted: ColumnElement[bool]) -> Sequence[Asset]:
    statement: Select[Asset] = (
        select(Asset)
        .where(Asset.library_id == asset.library_id, Asset.id != asset.id, Asset.trashed_at.is_(None), *wanted)
        .order_by(Asset.id)
        .limit(_FEW)
        .with_for_update()
    )
    return list(await session.scalars(statement))


def _stem(name: str) -> str:
    return PurePath(name).stem.lower()
