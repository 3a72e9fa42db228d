"""What the commands share: settings, an open database for one command, and JSON on standard output."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import click

from archive import log, schema
from archive.embedded.servers import reachable
from archive.errors import StartRefused
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings, masked, read_settings
from storage import StoreError, open_store

T = TypeVar("T")


def run(action: Callable[[Settings], Awaitable[T]], **overrides: Any) -> T:  # noqa: ANN401  # settings' own fields
    """Read the settings and run one asynchronous command."""
    settings = read_settings(**{name: value for name, value in overrides.items() if value is not None})
    log.configure(settings.log_level)

    async def main() -> T:
        return await action(settings)

    return asyncio.run(main())


def settle() -> None:
    """Have the collector of garbage pass over all there is by now, in a process that serves for long.

    Some 200,000 objects are there once everything is imported. Going over them takes a quarter of a second, and a page
    of a timeline makes enough objects to have it done at every twentieth page.
    """
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Runtime]:
    """Open the runtime for one command, whether the service is running or not."""
    async with reachable(settings) as addresses:
        await require_database(settings, addresses)
        await require_store(addresses)
        await _require_schema(settings, addresses)
        async with open_runtime(settings, addresses, pool_size=2) as runtime:
            yield runtime


async def _require_schema(settings: Settings, addresses: Addresses) -> None:
    # A database that others use as well is migrated by whoever means to: 'migrate', or 'serve' of this version.
    if settings.database_url is None or await schema.current(addresses.database) is None:
        await schema.upgrade(addresses.database)
    else:
        await schema.require_current(addresses.database, patience=0)


async def require_database(settings: Settings, addresses: Addresses) -> None:
    """Refuse a database that cannot be reached, in one line that names it without its password."""
    try:
        connection = await asyncpg.connect(addresses.database, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        if settings.database_url is None:
            message = (
                f"The embedded database of {settings.data} is not running. Start 'tagphoto serve' with the same "
                "TAGPHOTO_DATA, or name a database in TAGPHOTO_DATABASE_URL."
            )
        else:
            message = (
                f"The database {masked(addresses.database)} cannot be reached: {said(error)}. "
                "Check that it runs and that TAGPHOTO_DATABASE_URL is right."
            )
        raise StartRefused(message) from error
    await connection.close()


async def require_store(addresses: Addresses) -> None:
    """Refuse a store that cannot be used, likewise."""
    try:
        store = open_store(addresses.store)
        try:
            await store.ping()
        finally:
            await store.close()
    except StoreError as error:
        message = (
            f"The store {masked(addresses.store)} cannot be used: {said(error)}. "
            "Check that it is there and may be written to, and that TAGPHOTO_STORE_URL is right."
        )
        raise StartRefused(message) from error


def said(error: BaseException) -> str:
    """Give what an error says, in one line; some say nothing but their kind."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def print_json(value: object) -> None:
    """Print a JSON document."""
    click.echo(json.dumps(value, default=str, ensure_ascii=False, indent=2))
