"""Begin uploads, look at them, end them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from archive.access import Caller, Role, Scope
from archive.db import now
from archive.errors import Conflict, Invalid, NotFound, OffsetMismatch, TooLarge, UploadGone, UploadLocked
from archive.ids import new_id
from archive.libraries import service as libraries
from archive.models import File, Upload
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.uploads import destination
from archive.usage import service as usage
from archive.vault import files
from archive.vault.contexts import Binding
from archive.vault.files import Secret

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.db import Database
    from archive.vault.hashing import Hashes
    from archive.vault.vault import Vault

# How long a finished upload, or one that is gone, can still be asked about.
REMEMBERED = timedelta(days=1)
EXPIRED, TERMINATED = "it has expired", "it was terminated"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator allows."""

    max_upload: int
    at_once: int
    kept: timedelta


@dataclass(frozen=True, slots=True)
class Intake:
    """What receiving bytes needs, in one hand."""

    database: Database
    vault: Vault
    hashes: Hashes
    limits: Limits


@dataclass(frozen=True, slots=True)
class Announced:
    """What the client says of the bytes to come."""

    library_id: UUID | None
    length: int | None
    name: str
    media_type: str
    sha256: bytes = b""
    metadata: str = ""
    partial: bool = False
    # The file's date, as its sender says, and where its asset goes besides the library.
    sent_at: datetime | None = None
    batch_id: UUID | None = None
    album_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A new upload, and what its bytes are sealed with."""

    upload: Upload
    binding: Binding
    secret: Secret


async def create(
    session: AsyncSession,
    vault: Vault,
    caller: Caller,
    limits: Limits,
    announced: Announced,
    *,
    lease: timedelta | None = None,
) -> Begun:
    """Begin an upload; the room it needs is reserved from now on. With a lease its first writer is there already."""
    caller.require(Scope.UPLOAD)
    library_id = await library_for(session, caller, announced.library_id)
    going = await destination.of(session, caller, library_id, announced)
    require_allowed(announced.length or 0, limits)
    await usage.reserve(session, library_id, announced.length or 0)
    binding, secret = Binding.new(library_id, "original"), Secret(sha256=announced.sha256)
    await files.begin(session, vault.keys, binding, secret)
    upload = Upload(
        id=new_id(),
        library_id=library_id,
        account_id=caller.account_id,
        file_id=binding.file_id,
        state="open",
        length=announced.length,
        received=0,
        name=announced.name,
        media_type=announced.media_type,
        metadata_=announced.metadata,
        concat="partial" if announced.partial else None,
        fence=0 if lease is None else 1,
        writing_until=None if lease is None else func.clock_timestamp() + lease,
        duplicate=False,
        expires_at=now() + limits.kept,
        **going,
    )
    session.add(upload)
    await session.flush()
    return Begun(upload, binding, secret)


async def library_for(session: AsyncSession, caller: Caller, library_id: UUID | None) -> UUID:
    """Find the library to receive into: the named one, or the only one the caller may add to."""
    if library_id is not None:
        library, _ = await libraries.get_for(session, caller, library_id, Role.EDITOR)
        return library.id
    page = await libraries.page(session, caller, after=None, limit=100)
    possible = [library.id for library, role in page if Role(role).at_least(Role.EDITOR)]
    if len(possible) != 1:
        message = f"Name the library to upload to: you may add to {len(possible) or 'none'}."
        raise Invalid(message)
    return possible[0]


def require_allowed(length: int, limits: Limits) -> None:
    """Refuse a length nobody may upload."""
    if length > limits.max_upload:
        message = f"{length} bytes are more than this installation takes: {limits.max_upload}."
        raise TooLarge(message)


async def find(session: AsyncSession, caller: Caller, upload_id: UUID, **lock: Any) -> Upload:  # noqa: ANN401  # with_for_update's own
    """Find an upload of the caller's that is not gone."""
    caller.require(Scope.UPLOAD)
    statement = select(Upload).where(Upload.id == upload_id, *sent_by(caller))
    if caller.only_library is not None:
        statement = statement.where(Upload.library_id == caller.only_library)
    upload = await session.scalar(statement.with_for_update(**lock) if lock else statement)
    if upload is None:
        noun = "upload"
        raise NotFound(noun)
    if upload.state == "gone":
        raise UploadGone(str((upload.reason or {}).get("detail", EXPIRED)))
    if upload.state == "open" and upload.expires_at <= now():
        raise UploadGone(EXPIRED)
    # Who has left the library meanwhile, or may only look at it now, cannot add to it.
    await libraries.get_for(session, caller, upload.library_id, Role.EDITOR)
    return upload


