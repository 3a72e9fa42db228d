"""Files: begun empty, filled object by object, closed with their final size, discarded with their key."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import ARRAY, Select, String, cast, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from archive.errors import Damaged, UploadRefused
from archive.keyring import unwrap, wrap
from archive.models import Deletion, File, Object, Tombstone
from archive.vault import contexts
from archive.vault.contexts import Binding
from archive.vault.keys import LibraryKeys
from storage.sealed import Sealed, seal

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from storage import Store

# What an object holds at most. Each is durable by itself: the more a crash may cost, the larger they could be.
OBJECT_BYTES = 16 << 20
_KEY_BYTES, _SHA256_BYTES, _SHA1_BYTES = 32, 32, 20
# How old an object may be when a table first knows it. The sweep leaves what nobody knows alone for twice as long.
LONGEST_WRITE = timedelta(hours=12)
# Longer than anybody streams one object.
_DELETED_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Secret:
    """What is wrapped for a file: its key, and the hashes of what it gives back, or was announced to give."""

    key: bytes = field(default_factory=lambda: os.urandom(_KEY_BYTES))
    sha256: bytes = b""
    sha1: bytes = b""

    @classmethod
    def parse(cls, content: bytes) -> Secret:
        """Read it."""
        end = _KEY_BYTES + _SHA256_BYTES
        return cls(content[:_KEY_BYTES], content[_KEY_BYTES:end], content[end:])

    @property
    def encoded(self) -> bytes:
        """Write it."""
        return self.key + self.sha256 + self.sha1


@dataclass(frozen=True, slots=True)
class Written:
    """An object that is durable in the store, and that no table knows yet."""

    key: str
    start: int
    sealed: Sealed
    # By the monotonic clock.
    began: float


def new_object_key() -> str:
    """Make the key of an object: random, so that it says nothing."""
    name = secrets.token_hex(16)
    return f"o/{name[:2]}/{name}"


async def begin(session: AsyncSession, keys: LibraryKeys, binding: Binding, secret: Secret) -> File:
    """Begin an empty file; its secret may hold the hash it was announced to have."""
    version, library_key = await keys.newest(session, binding.library_id, "content")
    file = _new(binding, version)
    file.wrapped = wrap(library_key, contexts.file_key(file), secret.encoded)
    session.add(file)
    await session.flush()
    return file


def _new(binding: Binding, key_version: int) -> File:
    return File(
        id=binding.file_id,
        library_id=binding.library_id,
        kind=binding.kind,
        generation=binding.generation,
        state="filling",
        size=0,
        objects=0,
        key_version=key_version,
    )


@dataclass(frozen=True, slots=True)
class Durable:
    """A file whose bytes are durable, and that no table knows yet."""

    binding: Binding
    secret: Secret
    written: Sequence[Written]

    @property
    def size(self) -> int:
        """Add up its objects."""
        return sum(one.sealed.size for one in self.written)


async def keep(session: AsyncSession, keys: LibraryKeys, library_id: UUID, durable: Sequence[Durable]) -> None:
    """Make whole files of a library of what was written before."""
    version, library_key = await keys.newest(session, library_id, "content")
    files = []
    for one in durable:
        _require_fresh(one.written)
        file = _new(one.binding, version)
        file.state, file.size, file.objects = "whole", one.size, len(one.written)
        file.wrapped = wrap(library_key, contexts.file_key(file), one.secret.encoded)
        files.append(file)
    session.add_all(files)
    await session.flush()
    for file, one in zip(files, durable, strict=True):
        _note(session, file, one.written)


async def locked(session: AsyncSession, file_id: UUID) -> File:
    """Find a file and keep it as it is until the transaction ends."""
    return await session.get_one(File, file_id, with_for_update=True, populate_existing=True)


async def secret_of(session: AsyncSession, keys: LibraryKeys, file: File) -> Secret:
    """Open a file's key. A row that was changed, also its size or number of objects, is found out here."""
    library_key = await keys.version(session, file.library_id, "content", file.key_version)
    try:
        return Secret.parse(unwrap(library_key, contexts.file_key(file), file.wrapped))
    except InvalidTag as error:
        message = f"The key of file {file.id} does not open: its row was changed. Restore it from a backup."
        raise Damaged(message) from error


