"""What a restore could not bring back, by the names people know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select

from archive.models import Asset, Library, Object, Rendition, Upload
from archive.uploads import service as uploads

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_ORDER = (Library.name, Asset.name, Asset.id)
_UPLOAD_LOST = "some of its bytes were not in the backup this archive was restored from"


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that cannot be read: an original, a rendition of one, or an upload that was under way."""

    what: str
    library: str
    library_id: UUID
    name: str
    asset_id: UUID | None
    trashed: bool
    reason: str


async def find(session: AsyncSession) -> list[Loss]:
    """List what is lost. Uploads that lost bytes are ended: their senders still have them."""
    damaged = (
        select(Object.file_id, func.min(Object.damage).label("reason"))
        .where(Object.damage.is_not(None))
        .group_by(Object.file_id)
        .subquery()
    )
    found = []
    originals = select(Asset, Library.name, damaged.c.reason).join(damaged, damaged.c.file_id == Asset.original_id)
    for asset, library, reason in await session.execute(
        originals.join(Library, Library.id == Asset.library_id).order_by(*_ORDER)
    ):
        found.append(_loss("original", asset, library, asset.name, reason))
    derived = (
        select(Asset, Library.name, damaged.c.reason, Rendition.name)
        .join(Rendition, Rendition.asset_id == Asset.id)
        .join(damaged, damaged.c.file_id == Rendition.file_id)
    )
    for asset, library, reason, rendition in await session.execute(
        derived.join(Library, Library.id == Asset.library_id).order_by(*_ORDER)
    ):
        found.append(_loss(f"rendition {rendition}", asset, library, asset.name, reason))
    begun = select(Upload, Library.name, damaged.c.reason).join(damaged, damaged.c.file_id == Upload.file_id)
    rows = (await session.execute(begun.join(Library, Library.id == Upload.library_id))).all()
    for upload, library, reason in rows:
        found.append(Loss("upload", library, upload.library_id, upload.name, None, False, reason))
        await uploads.end(session, upload, _UPLOAD_LOST)
    return found


def _loss(what: str, asset: Asset, library: str, name: str, reason: str) -> Loss:
    return Loss(what, library, asset.library_id, name, asset.id, asset.trashed_at is not None, reason)
