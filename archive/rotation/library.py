"""Exchange a library's content key: a new version, every file key wrapped under it, then the old one is destroyed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, text

from archive import audit
from archive.errors import Damaged, Invalid
from archive.models import File, Library, LibraryKey
from archive.vault import files

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.db import Database
    from archive.vault.keys import LibraryKeys

_PAGE = 300
# Somebody who is in the middle of a transaction may need the old key; requests are over sooner.
_PATIENCE, _PAUSE = 30.0, 0.05


@dataclass(slots=True)
class Rotated:
    """What a rotation did to one library."""

    library_id: UUID
    version: int
    files: int = 0
    destroyed: list[int] = field(default_factory=list)
    # Versions that are still there: something needs them, or a transaction from before does not end.
    kept: list[int] = field(default_factory=list)
    # Files whose key does not open: it was so before. They keep their version.
    unreadable: list[UUID] = field(default_factory=list)


async def rotate_all(database: Database, keys: LibraryKeys) -> list[Rotated]:
    """Rotate the keys of every library that has some."""
    async with database.transaction() as session:
        statement = select(LibraryKey.library_id).where(LibraryKey.purpose == "content").distinct()
        libraries = list(await session.scalars(statement))
    rotated = [await _rotate(database, keys, library_id) for library_id in sorted(libraries)]
    return [one for one in rotated if one]


async def rotate(database: Database, keys: LibraryKeys, library_id: UUID) -> Rotated:
    """Rotate the key of one library."""
    made = await _rotate(database, keys, library_id)
    if made is None:
        async with database.transaction() as session:
            there = await session.get(Library, library_id)
        nothing = "has no key yet: nothing was uploaded to it. There is nothing to rotate."
        raise Invalid(f"The library {library_id} {nothing if there else 'does not exist. See tagphoto keys list.'}")
    return made


async def _rotate(database: Database, keys: LibraryKeys, library_id: UUID) -> Rotated | None:
    version = await _begin(database, keys, library_id)
    if version is None:
        return None
    made = _Rotation(database, keys, library_id, version)
    return await made.run()


async def _begin(database: Database, keys: LibraryKeys, library_id: UUID) -> int | None:
    """Find the version to rotate to: the newest, as long as there is an older one; else a new one."""
    async with database.transaction() as session:
        versions = list(await session.scalars(select(LibraryKey.version).where(*_of(library_id))))
        if len(versions) != 1:
            return max(versions, default=None)
        version = versions[0] + 1
        await keys.add(session, library_id, "content", version)
        audit.record(session, "library_key.rotated", library_id=library_id, version=version)
        return version


class _Rotation:
    """One library on its way to a version."""

    def __init__(self, database: Database, keys: LibraryKeys, library_id: UUID, version: int) -> None:
        self._database, self._keys = database, keys
        self._made = Rotated(library_id, version)
        self._old = (File.library_id == library_id, File.key_version < version)

    async def run(self) -> Rotated:
        while True:
            await self._rewrap_all()
            if not await self._is_quiet():
                break
            await self._destroy()
            if not await self._left():
                break
        async with self._database.transaction() as session:
            older = (*_of(self._made.library_id), LibraryKey.version < self._made.version)
            self._made.kept = sorted(await session.scalars(select(LibraryKey.version).where(*older)))
        return self._made

    async def _rewrap_all(self) -> None:
        while await self._left():
            await self._rewrap_pages()
            if await self._left():
                await asyncio.sleep(_PAUSE)  # somebody holds what is left

    async def _left(self) -> bool:
        """Say whether there is a file under an old version that could be under the new one."""
        async with self._database.transaction() as session:
            left = select(File.id).where(*self._old, File.id.not_in(self._made.unreadable)).limit(1)
            return await session.scalar(left) is not None

    async def _rewrap_pages(self) -> None:
        """Rewrap page by page what nobody holds. The rest waits for the next round: no deadlock with a purge.

        Whoever wraps a file's key holds its row from before reading it: what we read under our lock is not written
        over by what somebody else read earlier.
        """
        page = select(File).where(*self._old).order_by(File.id).limit(_PAGE)
        page = page.with_for_update(key_share=True, skip_locked=True)
        after = UUID(int=0)
        while True:
            async with self._database.transaction() as session:
                rows = list(await session.scalars(page.where(File.id > after)))
                for file in rows:
                    await self._rewrap(session, file)
            if not rows:
                return
            after = rows[-1].id

    async def _rewrap(self, session: AsyncSession, file: File) -> None:
        if file.id in self._made.unreadable:
            return
        try:
            await files.rewrap(session, self._keys, file, self._made.version)
        except Damaged:
            self._made.unreadable.append(file.id)
        else:
            self._made.files += 1

    async def _is_quiet(self) -> bool:
        """Wait until whoever read a file's row before it was rewrapped has also used the old key."""
        async with self._database.transaction() as session:
            since: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
        running = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start < :since"
        )
        clock = asyncio.get_running_loop().time
        until = clock() + _PATIENCE
        while clock() < until:
            async with self._database.transaction() as session:
                if not await session.scalar(running, {"since": since}):
                    return True
            await asyncio.sleep(_PAUSE)
        return False

    async def _destroy(self) -> None:
        """Destroy the old versions that nothing is under.

        Who uses a version for something new holds its row until that is committed. So once we hold it nobody else
        does, and what the next statement does not see will never be there.
        """
        async with self._database.transaction() as session:
            older = select(LibraryKey).where(*_of(self._made.library_id), LibraryKey.version < self._made.version)
            held = await session.scalars(older.order_by(LibraryKey.version).with_for_update())
            versions = [row.version for row in held]
            used = exists().where(File.library_id == LibraryKey.library_id, File.key_version == LibraryKey.version)
            gone = delete(LibraryKey).where(*_of(self._made.library_id), LibraryKey.version.in_(versions), ~used)
            destroyed = list(await session.scalars(gone.returning(LibraryKey.version)))
            audit.record(session, "library_key.destroyed", library_id=self._made.library_id, versions=sorted(destroyed))
        self._made.destroyed += destroyed


def _of(library_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return LibraryKey.library_id == library_id, LibraryKey.purpose == "content"
