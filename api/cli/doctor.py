"""``tagphoto doctor``: what is configured, what is embedded, what is missing, and how to mend it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import asyncpg
import click
import redis.asyncio

from api import web
from api.cli import common
from archive import __version__, keyring, schema
from archive.embedded import addresses as places_of
from archive.embedded import valkey
from archive.embedded.postgres import find_binaries
from archive.errors import StartRefused
from archive.keyring import Keyring
from archive.media.sandbox import SandboxFailed, capabilities
from archive.settings import PREFIX, Addresses, Settings, config_file, masked
from storage import StoreError, open_store

_MEND = "Start it, open the way to it, or correct {}."


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: how it stands, what it is about, and what to do if it is not well."""

    state: str  # ok, note, bad
    about: str
    text: str
    mend: str = ""


@click.command()
def doctor() -> None:
    """Show the settings, the embedded parts, what is missing, and how to mend it. Exit status 1 if something is."""
    findings = common.run(_examine)
    for finding in findings:
        click.echo(f"{finding.state:<5} {finding.about:<14} {finding.text}")
        if finding.mend:
            click.echo(f"{'':<20} → {finding.mend}")
    if any(finding.state == "bad" for finding in findings):
        sys.exit(1)


async def _examine(settings: Settings) -> list[Finding]:
    addresses = places_of(settings)
    found = [
        Finding("ok", "version", f"Tagphoto {__version__}, Python {sys.version.split()[0]}"),
        *_settings(settings),
        *_folder(settings),
        *_key(settings),
    ]
    found += await _database(settings, addresses)
    found += await _redis(settings, addresses)
    found += [await _store(settings, addresses), await _mirror(addresses), _mail(settings), _client()]
    found += await _sandbox()
    return found


def _settings(settings: Settings) -> Iterator[Finding]:
    file = config_file()
    yield Finding(
        "ok", "settings", f"from {file} and {PREFIX}*" if file else f"from {PREFIX}* (there is no tagphoto.toml)"
    )
    for name in sorted(settings.model_fields_set):
        value = getattr(settings, name)
        yield Finding("ok", f"  {name}", masked(str(value)) if name.endswith("_url") else str(value))


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    existing = next(path for path in [folder, *folder.absolute().parents] if path.exists())
    if not os.access(existing, os.W_OK):
        yield Finding("bad", "data", f"{folder} cannot be written to", "Change its owner, or set TAGPHOTO_DATA.")
        return
    free = shutil.disk_usage(existing).free >> 20
    if free < 1024:  # noqa: PLR2004  # a gigabyte
        yield Finding("bad", "data", f"{folder}: only {free} MB free", "Make room, or set TAGPHOTO_DATA.")
    else:
        state = "" if folder.exists() else ", made at the first start"
        yield Finding("ok", "data", f"{folder} ({free >> 10} GB free{state})")


def _key(settings: Settings) -> Iterator[Finding]:
    file = settings.key_file
    if given := settings.given_root_keys:
        yield _keys(lambda: keyring.given(*given), given[1])
    elif not file.exists():
        yield Finding("note", "root key", f"{file} is made at the first start", "Then back it up apart from the data.")
    elif file.stat().st_mode & 0o077:
        yield Finding("bad", "root key", f"{file} can be read by other users", f"chmod 600 {file}")
    else:
        yield _keys(lambda: keyring.load(file), str(file))


def _keys(read: Callable[[], Keyring], where: str) -> Finding:
    try:
        ids = [one.hex() for one in read().ids]
    except StartRefused as error:
        return Finding("bad", "root key", f"{where} cannot be used", str(error))
    before = f", and {len(ids) - 1} from before" if len(ids) > 1 else ""
    text = f"{where}: {ids[0]}{before}; without it nothing sealed can be opened: back it up apart"
    if before:
        return Finding("note", "root key", text, "'tagphoto keys list' shows what is under each, 'keys drop' ends one.")
    return Finding("ok", "root key", text)


