"""Let guests in by a link to an album. Counting comes before checking, and no connection is held while hashing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive import log
from archive.accounts import attempts, passwords
from archive.errors import SharePasswordRequired, SharePasswordWrong
from archive.shares import service as shares

if TYPE_CHECKING:
    from archive.db import Database
    from archive.keyring import Keyring
    from archive.shares.service import Opened, Visit


async def come_in(database: Database, keyring: Keyring, token: str, password: str | None) -> Opened:
    """Open a link, with its password where it has one."""
    source = attempts.network(log.bound("ip"))
    await attempts.count(database, (attempts.SHARE_ADDRESS, source))
    async with database.transaction() as session:
        share = await shares.find(session, keyring, token)
    if share.password_hash is not None:
        if not password:
            raise SharePasswordRequired
        here = f"{share.id} from {source}"
        limits = (attempts.SHARE_PASSWORD_HERE, here), (attempts.SHARE_PASSWORD_ANYWHERE, str(share.id))
        await attempts.count(database, *limits)
        if not await passwords.matches(share.password_hash, password):
            raise SharePasswordWrong
        await attempts.forget(database, attempts.SHARE_PASSWORD_HERE, here)
    async with database.transaction() as session:
        return await shares.enter(session, keyring, token, share.password_hash)


async def count_zip(database: Database, visit: Visit) -> None:
    """Count a zip that a guest asks for: each is a list of the whole album."""
    source = attempts.network(log.bound("ip"))
    await attempts.count(database, (attempts.SHARE_ZIP, f"{visit.share.id} from {source}"))
