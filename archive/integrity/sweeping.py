"""Deleting from the stores: what was purged, once nobody can be reading it, and what nobody knows, after a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from sqlalchemy import ColumnElement, Text, delete, exists, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import InstrumentedAttribute

from archive import log
from archive.db import do_after_commit
from archive.models import Deletion, Object, Stray
from archive.vault.files import LONGEST_WRITE
from storage import StoreUnavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.integrity.verifying import Open
    from archive.vault.vault import Vault
    from storage import Stat, Store

# What is ours to delete; a self-check, the mark of a mirror and whatever else lies in a store is not.
PREFIX = "o/"
# A day: what is younger may still be committed. Whoever writes gives up in half of it.
_STRAY_FOR = 2 * LONGEST_WRITE
_PAGE, _DELETED_AT_ONCE = 1000, 8
# A store most of whose objects nobody knows is not littered: it belongs to another database than this one.
_SUSPICIOUS_FROM = 100
_log = log.get("integrity")
_Key = ColumnElement[str] | InstrumentedAttribute[str]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep of one place found."""

    place: str
    objects: int
    strays: int
    deleted: int
    # Most of it was unknown, so nothing was deleted.
    refused: bool = False


# Deletions


async def delete_due(open_: Open, vault: Vault) -> int:
    """Delete what is due from every store; a row goes last, so that whatever is cut off is done again.

    Each page is asked for once, so a store that is away does not keep the others from what is theirs to delete.
    """
    deleted, after = 0, (datetime.min.replace(tzinfo=UTC), "")
    deleters = [_Deleter(store) for store in vault.stores]
    place = tuple_(Deletion.due_at, Deletion.key)
    due = (Deletion.due_at <= func.clock_timestamp(), ~_is_kept(Deletion.key))
    page = select(Deletion.due_at, Deletion.key).where(*due).order_by(place).limit(_PAGE)
    while not all(one.is_away for one in deleters):
        async with open_() as session:
            rows = [(due_at, key) for due_at, key in await session.execute(page.where(place > tuple_(*after)))]
        if not rows:
            break
        after, gone = rows[-1], {key for _, key in rows}
        for one in deleters:
            gone &= await one.delete([key for _, key in rows])
        async with open_() as session:
            await session.execute(delete(Deletion).where(Deletion.key.in_(gone)))
        deleted += len(gone)
    _raise_first(deleters)
    return deleted


class _Deleter:
    """Deletes from one store what it can, and remembers what it could not for the end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_away = False
        self.fault: StoreUnavailable | None = None

    async def delete(self, keys: Sequence[str]) -> set[str]:
        """Delete some objects; gives the keys of those that are gone now."""
        gone: set[str] = set()
        for first in range(0, len(keys), _DELETED_AT_ONCE):
            if self.is_away:
                break
            gone |= await self._delete_at_once(keys[first : first + _DELETED_AT_ONCE])
        return gone

    async def _delete_at_once(self, keys: Sequence[str]) -> set[str]:
        # All are waited for: none shall go on behind an error.
        ended = await asyncio.gather(*(self._store.delete(key) for key in keys), return_exceptions=True)
        failed = {key: error for key, error in zip(keys, ended, strict=True) if isinstance(error, BaseException)}
        for key, error in failed.items():
            if not isinstance(error, StoreUnavailable):
                raise error
            _log.warning("deletion.failed", key=key, error=str(error))
            self.fault = self.fault or error
        if failed:
            await self._look()
        return set(keys) - failed.keys()

    async def _look(self) -> None:
        """Find out whether it is the store that is away, or something with those objects."""
        try:
            await self._store.ping()
        except StoreUnavailable:
            self.is_away = True


def _raise_first(deleters: Sequence[_Deleter]) -> None:
    """Have the job tried again, and say why."""
    for one in deleters:
        if one.fault is not None:
            raise one.fault


def _is_kept(key: _Key) -> ColumnElement[bool]:
    """Say that an object has this key. What is kept is never deleted, whatever another table says."""
    return exists().where(Object.key == key)


# Strays


async def sweep(open_: Open, vault: Vault) -> list[Swept]:
    """Look through every store for what nobody knows."""
    swept = [await _sweep(open_, "store", vault.store)]
    if vault.mirror is not None:
        swept.append(await _sweep(open_, "mirror", vault.mirror))
    return swept


async def _sweep(open_: Open, place: str, store: Store) -> Swept:
    objects = strays = 0
    after = ""
    listed = cast("AsyncGenerator[Stat, None]", store.list(PREFIX))
    async with aclosing(listed) as found:
        async for page in _pages(found):
            objects += len(page)
            async with open_() as session:
                strays += await _note(session, place, page, after)
            after = page[-1]
    async with open_() as session:
        # What was noted behind the last object is gone from the store.
        await session.execute(delete(Stray).where(Stray.place == place, Stray.key > after))
    if strays > max(_SUSPICIOUS_FROM, objects // 2):
        _log.error("sweep.refused", place=place, objects=objects, unknown=strays)
        return Swept(place, objects, strays, 0, refused=True)
    return Swept(place, objects, strays, await _delete_strays(open_, place, store))


async def _pages(found: AsyncGenerator[Stat, None]) -> AsyncGenerator[list[str], None]:
    page: list[str] = []
    async for one in found:
        page.append(one.key)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page


async def _note(session: AsyncSession, place: str, page: list[str], after: str) -> int:
    """Note the unknown keys of a page of the store, and forget strays of its range that are gone or known by now."""
    unknown = await _unknown(session, page)
    if unknown:
        rows = [{"place": place, "key": key} for key in unknown]
        await session.execute(insert(Stray).values(rows).on_conflict_do_nothing())
    of_range = (Stray.place == place, Stray.key > after, Stray.key <= page[-1])
    await session.execute(delete(Stray).where(*of_range, Stray.key.not_in(unknown)))
    return len(unknown)


async def _unknown(session: AsyncSession, keys: list[str]) -> list[str]:
    # Of a name that no table has for a column: inside EXISTS the column would be meant.
    key = func.unnest(literal(keys, ARRAY(Text))).column_valued("listed")
    return list(await session.scalars(select(key).where(~_is_known(key))))


def _is_known(key: _Key) -> ColumnElement[bool]:
    return or_(_is_kept(key), exists().where(Deletion.key == key))


async def _delete_strays(open_: Open, place: str, store: Store) -> int:
    deleted, after, deleter = 0, "", _Deleter(store)
    old = (Stray.place == place, Stray.seen_at < func.clock_timestamp() - _STRAY_FOR, ~_is_known(Stray.key))
    page = select(Stray.key).where(*old).order_by(Stray.key).limit(_PAGE)
    while not deleter.is_away:
        async with open_() as session:
            keys = list(await session.scalars(page.where(Stray.key > after)))
        if not keys:
            break
        after, gone = keys[-1], await deleter.delete(keys)
        async with open_() as session:
            await session.execute(delete(Stray).where(Stray.place == place, Stray.key.in_(gone)))
            do_after_commit(session, lambda: _log.warning("strays.deleted", place=place, count=len(gone)))  # noqa: B023  # logged before the next page
        deleted += len(gone)
    _raise_first([deleter])
    return deleted
