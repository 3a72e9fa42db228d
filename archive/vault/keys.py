"""The keys of libraries: made at first use, wrapped under a root key, remembered by each process."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from archive.db import do_after_commit
from archive.errors import Damaged
from archive.keyring import UnknownRoot, unwrap, wrap
from archive.models import LibraryKey
from archive.vault import contexts

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.keyring import Keyring

_ROOT_PURPOSE = "library-keys"
_KEY_BYTES = 32
# Some tens of bytes each; forgotten all at once when there are too many.
_REMEMBERED = 10_000


class LibraryKeys:
    """Opens and makes library keys."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._known: dict[tuple[UUID, str, int], bytes] = {}

    async def newest(self, session: AsyncSession, library_id: UUID, purpose: str) -> tuple[int, bytes]:
        """Give a library's present key, and hold it: a rotation does not destroy it before this transaction ends."""
        statement = (
            select(LibraryKey)
            .where(LibraryKey.library_id == library_id, LibraryKey.purpose == purpose)
            .order_by(LibraryKey.version.desc())
            .limit(1)
            .with_for_update(key_share=True, read=True)
        )
        while (row := await session.scalar(statement)) is None:
            # The first use; or a rotation destroyed the row while we waited for it, and there is a newer one.
            await self.add(session, library_id, purpose, 1)
        return row.version, self._opened(session, row)

    async def version(self, session: AsyncSession, library_id: UUID, purpose: str, version: int) -> bytes:
        """Give one version of a library's key."""
        known = self._known.get((library_id, purpose, version))
        if known is not None:
            return known
        row = await session.get(LibraryKey, (library_id, purpose, version))
        if row is None:
            message = f"Version {version} of the library's key is not in the database. Restore it from a backup."
            raise Damaged(message)
        return self._opened(session, row)

    async def identity(self, session: AsyncSession, library_id: UUID) -> bytes:
        """Give the key of a library's identities, of which there is one version for ever."""
        known = self._known.get((library_id, "identity", 1))
        return known or (await self.newest(session, library_id, "identity"))[1]

    async def add(self, session: AsyncSession, library_id: UUID, purpose: str, version: int) -> None:
        """Make a version, unless there is a version of the purpose that is as new."""
        newer = await session.scalar(
            select(LibraryKey.version).where(
                LibraryKey.library_id == library_id, LibraryKey.purpose == purpose, LibraryKey.version >= version
            )
        )
        if newer is not None:
            return
        root_id, wrapped = self._wrap(library_id, purpose, version, os.urandom(_KEY_BYTES))
        values = {"library_id": library_id, "purpose": purpose, "version": version}
        row = insert(LibraryKey).values(**values, root_id=root_id, wrapped=wrapped)
        await session.execute(row.on_conflict_do_nothing())

    def rewrap(self, row: LibraryKey) -> None:
        """Wrap a key under the present root key."""
        row.root_id, row.wrapped = self._wrap(row.library_id, row.purpose, row.version, self._unwrap(row))

    def _wrap(self, library_id: UUID, purpose: str, version: int, key: bytes) -> tuple[bytes, bytes]:
        root_id = self._keyring.present
        context = contexts.library_key(library_id, purpose, version)
        return root_id, wrap(self._keyring.derive(_ROOT_PURPOSE, root_id), context, key)

    def _opened(self, session: AsyncSession, row: LibraryKey) -> bytes:
        place = (row.library_id, row.purpose, row.version)
        if place in self._known:
            return self._known[place]
        key = self._unwrap(row)
        # Not before the commit: a row this transaction made may never have been, and another take its place.
        do_after_commit(session, partial(self._remember, place, key))
        return key

    def _remember(self, place: tuple[UUID, str, int], key: bytes) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[place] = key

    def _unwrap(self, row: LibraryKey) -> bytes:
        context = contexts.library_key(row.library_id, row.purpose, row.version)
        try:
            return unwrap(self._keyring.derive(_ROOT_PURPOSE, row.root_id), context, row.wrapped)
        except UnknownRoot as error:
            message = f"The root key {row.root_id.hex()} is missing in the key file. Restore the file that has it."
            raise Damaged(message) from error
        except InvalidTag as error:
            message = "A library's key does not open: its row was changed. Restore the database from a backup."
            raise Damaged(message) from error
