"""Write a request's bytes to an upload: one writer at a time, and only what is durable counts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from archive import log
from archive.db import now
from archive.errors import (
    ChecksumMismatch,
    Forbidden,
    OffsetMismatch,
    TooLarge,
    TooManyUploads,
    UploadGone,
    UploadLocked,
    UploadRefused,
)
from archive.models import File, Upload
from archive.uploads import service as uploads
from archive.usage import service as usage
from archive.vault import files
from archive.vault.contexts import Binding
from archive.vault.files import OBJECT_BYTES, Portions, Secret, Written
from archive.vault.hashing import Pair

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller
    from archive.db import Database
    from archive.uploads.service import Announced, Intake, Limits
    from archive.vault.vault import Vault

_log = log.get("uploads")
# A writer whose client has fallen silent for so long may be replaced: clients that lost their connection come back
# sooner than we learn of the loss, and give up after some seconds.
LEASE = timedelta(seconds=5)
_BEAT = 1.5
# When the request that brought the last byte does not finish the upload, a job does.
_FINISH_AFTER = timedelta(seconds=30)


_TOO_MUCH = "The upload is {} bytes long; this request brought more. Nothing behind them is kept."
# Finishes an upload in its last transaction if it can; says whether it did.
AtEnd = Callable[["AsyncSession", File, Pair], Awaitable[bool]]


class Interrupted(Exception):  # not an error: the client went away
    """The client went away in the middle of its body; raised by the body itself."""


@dataclass(slots=True)
class Writer:
    """Whoever may write to an upload now."""

    upload_id: UUID
    fence: int
    offset: int
    length: int | None
    partial: bool
    binding: Binding
    secret: Secret


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the client says a request's body hashes to."""

    algorithm: str
    digest: bytes


async def claim(intake: Intake, caller: Caller, upload_id: UUID, offset: int) -> Writer:
    """Become the writer of an upload that has exactly so many bytes."""
    async with intake.database.transaction() as session:
        upload = await uploads.find(session, caller, upload_id)
        if upload.concat == "final":
            message = "A final upload is made of its parts; it takes no bytes of its own."
            raise Forbidden(message)
        if upload.state == "finished":
            raise OffsetMismatch(upload.received)
        await _require_free_hand(session, caller, intake.limits)
        writer = await take(session, intake.vault, upload_id)
        if writer.offset != offset:
            raise OffsetMismatch(writer.offset)  # and the rollback lets go of it
        return writer


async def begin(intake: Intake, caller: Caller, announced: Announced) -> Writer:
    """Begin an upload whose bytes come with the same request, as its writer."""
    async with intake.database.transaction() as session:
        await _require_free_hand(session, caller, intake.limits)
        begun = await uploads.create(session, intake.vault, caller, intake.limits, announced, lease=LEASE)
        upload = begun.upload
        return Writer(upload.id, 1, 0, upload.length, announced.partial, begun.binding, begun.secret)


async def take(session: AsyncSession, vault: Vault, upload_id: UUID) -> Writer:
    """Become the writer of an upload, unless somebody is."""
    free = or_(Upload.writing_until.is_(None), Upload.writing_until <= func.clock_timestamp())
    taken = await session.scalar(
        update(Upload)
        .where(Upload.id == upload_id, Upload.state == "open", free)
        .values(fence=Upload.fence + 1, writing_until=func.clock_timestamp() + LEASE)
        .returning(Upload.fence)
    )
    if taken is None:
        raise UploadLocked
    upload = await session.get_one(Upload, upload_id, populate_existing=True)
    file = await session.get_one(File, upload.file_id)
    secret = await files.secret_of(session, vault.keys, file)
    partial = upload.concat == "partial"
    return Writer(upload_id, taken, upload.received, upload.length, partial, Binding.of(file), secret)


async def _require_free_hand(session: AsyncSession, caller: Caller, limits: Limits) -> None:
    statement = select(func.count()).where(
        *uploads.sent_by(caller), Upload.writing_until > func.clock_timestamp(), Upload.state == "open"
    )
    if (await session.scalar(statement) or 0) >= limits.at_once:
        raise TooManyUploads(limits.at_once)


async def receive(
    intake: Intake,
    writer: Writer,
    body: AsyncIterator[bytes],
    checksum: Checksum | None = None,
    at_end: AtEnd | None = None,
) -> bool:
    """Write a body to an upload, object by object; ``writer.offset`` is what is committed.

    Says whether the body came to its end. With a checksum nothing is committed before all of it is there and right.
    ``at_end`` may finish the upload in the transaction that commits its last bytes.
    """
    transfer = _Transfer(intake, writer, checksum, at_end)
    async with held(intake.database, writer, transfer.has_come_on):
        return await transfer.run(body)


@asynccontextmanager
async def held(database: Database, writer: Writer, alive: Callable[[], bool] = lambda: True) -> AsyncIterator[None]:
    """Renew a writer's lease while something goes on that may take longer than it."""
    beats = asyncio.create_task(_beat(database, writer, alive))
    try:
        yield
    finally:
        beats.cancel()
        await asyncio.wait([beats])


async def _beat(database: Database, writer: Writer, alive: Callable[[], bool]) -> None:
    while True:
        await asyncio.sleep(_BEAT)
        if not alive():
            continue
        try:
            async with database.transaction() as session:
                await require_ours(session, writer)
        except (SQLAlchemyError, OSError) as error:
            _log.warning("lease.not_renewed", error=str(error).split("\n", 1)[0])
        except UploadRefused:
            return  # the next commit says so


async def let_go(database: Database, writer: Writer) -> None:
    """Stop being the writer. When even that fails, the lease runs out by itself."""
    with suppress(SQLAlchemyError, OSError):
        async with database.transaction() as session:
            await session.execute(
                update(Upload)
                .where(Upload.id == writer.upload_id, Upload.fence == writer.fence)
                .values(writing_until=None)
            )


