"""The mirror: a second store that gets a copy of every object, behind the commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from archive import log
from archive.errors import Conflict
from archive.integrity import verifying
from archive.integrity.copying import Written, copy_or_replace
from archive.integrity.verifying import Examined
from archive.models import Object
from storage import ObjectExists, ObjectMissing, StoreUnavailable
from storage.cobblestone import SealBroken

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.integrity.verifying import Open
    from archive.vault.vault import Vault
    from storage import Store

EVERY, LONGEST = timedelta(minutes=1), timedelta(seconds=50)
# Says that a mirror was begun here. An empty folder without it may be the mount point of a disk that is away.
_MARK, _MARKED = "mirror/begun", b"objects of a Tagphoto archive are copied here\n"
_BATCH, _AT_ONCE = 64, 4
_FORGOTTEN_AT_ONCE = 10_000
_log = log.get("integrity")


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the mirror is behind."""

    objects: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Due:
    key: str
    file_id: UUID
    written: Written


async def usable(vault: Vault) -> Store | None:
    """Give the mirror if there is one and it is the one that was begun."""
    try:
        return vault.mirror if vault.mirror is not None and await _is_marked(vault.mirror) else None
    except StoreUnavailable as error:
        _log.warning("mirror.away", error=str(error))
        return None


async def run(open_: Open, vault: Vault, seconds: float | None = None) -> int:
    """Copy what is not in the mirror yet. Gives how many objects were copied. A store that is away ends the run."""
    if vault.mirror is None:
        return 0
    await _begin(open_, vault.mirror)
    copied, until = 0, None if seconds is None else time.monotonic() + seconds
    while until is None or time.monotonic() < until:
        async with open_() as session:
            due = await _due(session)
        if not due:
            break
        copied += await _copy_batch(open_, vault, due)
    return copied


async def lag(session: AsyncSession) -> Lag:
    """Say how far behind the mirror is. What is damaged in the store is a finding, and not waited for."""
    age = func.extract("epoch", func.clock_timestamp() - func.min(Object.created_at))
    statement = select(func.count(), func.sum(Object.sealed_size), age)
    count, size, seconds = (await session.execute(statement.where(*_BEHIND))).one()
    return Lag(int(count), int(size or 0), float(seconds or 0))


async def forget(open_: Open) -> int:
    """Take the mirror for empty, so that everything is compared with it and copied again. Gives how many objects."""
    forgotten, after = 0, ""
    while True:
        async with open_() as session:
            # Page by page, in the order of keys: one statement over millions of rows would outlast its time limit.
            page = select(Object.key).where(Object.key > after).order_by(Object.key).limit(_FORGOTTEN_AT_ONCE)
            keys = list(await session.scalars(page))
            if not keys:
                return forgotten
            changed = update(Object).where(Object.key.between(keys[0], keys[-1]), Object.mirrored_at.is_not(None))
            forgotten += len((await session.scalars(changed.values(mirrored_at=None).returning(Object.key))).all())
        after = keys[-1]


async def mark(mirror: Store) -> None:
    """Begin a mirror."""
    try:
        await mirror.put(_MARK, _once(_MARKED))
    except ObjectExists:
        return


_BEHIND = (Object.mirrored_at.is_(None), Object.damage.is_(None))


async def _begin(open_: Open, mirror: Store) -> None:
    if await _is_marked(mirror):
        return
    async with open_() as session:
        copies = await session.scalar(select(Object.key).where(Object.mirrored_at.is_not(None)).limit(1))
    if copies is not None:
        message = (
            "The mirror is not the one that objects were copied to: is its disk mounted, is TAGPHOTO_MIRROR_URL right? "
            "If it is a new one, run 'tagphoto scrub --mirror-anew' once, and everything is copied there."
        )
        raise Conflict(message)
    await mark(mirror)


async def _is_marked(mirror: Store) -> bool:
    try:
        await mirror.stat(_MARK)
    except ObjectMissing:
        return False
    return True


async def _due(session: AsyncSession) -> list[_Due]:
    columns = select(Object.key, Object.file_id, Object.sealed_size, Object.digest).where(*_BEHIND)
    rows = await session.execute(columns.order_by(Object.created_at, Object.key).limit(_BATCH))
    return [_Due(key, file_id, Written(size, digest)) for key, file_id, size, digest in rows]


async def _copy_batch(open_: Open, vault: Vault, due: list[_Due]) -> int:
    """Copy some objects, a few at a time, and note those that succeeded also when others did not."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def copied(one: _Due) -> Examined:
        async with places:
            return Examined(one.key, one.file_id, await _fault_in_copying(vault, one))

    ended = await asyncio.gather(*(copied(one) for one in due), return_exceptions=True)
    examined = [one for one in ended if isinstance(one, Examined)]
    async with open_() as session:
        whole = [one.key for one in examined if one.damage is None]
        present = await verifying.hold(session, whole)
        moment = func.clock_timestamp()
        await session.execute(update(Object).where(Object.key.in_(present)).values(mirrored_at=moment))
        await verifying.note(session, [one for one in examined if one.damage is not None])
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return len(whole)


async def _fault_in_copying(vault: Vault, one: _Due) -> str | None:
    """Copy an object; say what is wrong with it in the store."""
    assert vault.mirror is not None
    try:
        await copy_or_replace(vault.store, one.key, vault.mirror, one.written)
    except (SealBroken, ObjectMissing) as error:
        return str(error)
    return None


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
