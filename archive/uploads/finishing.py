"""Finish an upload: know the hashes of its bytes, compare them with what was announced, and make the asset."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from archive.assets import receiving
from archive.assets.receiving import Described
from archive.db import now
from archive.errors import ChecksumMismatch, Conflict, Invalid, UploadGone
from archive.models import Asset, File, Upload
from archive.uploads import destination, writing
from archive.uploads import service as uploads
from archive.vault import files, reading
from archive.vault.contexts import Binding
from archive.vault.files import Secret
from archive.vault.hashing import Pair

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller
    from archive.db import Database
    from archive.uploads.service import Announced, Intake
    from archive.uploads.writing import Checksum, Writer
    from archive.vault.reading import Plan
    from archive.vault.vault import Vault

_FEW, _CRUMB = 16, 1 << 20
_MOST_PARTS = 1000
_WRONG = "its bytes did not have the SHA-256 that was announced"


def is_complete(writer: Writer) -> bool:
    """Say whether an upload has all its bytes and is to become an asset."""
    return writer.offset == writer.length and not writer.partial


@dataclass(slots=True)
class Outcome:
    """What became of a request's bytes."""

    # Whether the body came to its end.
    whole: bool = False
    upload: Upload | None = None
    asset: Asset | None = None


async def take_in(
    intake: Intake, writer: Writer, body: AsyncIterator[bytes], checksum: Checksum | None = None
) -> Outcome:
    """Write a request's bytes to an upload; when they are its last, make the asset."""
    outcome = Outcome()

    async def at_end(session: AsyncSession, file: File, pair: Pair) -> bool:
        right = not writer.secret.sha256 or writer.secret.sha256 == pair.sha256.digest()
        if not right or _is_in_crumbs(file.size, file.objects):
            return False
        upload = await session.get_one(Upload, writer.upload_id, populate_existing=True)
        await _become(session, intake.vault, upload, file, _with_hashes(writer.secret, pair), outcome)
        return True

    outcome.whole = await writing.receive(intake, writer, body, checksum, at_end)
    if outcome.upload is not None:
        intake.hashes.forget(writer.upload_id)
    elif is_complete(writer):
        await finish(intake, writer, outcome)
    return outcome


async def finish(intake: Intake, writer: Writer, outcome: Outcome | None = None) -> Upload:
    """Make an asset of an upload that has all its bytes. Its writer does; whatever it is cut off at can be repeated."""
    async with writing.held(intake.database, writer):
        return await _finish(intake, writer, outcome or Outcome())


async def _finish(intake: Intake, writer: Writer, outcome: Outcome) -> Upload:
    database, vault = intake.database, intake.vault
    async with database.transaction() as session:
        plan = await reading.plan(session, vault.keys, await session.get_one(File, writer.binding.file_id))
    pair = intake.hashes.take(writer.upload_id, writer.offset) or await _hashed(vault, plan)
    await _require_announced(database, writer, pair)
    if _is_in_crumbs(plan.size, len(plan.pieces)):
        return await _finish_anew(database, vault, writer, plan, outcome)
    async with database.transaction() as session:
        upload = await _own(session, writer)
        file = await files.locked(session, writer.binding.file_id)
        return await _become(session, vault, upload, file, _with_hashes(plan.secret, pair), outcome)


def _is_in_crumbs(size: int, objects: int) -> bool:
    """Say whether a file came in so many small objects that writing it anew is worth it."""
    return objects > _FEW + size // _CRUMB


async def finish_by_job(intake: Intake, upload_id: UUID) -> None:
    """Finish an upload whose last request did not live to do so."""
    async with intake.database.transaction() as session:
        upload = await session.get(Upload, upload_id)
        if upload is None or upload.state != "open" or upload.received != upload.length:
            return
        writer = await writing.take(session, intake.vault, upload_id)
    try:
        await finish(intake, writer)
    except ChecksumMismatch:
        pass  # the upload itself says so to whoever asks
    finally:
        await writing.let_go(intake.database, writer)