class _Transfer:
    """One request's bytes on their way into the store."""

    def __init__(self, intake: Intake, writer: Writer, checksum: Checksum | None, at_end: AtEnd | None) -> None:
        self._intake, self._database, self._hashes = intake, intake.database, intake.hashes
        self._writer, self._checksum, self._at_end = writer, checksum, at_end
        self._pair = None if writer.partial else intake.hashes.take(writer.upload_id, writer.offset)
        if writer.offset == 0 and not writer.partial:
            self._pair = Pair()
        self._body_hash = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        self._written: list[Written] = []
        self._seen = self._seen_before = 0
        self._first = writer.offset
        self._interrupted = False

    async def run(self, body: AsyncIterator[bytes]) -> bool:
        """Take the body to its end, or to where it breaks off."""
        portions = Portions(self._counted(body))
        start = self._writer.offset
        while await portions.more():
            written = await self._write(start, portions)
            start += written.sealed.size
            self._written.append(written)
            if self._checksum is None:
                await self._commit()
        if self._checksum is not None:
            await self._commit_checked(self._checksum)
        return not self._interrupted

    def has_come_on(self) -> bool:
        """Say whether bytes came since this was asked last: a writer that has fallen silent may be replaced."""
        come_on, self._seen_before = self._seen != self._seen_before, self._seen
        return come_on

    async def _write(self, start: int, portions: Portions) -> Written:
        writer = self._writer
        portion = portions.portion(OBJECT_BYTES)
        return await files.write(self._intake.vault.store, writer.secret, writer.binding, start, portion, self._watch)

    def _watch(self, piece: bytes) -> None:
        if self._pair is not None:
            self._pair.update(piece)
        if self._body_hash is not None:
            self._body_hash.update(piece)

    async def _counted(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Give the body up to where it breaks off, and refuse more of it than was announced or is allowed."""
        most = self._intake.limits.max_upload if self._writer.length is None else self._writer.length
        try:
            async for piece in body:
                self._seen += len(piece)
                if self._first + self._seen > most:
                    message = (
                        f"The upload is {most} bytes long; this request brought more. Nothing behind them is kept."
                    )
                    raise TooLarge(message)
                yield piece
        except Interrupted:
            self._interrupted = True

    async def _commit_checked(self, checksum: Checksum) -> None:
        right = self._body_hash is not None and self._body_hash.digest() == checksum.digest
        if right and not self._interrupted:
            await self._commit()
            return
        async with self._database.transaction() as session:
            await files.delete_later(session, [one.key for one in self._written])
        if not self._interrupted:
            message = f"The body does not have the {checksum.algorithm} that Upload-Checksum says. Send it again."
            raise ChecksumMismatch(message)

    async def _commit(self) -> None:
        """Make durable objects count: their rows and the new offset in one transaction."""
        if not self._written:
            return
        writer, written = self._writer, self._written
        offset = writer.offset + sum(one.sealed.size for one in written)
        async with self._database.transaction() as session:
            # The upload before the usage: whoever declares a length locks them in this order, too.
            length = await _advance(session, writer, offset, self._intake.limits)
            if length is None:
                await usage.reserve(session, writer.binding.library_id, offset - writer.offset, noted=True)
            writer.length = length
            file = await files.locked(session, writer.binding.file_id)
            files.add(session, file, written)
            if offset == writer.length and not writer.partial:
                await self._end(session, file)
        writer.offset, self._written = offset, []
        if self._pair is not None:
            self._hashes.keep(writer.upload_id, offset, Pair(self._pair.sha256.copy(), self._pair.sha1.copy()))

    async def _end(self, session: AsyncSession, file: File) -> None:
        """Finish the upload with its last bytes. What cannot be done at once is done next, by us or by a job."""
        if self._at_end and self._pair and await self._at_end(session, file, self._pair):
            return
        await uploads.finish_later(session, self._writer.upload_id, self._writer.binding.library_id, _FINISH_AFTER)


async def _advance(session: AsyncSession, writer: Writer, offset: int, limits: Limits) -> int | None:
    """Move the offset; gives the length, which somebody may have declared meanwhile."""
    moved = (
        await session.execute(
            update(Upload)
            .where(Upload.id == writer.upload_id, Upload.fence == writer.fence, Upload.state == "open")
            .where(or_(Upload.length.is_(None), Upload.length >= offset))
            .values(received=offset, writing_until=func.clock_timestamp() + LEASE, expires_at=now() + limits.kept)
            .returning(Upload.length)
        )
    ).one_or_none()
    if moved is None:
        await _refuse(session, writer, offset)
    length: int | None = moved[0]
    return length


async def require_ours(session: AsyncSession, writer: Writer) -> None:
    """Renew the writer's lease, which locks the row; refuse a writer that was replaced."""
    renewed = await session.scalar(
        update(Upload)
        .where(Upload.id == writer.upload_id, Upload.fence == writer.fence, Upload.state == "open")
        .values(writing_until=func.clock_timestamp() + LEASE)
        .returning(Upload.id)
    )
    if renewed is None:
        await _refuse(session, writer)


async def _refuse(session: AsyncSession, writer: Writer, offset: int = 0) -> NoReturn:
    upload = await session.get(Upload, writer.upload_id, populate_existing=True)
    if upload is None or upload.state != "open":
        raise UploadGone(str(((upload and upload.reason) or {}).get("detail", uploads.EXPIRED)))
    if upload.fence == writer.fence and upload.length is not None and upload.length < offset:
        raise TooLarge(_TOO_MUCH.format(upload.length))
    raise UploadLocked
