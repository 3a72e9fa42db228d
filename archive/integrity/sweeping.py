"""Deleting from the stores: what was purged, once nobody can be reading it, and what nobody knows, after a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import ColumnElement, Text, delete, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import InstrumentedAttribute

from archive import log
from archive.db import do_after_commit
from archive.models import Deletion, Object, Stray, Upload

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.integrity.verifying import Open
    from archive.vault.vault import Vault
    from storage import Stat, Store

# What is ours to delete; a self-check, the mark of a mirror and whatever else lies in a store is not.
PREFIX = "o/"
_STRAY_FOR = timedelta(hours=24)
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
    """Delete what is due from every store; a row goes last, so that whatever is cut off is done again."""
    deleted = 0
    while True:
        async with open_() as session:
            due = Deletion.due_at <= func.clock_timestamp()
            statement = select(Deletion.key).where(due, ~_is_kept(Deletion.key)).order_by(Deletion.due_at).limit(_PAGE)
            keys = list(await session.scalars(statement))
        if not keys:
            return deleted
        for store in vault.stores:
            await _delete(store, keys)
        async with open_() as session:
            await session.execute(delete(Deletion).where(Deletion.key.in_(keys)))
        deleted += len(keys)


async def _delete(store: Store, keys: Sequence[str]) -> None:
    for first in range(0, len(keys), _DELETED_AT_ONCE):
        some = [store.delete(key) for key in keys[first : first + _DELETED_AT_ONCE]]
        # All are waited for: none shall go on behind an error.
        for ended in await asyncio.gather(*some, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended


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
    deleted = 0
    while True:
        async with open_() as session:
            old = (Stray.place == place, Stray.seen_at < await _stray_before(session), ~_is_known(Stray.key))
            keys = list(await session.scalars(select(Stray.key).where(*old).order_by(Stray.key).limit(_PAGE)))
        if not keys:
            return deleted
        await _delete(store, keys)
        async with open_() as session:
            await session.execute(delete(Stray).where(Stray.place == place, Stray.key.in_(keys)))
            do_after_commit(session, lambda: _log.warning("strays.deleted", place=place, count=len(keys)))  # noqa: B023  # logged before the next page
        deleted += len(keys)


async def _stray_before(session: AsyncSession) -> datetime:
    """Say since when something must be a stray to be deleted: for a day, and for longer than any writer writes.

    A request with a checksum commits nothing before its end, and may take days over a slow line.
    """
    writing = select(func.min(Upload.created_at)).where(
        Upload.state == "open", Upload.writing_until > func.clock_timestamp()
    )
    statement = select(func.least(func.clock_timestamp() - _STRAY_FOR, writing.scalar_subquery()))
    found: datetime = (await session.execute(statement)).scalar_one()
    return found