async def concatenate(intake: Intake, caller: Caller, announced: Announced, part_ids: Sequence[UUID]) -> Upload:
    """Make one upload, and its asset, of several partial ones. Who asks again gets the same: the answer was lost."""
    database, vault = intake.database, intake.vault
    async with database.transaction() as session:
        if (made_before := await _made_of(session, caller, part_ids)) is not None:
            return made_before
        library_id, plans = await _parts(session, vault, caller, part_ids)
        if announced.library_id not in {None, library_id}:
            message = "The parts were uploaded to another library than this names."
            raise Invalid(message)
        length = sum(plan.size for plan in plans)
        uploads.require_allowed(length, intake.limits)
    made = await _written_anew(vault, Binding.new(library_id, "original"), plans)
    if announced.sha256 and announced.sha256 != made.secret.sha256:
        raise ChecksumMismatch(_mismatch())
    async with database.transaction() as session:
        await _lock(session, part_ids)
        if (made_meanwhile := await _made_of(session, caller, part_ids)) is not None:
            await files.delete_later(session, [one.key for one in made.written])
            return made_meanwhile
        parts = await _locked_parts(session, caller, part_ids)
        going = await destination.of(session, caller, library_id, announced)
        upload = _concatenated(caller, announced, library_id, part_ids, length, going)
        session.add(upload)
        file = await files.begin(session, vault.keys, made.binding, made.secret)
        files.add(session, file, made.written)
        await _become(session, vault, upload, file, made.secret, Outcome())
        for part in parts:
            await uploads.use_up(session, part, upload)
        return upload


async def _become(
    session: AsyncSession, vault: Vault, upload: Upload, file: File, secret: Secret, outcome: Outcome
) -> Upload:
    upload.file_id = None  # the asset's from here on
    described = Described(upload.name, upload.media_type, upload.account_id, upload.sent_at)
    asset, duplicate = await receiving.receive(session, vault.keys, file, secret, described)
    upload.state, upload.asset_id, upload.duplicate = "finished", asset.id, duplicate
    upload.writing_until, upload.expires_at = None, now() + uploads.REMEMBERED
    await destination.deliver(session, upload, asset)
    await session.flush()
    outcome.upload, outcome.asset = upload, asset
    return upload


async def _own(session: AsyncSession, writer: Writer) -> Upload:
    """Lock the upload, if it is still this writer's."""
    await writing.require_ours(session, writer)
    return await session.get_one(Upload, writer.upload_id, populate_existing=True)


async def _require_announced(database: Database, writer: Writer, pair: Pair) -> None:
    if writer.secret.sha256 and writer.secret.sha256 != pair.sha256.digest():
        async with database.transaction() as session:
            await uploads.end(session, await _own(session, writer), _WRONG)
        raise ChecksumMismatch(_mismatch())


def _mismatch() -> str:
    return "The bytes received do not have the SHA-256 that was announced; they were discarded. Upload the file again."


def _with_hashes(secret: Secret, pair: Pair) -> Secret:
    return replace(secret, sha256=pair.sha256.digest(), sha1=pair.sha1.digest())


async def _hashed(vault: Vault, plan: Plan) -> Pair:
    """Hash what was stored: another process received it."""
    pair = Pair()
    async with aclosing(reading.read(vault.stores, plan)) as content:
        async for piece in content:
            await asyncio.to_thread(pair.update, piece)
    return pair


class _Made:
    """A file written anew, that no table knows yet."""

    def __init__(self, binding: Binding, secret: Secret, written: list[files.Written]) -> None:
        self.binding, self.secret, self.written = binding, secret, written


async def _written_anew(vault: Vault, binding: Binding, plans: Sequence[Plan]) -> _Made:
    """Write several files' bytes as one file, in objects of full size."""
    secret, pair = Secret(), Pair()
    async with aclosing(_joined(vault, plans)) as content:
        written = await files.write_all(vault.store, secret, binding, content, pair.update)
    return _Made(binding, _with_hashes(secret, pair), written)


