"""Received bytes become an asset, or another name of one."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from archive.assets import moving, queries
from archive.events.service import publish
from archive.forms import turning
from archive.ids import new_id
from archive.models import Asset, AssetName, File, Object, Recompression
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.steps import catalogue
from archive.steps import service as steps
from archive.usage import service as usage
from archive.vault import files

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.vault.files import Secret
    from archive.vault.keys import LibraryKeys

_KINDS = {"image": "photo", "video": "video"}


@dataclass(frozen=True, slots=True)
class Identity:
    """Which bytes an asset has, for its library alone to compare."""

    sha256: bytes
    sha1: bytes


@dataclass(frozen=True, slots=True)
class Described:
    """What the sender said of the bytes."""

    name: str
    media_type: str
    account_id: UUID
    # The file's date, which says nothing certain, but more than the moment it was received.
    sent_at: datetime | None = None


async def identity_of(session: AsyncSession, keys: LibraryKeys, library_id: UUID, secret: Secret) -> Identity:
    """Make the keyed identity of bytes with these hashes."""
    key = await keys.identity(session, library_id)
    return Identity(keyed(key, "sha256", secret.sha256), keyed(key, "sha1", secret.sha1))


def keyed(key: bytes, algorithm: str, digest: bytes) -> bytes:
    """Make one keyed hash."""
    return hmac.digest(key, algorithm.encode() + digest, "sha256")


async def receive(
    session: AsyncSession, keys: LibraryKeys, file: File, secret: Secret, described: Described
) -> tuple[Asset, bool]:
    """Make an asset of a filled file. Bytes the library has already add a name to theirs; says whether it had them."""
    identity = await identity_of(session, keys, file.library_id, secret)
    while True:
        if (asset := await _same(session, file.library_id, identity)) is not None:
            await _again(session, keys, asset, file, secret, described)
            return asset, True
        if (asset := await _new(session, file, identity, described)) is not None:
            break
    await files.close(session, keys, file, secret)
    await usage.add(session, file.library_id, originals=file.size)
    await enqueue(session, kinds.VERIFY, {"file": str(file.id)}, library_id=file.library_id)
    await steps.ask(session, file.library_id, asset.id, [catalogue.DESCRIBE])
    publish(session, "asset.created", {"id": str(asset.id)}, file.library_id)
    return asset, False


async def _same(session: AsyncSession, library_id: UUID, identity: Identity) -> Asset | None:
    statement = select(Asset).where(Asset.library_id == library_id, Asset.identity == identity.sha256)
    found = await session.scalar(statement)
    if found is not None and found.trashed_at is not None:
        # Those it will leave the trash with are locked in the order in which everybody locks assets.
        await queries.trashed_with(session, found)
    return found and await session.scalar(statement.with_for_update().execution_options(populate_existing=True))


async def _new(session: AsyncSession, file: File, identity: Identity, described: Described) -> Asset | None:
    """Insert the asset, unless another upload of the same bytes was faster."""
    values = {
        "id": new_id(),
        "library_id": file.library_id,
        "original_id": file.id,
        "name": described.name,
        "media_type": described.media_type,
        "size": file.size,
        "identity": identity.sha256,
        "identity_sha1": identity.sha1,
        "created_by": described.account_id,
        # Until the content has been looked at: as its sender calls it.
        "kind": _KINDS.get(described.media_type.partition("/")[0], "other"),
        "sent_at": described.sent_at,
    }
    if described.sent_at is not None:
        values |= {"taken_at": described.sent_at.astimezone(UTC).replace(tzinfo=None), "taken_from": "sent"}
    made = insert(Asset).values(values).on_conflict_do_nothing(index_elements=[Asset.library_id, Asset.identity])
    asset = await session.scalar(made.returning(Asset))
    if asset is not None:
        await _name(session, asset.id, described)
        await _make_due(session, asset.id)
    return asset


async def _again(
    session: AsyncSession, keys: LibraryKeys, asset: Asset, file: File, secret: Secret, described: Described
) -> None:
    """Take bytes that are there already: whoever sends them wants them kept, so they leave the trash."""
    await _name(session, asset.id, described)
    if asset.trashed_at is not None:
        await moving.move(session, await queries.trashed_with(session, asset), into_trash=False)
    damaged = select(Object.key).where(Object.file_id == asset.original_id, Object.damage.is_not(None)).limit(1)
    if await session.scalar(damaged) is None:
        await files.discard(session, [file.id])
        return
    # What is kept is damaged, and here are the same bytes, whole.
    await files.close(session, keys, file, secret)
    await session.flush()
    await turning.replace(session, asset, file)
    await _make_due(session, asset.id)
    await enqueue(session, kinds.VERIFY, {"file": str(file.id)}, library_id=file.library_id)


async def _make_due(session: AsyncSession, asset_id: UUID) -> None:
    """Have it kept in as few bytes as its library wants, later."""
    row = insert(Recompression).values(asset_id=asset_id)
    anew = {"state": "due", "due_at": row.excluded.due_at, "attempts": 0, "reason": None}
    await session.execute(row.on_conflict_do_update(index_elements=[Recompression.asset_id], set_=anew))


async def _name(session: AsyncSession, asset_id: UUID, described: Described) -> None:
    row = insert(AssetName).values(asset_id=asset_id, name=described.name, added_by=described.account_id)
    await session.execute(row.on_conflict_do_nothing())