async def write(  # where, under which key, bound to what, which bytes, and who looks on
    store: Store,
    secret: Secret,
    binding: Binding,
    start: int,
    body: AsyncIterator[bytes],
    watch: Callable[[bytes], None] | None = None,
) -> Written:
    """Write one object of a file; it is durable when this returns."""
    key, began = new_object_key(), time.monotonic()
    sealed = await seal(store, key, secret.key, binding.of_object(start), body, watch=watch)
    return Written(key, start, sealed, began)


async def write_all(
    store: Store,
    secret: Secret,
    binding: Binding,
    body: AsyncIterator[bytes],
    watch: Callable[[bytes], None] | None = None,
) -> list[Written]:
    """Write a whole stream as objects. What a failure leaves in the store no table knows; the sweep finds it."""
    portions, written, start = Portions(body), [], 0
    while await portions.more():
        one = await write(store, secret, binding, start, portions.portion(OBJECT_BYTES), watch)
        written.append(one)
        start += one.sealed.size
    return written


class Portions:
    """A stream cut into portions, each a stream itself. Bytes of a piece behind a cut wait for the next portion."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._waiting = b""

    async def more(self) -> bool:
        """Say whether there is another byte; it waits for it."""
        while not self._waiting:
            try:
                self._waiting = await anext(self._body)
            except StopAsyncIteration:
                return False
        return True

    async def portion(self, size: int) -> AsyncIterator[bytes]:
        """Give up to so many bytes."""
        while size and await self.more():
            piece, self._waiting = self._waiting[:size], self._waiting[size:]
            size -= len(piece)
            yield piece


def add(session: AsyncSession, file: File, written: Sequence[Written]) -> None:
    """Note objects of a file, which follow what it has. Too old ones may be swept away as nobody's at any moment."""
    _require_fresh(written)
    _note(session, file, written)
    file.size += sum(one.sealed.size for one in written)
    file.objects += len(written)


def _require_fresh(written: Sequence[Written]) -> None:
    if written and time.monotonic() - written[0].began > LONGEST_WRITE.total_seconds():
        message = (
            "These bytes came too slowly: they were under way for more than twelve hours. Send them again in pieces."
        )
        raise UploadRefused(message)


def _note(session: AsyncSession, file: File, written: Sequence[Written]) -> None:
    for one in written:
        session.add(
            Object(
                key=one.key,
                file_id=file.id,
                start=one.start,
                size=one.sealed.size,
                sealed_size=one.sealed.sealed_size,
                digest=one.sealed.digest,
            )
        )


async def close(session: AsyncSession, keys: LibraryKeys, file: File, secret: Secret) -> None:
    """Wrap a file's key for its final size, number of objects and hashes.

    The file was made in this transaction or is locked in it: a rotation may wrap its key anew at any other moment.
    """
    library_key = await keys.version(session, file.library_id, "content", file.key_version)
    file.state = "whole"
    file.wrapped = wrap(library_key, contexts.file_key(file), secret.encoded)


async def rewrap(session: AsyncSession, keys: LibraryKeys, file: File, version: int) -> None:
    """Wrap a file's key under another version of its library's key."""
    secret = await secret_of(session, keys, file)
    file.key_version = version
    library_key = await keys.version(session, file.library_id, "content", version)
    file.wrapped = wrap(library_key, contexts.file_key(file), secret.encoded)


async def discard(session: AsyncSession, file_ids: Sequence[UUID], *, buried: bool = True) -> None:
    """Destroy files: their keys at once and for ever, their objects once nobody can be reading them any more.

    What is ``buried`` stays deleted when an older backup is restored; a file whose asset lives on is not.
    """
    if not file_ids:
        return
    if buried:
        whole = select(File.id, File.library_id).where(File.id.in_(file_ids), File.state == "whole")
        await session.execute(insert(Tombstone).from_select(["file_id", "library_id"], whole).on_conflict_do_nothing())
    await _delete_selected_later(session, select(Object.key).where(Object.file_id.in_(file_ids)))
    await session.execute(delete(Object).where(Object.file_id.in_(file_ids)))
    await session.execute(delete(File).where(File.id.in_(file_ids)))


async def delete_later(session: AsyncSession, keys: Sequence[str]) -> None:
    """Note store keys to be deleted from every store."""
    # As one array: there may be more of them than a statement has parameters.
    await _delete_selected_later(session, select(func.unnest(cast(list(keys), ARRAY(String)))))


async def _delete_selected_later(session: AsyncSession, keys: Select[str]) -> None:
    named = keys.add_columns(func.clock_timestamp() + _DELETED_AFTER)
    await session.execute(insert(Deletion).from_select(["key", "due_at"], named).on_conflict_do_nothing())
