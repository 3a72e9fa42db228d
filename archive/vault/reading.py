"""Reading files back: a plan made in one short transaction, then bytes, from the mirror where the store fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive import log
from archive.errors import Damaged, NotFound
from archive.models import File, Object
from archive.vault.contexts import Binding
from archive.vault.files import Secret, secret_of
from storage import ObjectMissing, StoreUnavailable
from storage.cobblestone import SealBroken
from storage.sealed import open_range

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.vault.keys import LibraryKeys
    from storage import Store

_log = log.get("vault")


@dataclass(frozen=True, slots=True)
class Piece:
    """One object of a file."""

    key: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is needed to read a file without the database."""

    file_id: UUID
    size: int
    binding: Binding
    secret: Secret
    pieces: tuple[Piece, ...]


async def plan(session: AsyncSession, keys: LibraryKeys, file: File) -> Plan:
    """Find out how to read a file; refuse one whose objects do not make up its size."""
    rows = await session.execute(
        select(Object.key, Object.start, Object.size).where(Object.file_id == file.id).order_by(Object.start)
    )
    pieces = tuple(Piece(*row) for row in rows)
    end = 0
    for piece in pieces:
        if piece.start != end:
            break
        end += piece.size
    if end != file.size or len(pieces) != file.objects:
        if await session.scalar(select(File.id).where(File.id == file.id)) is None:
            noun = "file"
            raise NotFound(noun)  # purged between the two questions
        message = f"File {file.id} lacks objects: the database was changed. Restore it from a backup."
        raise Damaged(message)
    return Plan(file.id, file.size, Binding.of(file), await secret_of(session, keys, file), pieces)


async def plan_whole(session: AsyncSession, keys: LibraryKeys, file_id: UUID) -> Plan:
    """Find out how to read a file to somebody. One that is being filled is for nobody's eyes, whatever its row says."""
    file = await session.get(File, file_id)
    if file is None:
        noun = "file"
        raise NotFound(noun)
    if file.state != "whole":
        message = f"File {file_id} was never finished: the database was changed. Restore it from a backup."
        raise Damaged(message)
    return await plan(session, keys, file)


async def read(
    stores: tuple[Store, ...],
    planned: Plan,
    start: int = 0,
    length: int | None = None,
    fault: Callable[[Plan], Awaitable[None]] | None = None,
) -> AsyncGenerator[bytes, None]:
    """Give a file's bytes, or a range of them, in pieces. Only what was authenticated is given.

    ``fault`` hears when a store fails to give some of it, also when another one does.
    """
    end = planned.size if length is None else min(planned.size, start + length)
    for piece in planned.pieces:
        first, last = max(start, piece.start), min(end, piece.start + piece.size)
        if first < last:
            async with aclosing(_read_piece(stores, planned, piece, first, last, fault)) as content:
                async for some in content:
                    yield some


async def _read_piece(
    stores: tuple[Store, ...],
    planned: Plan,
    piece: Piece,
    first: int,
    last: int,
    fault: Callable[[Plan], Awaitable[None]] | None,
) -> AsyncGenerator[bytes, None]:
    """Read part of one object: from the first store, and from where that fails on, from the next."""
    context, failures = planned.binding.of_object(piece.start), list[Exception]()
    for store in stores:
        offset = first - piece.start
        opened = open_range(store, piece.key, planned.secret.key, context, piece.size, offset, last - first)
        try:
            async with aclosing(opened) as content:
                async for some in content:
                    yield some
                    first += len(some)
        except (SealBroken, ObjectMissing, StoreUnavailable) as error:
            _log.error("object.unreadable", key=piece.key, file=str(planned.file_id), error=str(error))
            failures.append(error)
            if fault is not None and not isinstance(error, StoreUnavailable):
                await fault(planned)
            continue
        return
    for failure in failures:
        if isinstance(failure, StoreUnavailable):
            raise failure
    message = (
        "These bytes are damaged, and there is no second copy of them. The findings of the integrity page say more."
    )
    raise Damaged(message) from failures[0]