async def _joined(vault: Vault, plans: Sequence[Plan]) -> AsyncGenerator[bytes, None]:
    for plan in plans:
        async with aclosing(reading.read(vault.stores, plan)) as content:
            async for piece in content:
                yield piece


async def _finish_anew(database: Database, vault: Vault, writer: Writer, plan: Plan, outcome: Outcome) -> Upload:
    """Finish an upload that came in crumbs: write it anew, in few objects."""
    made = await _written_anew(vault, Binding.new(writer.binding.library_id, "original"), [plan])
    async with database.transaction() as session:
        upload = await _own(session, writer)
        crumbs, upload.file_id = writer.binding.file_id, None
        await session.flush()
        await files.discard(session, [crumbs])
        file = await files.begin(session, vault.keys, made.binding, made.secret)
        files.add(session, file, made.written)
        return await _become(session, vault, upload, file, made.secret, outcome)


async def _made_of(session: AsyncSession, caller: Caller, part_ids: Sequence[UUID]) -> Upload | None:
    statement = select(Upload).where(
        *uploads.sent_by(caller), Upload.parts == list(part_ids), Upload.state == "finished"
    )
    upload = await session.scalar(statement.limit(1))
    return None if upload is None else await uploads.find(session, caller, upload.id)


async def _parts(
    session: AsyncSession, vault: Vault, caller: Caller, part_ids: Sequence[UUID]
) -> tuple[UUID, list[Plan]]:
    parts = await _locked_parts(session, caller, part_ids)
    libraries = {part.library_id for part in parts}
    if len(libraries) != 1:
        message = "The parts of one upload belong to one library."
        raise Invalid(message)
    plans = [await reading.plan(session, vault.keys, await session.get_one(File, part.file_id)) for part in parts]
    return libraries.pop(), plans


async def _locked_parts(session: AsyncSession, caller: Caller, part_ids: Sequence[UUID]) -> list[Upload]:
    """Find the partial uploads in their order, each whole, and keep them so until the transaction ends."""
    if not 0 < len(set(part_ids)) == len(part_ids) <= _MOST_PARTS:
        message = (
            f"Upload-Concat names up to {_MOST_PARTS} parts, each once: 'final;/api/v1/uploads/… /api/v1/uploads/…'."
        )
        raise Invalid(message)
    await _lock(session, part_ids)
    parts = [await uploads.find(session, caller, part_id) for part_id in part_ids]
    for part in parts:
        if part.concat != "partial":
            message = f"The upload {part.id} is not a partial one. Create parts with 'Upload-Concat: partial'."
            raise Invalid(message)
        if part.file_id is None:
            raise UploadGone(uploads.EXPIRED)
        if part.received != part.length:
            message = f"The part {part.id} has {part.received} of {part.length} bytes. Upload it to its end first."
            raise Conflict(message)
    return parts


async def _lock(session: AsyncSession, part_ids: Sequence[UUID]) -> None:
    # In one order whatever that of the parts, so that two who name the same ones do not wait for each other.
    await session.execute(select(Upload.id).where(Upload.id.in_(part_ids)).order_by(Upload.id).with_for_update())


def _concatenated(
    caller: Caller,
    announced: Announced,
    library_id: UUID,
    part_ids: Sequence[UUID],
    length: int,
    going: dict[str, Any],
) -> Upload:
    return Upload(
        library_id=library_id,
        account_id=caller.account_id,
        file_id=None,
        state="open",
        length=length,
        received=length,
        name=announced.name,
        media_type=announced.media_type,
        metadata_=announced.metadata,
        concat="final",
        parts=list(part_ids),
        fence=0,
        duplicate=False,
        expires_at=now() + uploads.REMEMBERED,
        **going,
    )
