"""What each level would save on some assets of a library or an album: tried on them, and nothing stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from archive.access import Caller, Role
from archive.albums import service as albums
from archive.errors import Invalid, NotFound, TagphotoError
from archive.forms import given
from archive.ingest import originals
from archive.libraries import service as libraries
from archive.media.verdict import Verdict
from archive.models import AlbumAsset, Asset, SpacePreview
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.space.packing import limits_for

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.forms.given import Given
    from archive.forms.giving import Giver

Open = Callable[[], AbstractAsyncContextManager["AsyncSession"]]
SAMPLED = 20


async def ask(session: AsyncSession, caller: Caller, library_id: UUID, album_id: UUID | None) -> SpacePreview:
    """Ask for a preview; owners do, who choose."""
    await libraries.get_for(session, caller, library_id, Role.OWNER)
    if album_id is not None and (await albums.get(session, caller, album_id)).library_id != library_id:
        raise Invalid("This album is of another library.")
    preview = SpacePreview(library_id=library_id, album_id=album_id, results={"assets": []})
    session.add(preview)
    await session.flush()
    await session.refresh(preview)
    await enqueue(session, kinds.PREVIEW, {"preview": str(preview.id)}, library_id=library_id)
    return preview


async def get(session: AsyncSession, caller: Caller, preview_id: UUID) -> SpacePreview:
    """Find a preview of a library the caller belongs to."""
    preview = await session.get(SpacePreview, preview_id)
    if preview is None:
        raise NotFound("preview")
    await libraries.get(session, caller, preview.library_id)
    return preview


async def run(open_: Open, giver: Giver, preview_id: UUID) -> None:
    """Try the levels on the sampled assets; each is shown as soon as it is known."""
    async with open_() as session:
        preview = await session.get(SpacePreview, preview_id)
        if preview is None:
            return
        tried = {one["id"] for one in preview.results["assets"]}
        sampled = [asset for asset in await _sampled(session, preview) if str(asset.id) not in tried]
    for asset in sampled:
        result = await _tried(open_, giver, asset)
        async with open_() as session:
            row = await session.get(SpacePreview, preview_id, with_for_update=True)
            if row is None:
                return
            row.results = {"assets": [*row.results["assets"], result]}
    async with open_() as session:
        row = await session.get(SpacePreview, preview_id)
        if row is not None:
            row.finished_at = func.clock_timestamp()


async def _sampled(session: AsyncSession, preview: SpacePreview) -> list[Asset]:
    """Choose assets from all over: of every so manieth the first, in the order in which they were received."""
    statement = select(Asset).where(Asset.library_id == preview.library_id, Asset.trashed_at.is_(None))
    if preview.album_id is not None:
        within = AlbumAsset.album_id == preview.album_id
        statement = statement.join(AlbumAsset, AlbumAsset.asset_id == Asset.id).where(within)
    part = func.ntile(SAMPLED).over(order_by=Asset.id).label("part")
    numbered = statement.with_only_columns(Asset.id, part).subquery()
    first = select(numbered.c.id).ext(distinct_on(numbered.c.part)).order_by(numbered.c.part, numbered.c.id)
    return list(await session.scalars(select(Asset).where(Asset.id.in_(first)).order_by(Asset.id)))


async def _tried(open_: Open, giver: Giver, asset: Asset) -> dict[str, Any]:
    said = {"id": str(asset.id), "name": asset.name, "media_type": asset.media_type, "received": asset.size}
    try:
        async with open_() as session:
            found = await given.of(session, giver.vault.keys, asset)
        return {**said, "levels": {"keep": {"size": asset.size}, "exact": await _exact(giver, found)}}
    except TagphotoError as error:
        return {**said, "levels": {}, "reason": error.message}


async def _exact(giver: Giver, found: Given) -> dict[str, Any]:
    """Say how large the exact form is, or would be, or why there is none."""
    if found.form != "received":
        return {"size": found.plan.size}
    count = 0

    async def weigh(_name: str, pieces: AsyncIterator[bytes]) -> None:
        nonlocal count
        async for piece in pieces:
            count += len(piece)

    async with originals.opened(giver, found) as source:
        result = await giver.sandbox.run("pack", {}, source, limits=limits_for(found.size), blobs=weigh)
    if result.verdict is not Verdict.OK:
        return {"size": found.size, "reason": result.detail or str(result.verdict)}
    if (reason := (result.value or {}).get("refused")) is not None:
        return {"size": found.size, "reason": str(reason)[:500]}
    return {"size": count}
