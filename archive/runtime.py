"""The composition root: what the program runs on, opened once by the API, by each worker and by the tests.

Functions take the parts they need; only the edges (routes, jobs, the command line) hold the whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from archive import installation
from archive.conversions.service import Desk
from archive.db import Database, create_engine
from archive.duplicates.nearby import Nearby
from archive.forms.giving import Giver
from archive.ingest.tools import Playing, Tools
from archive.mail import Mailer
from archive.media.sandbox import Sandbox
from archive.queue.wake import Bell
from archive.uploads.service import Intake, Limits
from archive.vault.hashing import Hashes
from archive.vault.keys import LibraryKeys
from archive.vault.vault import Vault
from storage import open_store
from storage.measured import MeasuredStore

if TYPE_CHECKING:
    from archive.keyring import Keyring
    from archive.settings import Addresses, Settings
    from storage import Store
    from storage.measured import Observe


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything that is open."""

    database: Database
    vault: Vault
    sandbox: Sandbox
    giver: Giver
    desk: Desk
    hashes: Hashes
    nearby: Nearby
    bell: Bell
    keyring: Keyring
    mailer: Mailer
    settings: Settings
    addresses: Addresses
    public_url: str
    session_lifetime: timedelta

    @property
    def store(self) -> Store:
        """Give the store itself, sealed bytes and all."""
        return self.vault.store

    @property
    def intake(self) -> Intake:
        """Give what receiving bytes needs."""
        kept = timedelta(days=self.settings.upload_days)
        limits = Limits(self.settings.max_upload, self.settings.uploads_at_once, kept)
        return Intake(self.database, self.vault, self.hashes, limits)

    @property
    def tools(self) -> Tools:
        """Give what the steps of assets work with."""
        playing = Playing(self.settings.play, self.settings.play_height)
        return Tools(self.vault, self.sandbox, playing, self.giver)


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    addresses: Addresses,
    *,
    pool_size: int = 10,
    store: Store | None = None,
    mirror: Store | None = None,
    observe: Observe | None = None,
) -> AsyncIterator[Runtime]:
    """Open everything, and close it again in the reverse order. ``observe`` hears of every act on the store."""
    async with AsyncExitStack() as stack:
        opened = store or open_store(addresses.store)
        if observe is not None:
            opened = MeasuredStore(opened, observe)
        stack.push_async_callback(opened.close)
        copy = mirror or (open_store(addresses.mirror) if addresses.mirror else None)
        if copy is not None:
            stack.push_async_callback(copy.close)
        bell = Bell(addresses.redis)
        stack.callback(bell.close)
        database = Database(create_engine(addresses.database, pool_size=pool_size), bell.deliver)
        stack.push_async_callback(database.close)
        # It starts its first process when something is to be decoded.
        sandbox = Sandbox()
        stack.push_async_callback(sandbox.close)
        keyring = await installation.prepare(database, settings.key_file, settings.given_root_keys)
        vault = Vault(opened, copy, LibraryKeys(keyring))
        yield Runtime(
            database=database,
            vault=vault,
            sandbox=sandbox,
            giver=Giver(vault, sandbox),
            desk=Desk(),
            hashes=Hashes(),
            nearby=Nearby(),
            bell=bell,
            keyring=keyring,
            mailer=Mailer(settings.smtp_url, settings.mail_from),
            settings=settings,
            addresses=addresses,
            public_url=settings.url,
            session_lifetime=timedelta(days=settings.session_days),
        )