def sent_by(caller: Caller) -> list[ColumnElement[bool]]:
    """Say, as SQL, that an upload is this caller's: a guest's is its own and not that of who made the link."""
    guest = None if caller.guest is None else caller.guest.id
    return [Upload.account_id == caller.account_id, Upload.guest_id.is_not_distinct_from(guest)]


async def declare_length(session: AsyncSession, caller: Caller, limits: Limits, upload_id: UUID, length: int) -> None:
    """Take the length of an upload that was begun without one."""
    upload = await find(session, caller, upload_id, of=Upload)
    if upload.length == length:
        return
    if upload.length is not None:
        message = f"The length is {upload.length} already and cannot be changed."
        raise Conflict(message)
    require_allowed(length, limits)
    if length < upload.received:
        raise OffsetMismatch(upload.received)
    await usage.reserve(session, upload.library_id, length - upload.received)
    upload.length = length


async def terminate(session: AsyncSession, caller: Caller, upload_id: UUID) -> None:
    """End an upload and forget its bytes. A finished one stays what it became."""
    upload = await find(session, caller, upload_id, of=Upload)
    if upload.state == "finished":
        message = "This upload is finished and cannot be terminated. Put its asset into the trash instead."
        raise Conflict(message)
    if await is_written_to(session, upload_id):
        raise UploadLocked
    await end(session, upload, TERMINATED)


async def abandon(session: AsyncSession, upload_id: UUID) -> None:
    """End an upload whose only request failed, unless it was finished or is gone already."""
    upload = await session.get(Upload, upload_id, with_for_update=True, populate_existing=True)
    if upload is not None and upload.state == "open":
        await end(session, upload, TERMINATED)


async def is_written_to(session: AsyncSession, upload_id: UUID) -> bool:
    """Say whether a request writes to an upload just now, by the database's clock."""
    statement = select(Upload.id).where(Upload.id == upload_id, Upload.writing_until > func.clock_timestamp())
    return await session.scalar(statement) is not None


async def end(session: AsyncSession, upload: Upload, detail: str) -> None:
    """Discard what an upload has received, and remember why for a while. Whoever still writes to it is fenced off."""
    upload.state, upload.reason, file_id = "gone", {"detail": detail}, upload.file_id
    upload.fence += 1
    upload.file_id, upload.writing_until, upload.expires_at = None, None, now() + REMEMBERED
    await session.flush()
    if file_id is not None:
        await files.discard(session, [file_id])


async def use_up(session: AsyncSession, part: Upload, final: Upload) -> None:
    """Discard the bytes of a part that a finished upload was made of. Who asks for it is told that all is there."""
    part.state, part.asset_id, file_id = "finished", final.asset_id, part.file_id
    part.file_id, part.writing_until, part.expires_at = None, None, final.expires_at
    await session.flush()
    if file_id is not None:
        await files.discard(session, [file_id])


async def finish_later(session: AsyncSession, upload_id: UUID, library_id: UUID, delay: timedelta) -> None:
    """Have a job finish an upload that has all its bytes, in case nobody else does."""
    args = {"upload": str(upload_id)}
    await enqueue(session, kinds.FINISH, args, key=str(upload_id), library_id=library_id, delay=delay)


async def expire(session: AsyncSession, limit: int = 100) -> int:
    """End uploads that nobody went on with, and forget those that are over; says how many were ended."""
    old = Upload.expires_at <= func.now()
    await session.execute(delete(Upload).where(old, Upload.state != "open"))
    idle = Upload.writing_until.is_(None) | (Upload.writing_until <= func.clock_timestamp())
    statement = select(Upload).where(old, Upload.state == "open", idle).limit(limit)
    uploads = list(await session.scalars(statement.with_for_update(skip_locked=True)))
    for upload in uploads:
        if upload.received == upload.length and upload.concat is None:
            # All its bytes were acknowledged: it is not expired, but unfinished.
            upload.expires_at = now() + REMEMBERED
            await finish_later(session, upload.id, upload.library_id, timedelta(0))
        else:
            await end(session, upload, EXPIRED)
    await _discard_ownerless(session, limit)
    return len(uploads)


async def _discard_ownerless(session: AsyncSession, limit: int) -> None:
    """Discard files that are being filled and that no upload fills: its row went with an account."""
    filled = select(Upload.id).where(Upload.file_id == File.id).exists()
    old = File.created_at < func.now() - REMEMBERED
    statement = select(File.id).where(File.state == "filling", old, ~filled).limit(limit)
    await files.discard(session, list(await session.scalars(statement)))