async def _database(settings: Settings, addresses: Addresses) -> list[Finding]:
    if settings.database_url is None:
        binaries = find_binaries()
        if binaries is None:
            return [
                Finding("bad", "database", "no PostgreSQL found", "Set TAGPHOTO_DATABASE_URL or install the wheel.")
            ]
        if not await _answers(lambda: _connect(addresses.database)):
            return [Finding("ok", "database", f"embedded, not running now ({binaries})")]
    try:
        version = await _connect(addresses.database)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        where = masked(addresses.database)
        return [Finding("bad", "database", f"{where}: {common.said(error)}", _MEND.format("TAGPHOTO_DATABASE_URL"))]
    revision, needed = await schema.current(addresses.database), schema.head()
    kind = "embedded" if settings.database_url is None else masked(addresses.database)
    if revision != needed:
        text = f"{kind}, schema {revision or 'empty'} instead of {needed}"
        return [Finding("note", "database", text, "'tagphoto migrate' or the next 'tagphoto serve' brings it there.")]
    return [Finding("ok", "database", f"{kind}, PostgreSQL {version}, schema {revision}")]


async def _redis(settings: Settings, addresses: Addresses) -> list[Finding]:
    if settings.redis_url is None:
        binary = valkey.find_binary()
        if binary is None:
            return [Finding("bad", "redis", "no Valkey or Redis found", "Set TAGPHOTO_REDIS_URL or install the wheel.")]
        if not await _answers(lambda: _ping(addresses.redis)):
            return [Finding("ok", "redis", f"embedded, not running now ({binary})")]
    try:
        version = await _ping(addresses.redis)
    except (redis.RedisError, OSError) as error:
        where = masked(addresses.redis)
        return [Finding("bad", "redis", f"{where}: {common.said(error)}", _MEND.format("TAGPHOTO_REDIS_URL"))]
    kind = "embedded" if settings.redis_url is None else masked(addresses.redis)
    return [Finding("ok", "redis", f"{kind}, version {version}")]


async def _store(settings: Settings, addresses: Addresses) -> Finding:
    where = masked(addresses.store)
    if settings.store_url is None and not (settings.data / "store").exists():
        return Finding("ok", "store", f"{where}, made at the first start")
    try:
        store = open_store(addresses.store)
        await store.ping()
        await store.close()
    except (StoreError, ValueError) as error:
        return Finding("bad", "store", f"{where}: {error}", "Make it, make it writable, or correct TAGPHOTO_STORE_URL.")
    return Finding("ok", "store", where)


async def _mirror(addresses: Addresses) -> Finding:
    if addresses.mirror is None:
        mend = "Set TAGPHOTO_MIRROR_URL to another disk or a bucket, and what is damaged is healed from there."
        return Finding("note", "mirror", "none: every object is in one place", mend)
    where = masked(addresses.mirror)
    if addresses.mirror == addresses.store:
        return Finding("bad", "mirror", f"{where} is the store itself", "Set TAGPHOTO_MIRROR_URL to another place.")
    try:
        store = open_store(addresses.mirror)
        await store.ping()
        await store.close()
    except (StoreError, ValueError) as error:
        mend = "Mount it, make it writable, or correct TAGPHOTO_MIRROR_URL."
        return Finding("bad", "mirror", f"{where}: {error}", mend)
    return Finding("ok", "mirror", where)


def _mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return Finding("note", "mail", "none is sent", "Set TAGPHOTO_SMTP_URL and TAGPHOTO_MAIL_FROM for reset links.")
    how = f"{masked(settings.smtp_url)} as {settings.mail_from}"
    if settings.public_url is None:
        mend = "Set TAGPHOTO_PUBLIC_URL to the address that people use."
        return Finding("note", "mail", f"{how}; links in mails go to {settings.url}", mend)
    return Finding("ok", "mail", how)


def _client() -> Finding:
    if (web.DIST / "index.html").is_file():
        return Finding("ok", "web client", "built")
    return Finding("bad", "web client", "not built", "./run builds it.")


async def _sandbox() -> list[Finding]:
    try:
        held = await capabilities()
    except (SandboxFailed, OSError) as error:
        return [Finding("bad", "sandbox", f"no decoder can be started: {error}", "Photos are kept, and not looked at.")]
    return [Finding("ok", "sandbox" if not number else "", text) for number, text in enumerate(held.values())]


async def _connect(dsn: str) -> str:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


async def _ping(url: str) -> str:
    client = redis.asyncio.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3)
    try:
        information = await client.info("server")
        return str(information.get("valkey_version") or information.get("redis_version"))
    finally:
        await client.aclose()


async def _answers(question: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(5):
            await question()
    except (OSError, TimeoutError, asyncpg.PostgresError, redis.RedisError):
        return False
    return True
