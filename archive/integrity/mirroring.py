"""The mirror: a second store that gets a copy of every object, behind the commit."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, tuple_, update

from archive import log
from archive.errors import Conflict
from archive.integrity import verifying
from archive.integrity.copying import Written, copy_or_replace, standing_fault_of
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

# How long a run may keep its worker; less than kinds.MIRROR.every, which says how often one is begun.
LONGEST = timedelta(seconds=50)
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
    created_at: datetime
    written: Written


async def usable(vault: Vault) -> Store | None:
    """Give the mirror if there is one and it is the one that was begun."""
    try:
        return vault.mirror if vault.mirror is not None and await _is_marked(vault.mirror) else None
    except StoreUnavailable as error:
        _log.warning("mirror.away", error=str(error))
        return None


async def run(open_: Open, vault: Vault, seconds: float | None = None) -> int:
    """Copy what is not in the mirror yet. Gives how many objects were copied. A store that is away ends the run.

    What the mirror does not take, and takes others, waits for the next run.
    """
    if vault.mirror is None:
        return 0
    await _begin(open_, vault.mirror)
    copied, until = 0, math.inf if seconds is None else time.monotonic() + seconds
    after: _Due | None = None
    while time.monotonic() < until:
        async with open_() as session:
            due = await _due(session, after)
        if not due:
            break
        copied, after = copied + await _Copying(vault.store, vault.mirror).copy(open_, due), due[-1]
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


async def _due(session: AsyncSession, after: _Due | None) -> list[_Due]:
    place = tuple_(Object.created_at, Object.key)
    columns = select(Object.key, Object.file_id, Object.created_at, Object.sealed_size, Object.digest)
    page = columns.where(*_BEHIND).order_by(place).limit(_BATCH)
    rows = await session.execute(page if after is None else page.where(place > tuple_(after.created_at, after.key)))
    return [_Due(key, file_id, at, Written(size, digest)) for key, file_id, at, size, digest in rows]


class _Copying:
    """Copies some objects, a few at a time, and notes those that succeeded also when others did not."""

    def __init__(self, store: Store, mirror: Store) -> None:
        self._store, self._mirror = store, mirror
        self._places = asyncio.Semaphore(_AT_ONCE)
        # One of the two is away: what was not begun yet is left.
        self._away: StoreUnavailable | None = None
        # The mirror is there and did not take some object.
        self._refused: StoreUnavailable | None = None

    async def copy(self, open_: Open, due: Sequence[_Due]) -> int:
        ended = await asyncio.gather(*(self._examined(one) for one in due), return_exceptions=True)
        examined = [one for one in ended if isinstance(one, Examined)]
        whole = [one.key for one in examined if one.damage is None]
        async with open_() as session:
            present = await verifying.hold(session, whole)
            moment = func.clock_timestamp()
            await session.execute(update(Object).where(Object.key.in_(present)).values(mirrored_at=moment))
            await verifying.note(session, [one for one in examined if one.damage is not None])
        for one in ended:
            if isinstance(one, BaseException):
                raise one
        if self._away:
            raise self._away
        if self._refused and not whole:
            raise self._refused  # it took nothing at all: that is the mirror, and not the object
        return len(whole)

    async def _examined(self, one: _Due) -> Examined | None:
        """Copy an object; say what is wrong with it in the store. None: it is as far as it was."""
        async with self._places:
            if self._away:
                return None
            try:
                await copy_or_replace(self._store, one.key, self._mirror, one.written)
            except (SealBroken, ObjectMissing) as error:
                return Examined(one.key, one.file_id, str(error))
            except StoreUnavailable as error:
                return await self._examined_after(error, one)
            return Examined(one.key, one.file_id, None)

    async def _examined_after(self, error: StoreUnavailable, one: _Due) -> Examined | None:
        """Find out on which side it was, and whether that is away or cannot do it with this object."""
        try:
            await self._mirror.ping()
            fault = await standing_fault_of(self._store, one.key, one.written)
        except StoreUnavailable as away:
            self._away = away
            return None
        if fault is not None:
            return Examined(one.key, one.file_id, fault)
        _log.error("mirror.not_copied", key=one.key, error=str(error))
        self._refused = error
        return None


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
