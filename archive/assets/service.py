"""Look at assets, put them into the trash, take them out again, destroy them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, func, select

from archive import audit
from archive.access import Caller, Role
from archive.assets import moving, queries
from archive.assets.receiving import keyed
from archive.errors import NotFound
from archive.forms import given, turning
from archive.libraries import service as libraries
from archive.models import Account, Asset, Rendition
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.usage import service as usage
from archive.vault import files

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.forms.given import Given
    from archive.models.base import Json
    from archive.vault.keys import LibraryKeys

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Known:
    """What a library has of a hash somebody asked for."""

    digest: bytes
    asset_id: UUID | None
    trashed: bool


async def page(
    session: AsyncSession, caller: Caller, library_id: UUID, *, before: UUID | None, limit: int, trashed: bool
) -> list[Asset]:
    """List a library's assets, the latest received first, in the trash or out of it."""
    await libraries.get(session, caller, library_id)
    return await queries.page(session, library_id, before=before, limit=limit, trashed=trashed)


async def get(session: AsyncSession, caller: Caller, asset_id: UUID, role: Role = Role.VIEWER) -> Asset:
    """Find an asset of a library the caller belongs to."""
    return await queries.get(session, caller, asset_id, role)


async def names(session: AsyncSession, asset: Asset) -> list[str]:
    """Give every name under which an asset's bytes were sent."""
    return await queries.names(session, asset.id)


async def metadata(session: AsyncSession, asset: Asset) -> Json | None:
    """Give what an asset's file says of itself, once it has been read."""
    return await queries.metadata(session, asset.id)


async def parts(session: AsyncSession, asset: Asset) -> list[Asset]:
    """Give what is shown as a part of an asset."""
    return await queries.parts(session, asset)


async def uploader(session: AsyncSession, asset: Asset) -> Account | None:
    """Say who sent an asset, while there is such an account."""
    return None if asset.created_by is None else await session.get(Account, asset.created_by)


async def known(
    session: AsyncSession, keys: LibraryKeys, caller: Caller, library_id: UUID, digests: Sequence[bytes]
) -> list[Known]:
    """Say which of these hashes (SHA-256 or SHA-1) a library has, so that nobody sends what is there."""
    await libraries.get(session, caller, library_id)
    key = await keys.identity(session, library_id)
    asked = {digest: keyed(key, "sha256" if len(digest) == 32 else "sha1", digest) for digest in digests}  # noqa: PLR2004  # bytes of a SHA-256
    found = await queries.by_identity(session, library_id, list(asked.values()))
    return [
        Known(digest, asset.id, asset.trashed_at is not None)
        if (asset := found.get(asked[digest]))
        else Known(digest, None, trashed=False)
        for digest in digests
    ]


async def original(
    session: AsyncSession, keys: LibraryKeys, caller: Caller | None, asset_id: UUID
) -> tuple[Asset, Given]:
    """Find out how to give an asset's bytes back; without a caller by a signed link."""
    asset = await session.get(Asset, asset_id) if caller is None else await queries.get(session, caller, asset_id)
    if asset is None:
        noun = "asset"
        raise NotFound(noun)
    return asset, await given.of(session, keys, asset)


async def trash(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID]) -> list[Asset]:
    """Put assets into the trash, with their parts; one that is there stays as long as it would have."""
    return await _move(session, caller, asset_ids, into_trash=True)


async def restore(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID]) -> list[Asset]:
    """Take assets out of the trash, with their parts."""
    return await _move(session, caller, asset_ids, into_trash=False)


async def purge(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID]) -> None:
    """Destroy assets in the trash now and for ever; others are refused, so that nothing is destroyed in one step."""
    await queries.hold_covers(session, asset_ids)
    found = await queries.locked(session, caller, asset_ids, Role.EDITOR, parts=True)
    assets = [asset for asset in found if asset.trashed_at is not None]
    if not {asset.id for asset in assets} >= set(asset_ids):
        noun = "asset in the trash"
        raise NotFound(noun)
    for asset in assets:
        audit.record(session, "asset.purged", caller=caller, library_id=asset.library_id, target=asset.id)
    await destroy(session, assets)


async def empty_trash(session: AsyncSession, caller: Caller, library_id: UUID) -> None:
    """Destroy all that is in a library's trash now, in the background."""
    await libraries.get_for(session, caller, library_id, Role.EDITOR)
    audit.record(session, "trash.emptied", caller=caller, library_id=library_id)
    # By the database's clock, as what was put into the trash.
    moment = await session.scalar(select(func.clock_timestamp()))
    args = {"library": str(library_id), "until": moment.isoformat() if moment else ""}
    await enqueue(session, kinds.EMPTY_TRASH, args, library_id=library_id)


async def purge_old(session: AsyncSession, kept: timedelta) -> int:
    """Destroy some assets whose time in the trash is over; says how many."""
    return await _destroy_all(session, await queries.purgeable(session, _BATCH, older_than=kept))


async def purge_trash(session: AsyncSession, library_id: UUID, until: datetime) -> int:
    """Destroy some of what was in a library's trash at a moment; says how many."""
    return await _destroy_all(session, await queries.purgeable(session, _BATCH, library_id=library_id, until=until))


async def _destroy_all(session: AsyncSession, assets: Sequence[Asset]) -> int:
    await destroy(session, assets)
    return len(assets)


async def destroy(session: AsyncSession, assets: Sequence[Asset]) -> None:
    """Destroy assets with all that was derived from them: their keys first, which is what cannot be undone."""
    if not assets:
        return
    ids, originals = [asset.id for asset in assets], [asset.original_id for asset in assets]
    derived = list(await session.scalars(select(Rendition.file_id).where(Rendition.asset_id.in_(ids))))
    for library_id, trashed, size in await queries.sizes(session, ids):
        moved = {"trash": -size} if trashed else {"originals": -size}
        await usage.add(session, library_id, **moved)
    for library_id, size in await queries.rendition_sizes(session, ids):
        await usage.add(session, library_id, renditions=-size)
    formers = await turning.all_of(session, ids)
    await session.execute(delete(Rendition).where(Rendition.asset_id.in_(ids)))
    await session.execute(delete(Asset).where(Asset.id.in_(ids)))
    await files.discard(session, [*originals, *formers, *derived])
    moving.tell(session, "asset.purged", assets)


async def _move(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID], *, into_trash: bool) -> list[Asset]:
    found = await queries.locked(session, caller, asset_ids, Role.EDITOR, parts=True)
    asked = set(asset_ids)
    assets = [asset for asset in found if asset.id in asked]
    to_move = [asset for asset in found if (asset.trashed_at is None) is into_trash]
    if not to_move:
        return assets
    if not into_trash:
        for library_id, _, size in await queries.sizes(session, [asset.id for asset in to_move]):
            await usage.reserve_restored(session, library_id, size)
    await moving.move(session, to_move, into_trash=into_trash)
    return assets
