"""The first start: the root key, the row that remembers it, and the link that makes the first admin."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from archive import keyring
from archive.errors import StartRefused
from archive.links import service as links
from archive.models import Account, Installation

if TYPE_CHECKING:
    from pathlib import Path

    from archive.db import Database
    from archive.keyring import Keyring


async def prepare(database: Database, key_file: Path) -> Keyring:
    """Open the installation's root key; make it when the database is new; refuse a wrong one before it does harm."""
    async with database.transaction() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('tagphoto.installation'))"))
        known = await session.get(Installation, 1)
        # Never make a key for a database that has one: the data sealed under the lost key would be forgotten silently.
        opened = keyring.load(key_file) if known else keyring.load_or_create(key_file)
        if known is None:
            session.add(Installation(key_check=opened.check))
        elif not hmac.compare_digest(known.key_check, opened.check):
            message = (
                f"The root key in {key_file} is not the one this database was made with. "
                "Restore the right file from your backup, or set TAGPHOTO_ROOT_KEY_FILE to it."
            )
            raise StartRefused(message)
        return opened


async def first_admin_link(database: Database, public_url: str) -> str | None:
    """Make the link for the first admin while there is no account; the one printed last is the one that works."""
    async with database.transaction() as session:
        await links.revoke(session, "first_admin")
        if await session.scalar(select(func.count()).select_from(Account)):
            return None
        _, token = await links.make(session, "first_admin")
        return links.address(public_url, token)
