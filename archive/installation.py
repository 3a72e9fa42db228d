"""The first start: the root key, the row that remembers it, and the link that makes the first admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from archive import keyring
from archive.errors import StartRefused
from archive.links import service as links
from archive.models import Account, Installation, LibraryKey

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.db import Database
    from archive.keyring import Keyring


async def prepare(database: Database, key_file: Path, given: tuple[str, str] | None = None) -> Keyring:
    """Open the installation's root keys; make one when the database is new; refuse wrong ones before they do harm.

    ``given`` is a keyring that the environment handed over, and where it did.
    """
    async with database.transaction() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('tagphoto.installation'))"))
        known = await session.get(Installation, 1)
        # Never make a key for a database that has one: the data sealed under the lost key would be forgotten silently.
        if given:
            opened = keyring.given(*given)
        else:
            opened = keyring.load(key_file) if known else keyring.load_or_create(key_file)
        where = given[1] if given else str(key_file)
        if known is None:
            session.add(Installation(key_check=opened.check))
        elif not opened.holds(known.key_check):
            message = (
                f"The root key in {where} is not the one this database was made with. "
                "Restore the right file from your backup, or set TAGPHOTO_ROOT_KEY_FILE to it."
            )
            raise StartRefused(message)
        elif missing := await _missing_roots(session, opened):
            message = (
                f"{where} lacks the root key {missing} that libraries are sealed under. A rotation has not reached "
                "them all: restore the key file from before, with that key in it, and run 'tagphoto keys rotate root'."
            )
            raise StartRefused(message)
        return opened


async def _missing_roots(session: AsyncSession, opened: Keyring) -> str:
    """Name root keys that are needed and not there."""
    needed = await session.scalars(select(LibraryKey.root_id).distinct())
    return ", ".join(sorted(root.hex() for root in needed if root not in opened.ids))


async def first_admin_link(database: Database, public_url: str) -> str | None:
    """Make the link for the first admin while there is no account; the one printed last is the one that works."""
    async with database.transaction() as session:
        await links.revoke(session, "first_admin")
        if await session.scalar(select(func.count()).select_from(Account)):
            return None
        _, token = await links.make(session, "first_admin")
        return links.address(public_url, token)
