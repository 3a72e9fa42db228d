"""Where an upload's asset goes besides its library: a batch, an album, an album by a guest's link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from archive import audit
from archive.access import Role
from archive.albums import service as albums
from archive.batches import service as batches
from archive.errors import NotFound
from archive.models import Account

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller
    from archive.models import Asset, Upload
    from archive.uploads.service import Announced


async def of(session: AsyncSession, caller: Caller, library_id: UUID, announced: Announced) -> dict[str, Any]:
    """Give what an upload's row says of it. A guest's goes where the link leads, whatever its sender names."""
    if (guest := caller.guest) is not None:
        there = {"album_id": guest.album_id, "share_id": guest.share_id, "guest_id": guest.id}
        return {"sent_at": announced.sent_at, "batch_id": None} | there
    if announced.batch_id is not None:
        await batches.require(session, caller, announced.batch_id, library_id)
    if announced.album_id is not None:
        album = await albums.get(session, caller, announced.album_id, Role.EDITOR)
        if album.library_id != library_id:
            noun = "album"
            raise NotFound(noun)
    return {"sent_at": announced.sent_at, "batch_id": announced.batch_id, "album_id": announced.album_id}


async def deliver(session: AsyncSession, upload: Upload, asset: Asset) -> None:
    """Bring a received asset to where its sender wanted it."""
    if upload.sent_at is not None and not upload.duplicate:
        asset.sent_at = upload.sent_at
    if upload.batch_id is not None:
        await batches.put_received(session, upload.batch_id, asset, duplicate=upload.duplicate)
    if upload.album_id is not None:
        await albums.put_received(session, upload.album_id, asset, upload.account_id)
    if upload.share_id is not None:
        maker = await session.get_one(Account, upload.account_id)
        audit.record(
            session,
            "share.received",
            actor=(maker.id, maker.email),
            library_id=upload.library_id,
            target=asset.id,
            share=str(upload.share_id),
            album=str(upload.album_id),
        )
