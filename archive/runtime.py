"""The composition root: what the program runs on, opened once by the API, by each worker and by the tests.

Functions take the parts they need; only the edges (routes, jobs, the command line) hold the whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from archive import installation
from archive.db import Database, create_engine
from archive.mail import Mailer
from archive.queue.wake import Bell
from storage import open_store

if TYPE_CHECKING:
    from archive.keyring import Keyring
    from archive.settings import Addresses, Settings
    from storage import Store


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything that is open."""

    database: Database
    store: Store
    bell: Bell
    keyring: Keyring
    mailer: Mailer
    public_url: str
    session_lifetime: timedelta


@asynccontextmanager
async def open_runtime(
    settings: Settings, addresses: Addresses, *, pool_size: int = 10, store: Store | None = None
) -> AsyncIterator[Runtime]:
    """Open everything, and close it again in the reverse order."""
    opened = store or open_store(addresses.store)
    bell = Bell(addresses.redis)
    database = Database(create_engine(addresses.database, pool_size=pool_size), bell.deliver)
    try:
        yield Runtime(
            database=database,
            store=opened,
            bell=bell,
            keyring=await installation.prepare(database, settings.key_file),
            mailer=Mailer(settings.smtp_url, settings.mail_from),
            public_url=settings.url,
            session_lifetime=timedelta(days=settings.session_days),
        )
    finally:
        await opened.close()
        await database.close()
        bell.close()
