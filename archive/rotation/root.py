"""Exchange the root key: a new one is put first, and what is sealed under others is wrapped anew, page by page.

At every moment the key file holds each key that something is sealed under, so whatever is cut off is gone on with.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, text, tuple_

from archive import audit, keyring
from archive.errors import Conflict, Damaged, Invalid
from archive.models import Account, Installation, LibraryKey
from archive.vault.keys import LibraryKeys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.db import Database
    from archive.keyring import Keyring
    from archive.rotation.source import KeySource

_PAGE = 300
# As the second factor and the backups' recovery code seal theirs; see docs/encryption.md.
_TOTP, _RECOVERY, _RECOVERY_CONTEXT = "totp", "recovery", b"installation"
# How long connections that are being closed may still be seen.
_TRIES, _PAUSE = 20, 0.1


@dataclass(slots=True)
class Rotated:
    """What a rotation did, and what is left to do."""

    root: bytes
    is_new: bool = False
    # Where we cannot write: the line to put first there, before this is called again.
    put_first: str | None = None
    library_keys: int = 0
    second_factors: int = 0
    recovery_code: bool = False
    # What opens under none of the keys. It was so before: a row was changed, or its key was lost.
    unreadable: list[str] = field(default_factory=list)


async def rotate(database: Database, source: KeySource, *, only_new: bool = False) -> Rotated:
    """Go on with a rotation that was cut off, or begin one; then seal everything under the present key."""
    made = await _begin(database, source)
    if made.put_first or (only_new and made.is_new):
        return made
    keys = source.read()
    await _library_keys(database, keys, made)
    await _second_factors(database, keys, made)
    async with database.transaction() as session:
        row = await session.get_one(Installation, 1, with_for_update=True)
        made.recovery_code = _rewrap_recovery(keys, row, made)
        # Last: it tells a rotation that reached everything from one that has to be gone on with.
        row.key_check = keys.check
        audit.record(session, "root_key.rotated", target=keys.present.hex())
    return made


async def drop(database: Database, source: KeySource, root: bytes, *, restarted: bool = False) -> int:
    """Take a root key that nothing needs out of the key file. Gives the number of its line, from 1."""
    async with database.transaction() as session:
        await _lock(session)
        keys = source.read()
        rest = _without(keys, root, source.name)
        if needs := await _needs(session, keys, rest, root):
            message = f"{' and '.join(needs)} need the root key {root.hex()}. Run 'tagphoto keys rotate root' first."
            raise Conflict(message)
        if not restarted:
            await _require_nobody_else(session)
        line = keys.ids.index(root) + 1
        audit.record(session, "root_key.dropped", target=root.hex())
        await session.flush()
        # Where the environment holds the keys, whoever made it takes the line out.
        if not source.given:
            source.write(keyring.lines(keys, rest.ids))
        return line


async def under(session: AsyncSession, keys: Keyring) -> dict[bytes, dict[str, int]]:
    """Count what is sealed under each root key, also under those that are missing."""
    counted = {root: {"library_keys": 0, "second_factors": 0, "recovery_code": 0} for root in keys.ids}
    rows = await session.execute(select(LibraryKey.root_id, func.count()).group_by(LibraryKey.root_id))
    for root, count in rows:
        counted.setdefault(root, {})["library_keys"] = count
    alone = {root: keyring.given(keyring.lines(keys, [root]), "") for root in keys.ids}
    async for account_id, sealed in _sealed_factors(session):
        for root, one in alone.items():
            if one.is_present(_TOTP, account_id.bytes, sealed):
                counted[root]["second_factors"] += 1
    row = await session.get_one(Installation, 1)
    for root, one in alone.items():
        if row.recovery_sealed and one.is_present(_RECOVERY, _RECOVERY_CONTEXT, row.recovery_sealed):
            counted[root]["recovery_code"] = 1
    return counted


async def _begin(database: Database, source: KeySource) -> Rotated:
    """Find the key to rotate to: the present one, as long as something is under another; else a new one."""
    async with database.transaction() as session:
        # Held while the file is read and written: of two who rotate at once, the second finds the first one's key.
        # Whoever starts meanwhile waits for it as well.
        await _lock(session)
        keys = source.read()
        if not await _is_complete(session, keys):
            return Rotated(keys.present)
        line = keyring.new_line()
        if source.given:
            return Rotated(keys.present, put_first=line.strip())
        source.write(line + keyring.lines(keys, keys.ids))
        return Rotated(source.read().present, is_new=True)


async def _is_complete(session: AsyncSession, keys: Keyring) -> bool:
    """Say whether everything is sealed under the present key."""
    row = await session.get_one(Installation, 1)
    other = select(LibraryKey.version).where(LibraryKey.root_id != keys.present).limit(1)
    if row.key_check != keys.check or await session.scalar(other) is not None:
        return False
    if row.recovery_sealed and _is_under_another(keys, _RECOVERY, _RECOVERY_CONTEXT, row.recovery_sealed):
        return False
    async for account_id, sealed in _sealed_factors(session):
        if _is_under_another(keys, _TOTP, account_id.bytes, sealed):
            return False
    return True


async def _library_keys(database: Database, keys: Keyring, made: Rotated) -> None:
    # Of its own, which remembers nothing: what is wrapped anew was opened from its row.
    opener = LibraryKeys(keys)
    place = tuple_(LibraryKey.library_id, LibraryKey.purpose, LibraryKey.version)
    page = select(LibraryKey).where(LibraryKey.root_id != keys.present).order_by(place).limit(_PAGE)
    # Beside those who use a key just now, and not behind them: its row keeps its identity.
    page = page.with_for_update(key_share=True)
    after = None
    while True:
        async with database.transaction() as session:
            rows = list(await session.scalars(page if after is None else page.where(place > after)))
            for row in rows:
                try:
                    opener.rewrap(row)
                except Damaged:
                    made.unreadable.append(f"library key {row.library_id} {row.purpose} {row.version}")
                else:
                    made.library_keys += 1
        if not rows:
            return
        after = tuple_(rows[-1].library_id, rows[-1].purpose, rows[-1].version)


async def _second_factors(database: Database, keys: Keyring, made: Rotated) -> None:
    page = select(Account).where(Account.totp_sealed.is_not(None)).order_by(Account.id).limit(_PAGE)
    after = UUID(int=0)
    while True:
        async with database.transaction() as session:
            rows = list(await session.scalars(page.where(Account.id > after).with_for_update(key_share=True)))
            for row in rows:
                _rewrap_factor(keys, row, made)
        if not rows:
            return
        after = rows[-1].id


def _rewrap_factor(keys: Keyring, row: Account, made: Rotated) -> None:
    sealed, context = row.totp_sealed or b"", row.id.bytes
    if keys.is_present(_TOTP, context, sealed):
        return
    try:
        secret = keys.open(_TOTP, context, sealed)
    except InvalidTag:
        made.unreadable.append(f"second factor of account {row.id}")
        return
    row.totp_sealed = keys.seal(_TOTP, context, secret)
    made.second_factors += 1


def _rewrap_recovery(keys: Keyring, row: Installation, made: Rotated) -> bool:
    sealed = row.recovery_sealed
    if sealed is None or keys.is_present(_RECOVERY, _RECOVERY_CONTEXT, sealed):
        return False
    try:
        secret = keys.open(_RECOVERY, _RECOVERY_CONTEXT, sealed)
    except InvalidTag:
        made.unreadable.append("recovery code of the backups")
        return False
    row.recovery_sealed = keys.seal(_RECOVERY, _RECOVERY_CONTEXT, secret)
    return True


def _without(keys: Keyring, root: bytes, where: str) -> Keyring:
    if root not in keys.ids:
        message = f"There is no root key {root.hex()} in {where}. 'tagphoto keys list' shows those there are."
        raise Invalid(message)
    if root == keys.present:
        message = f"{root.hex()} is the present root key. 'tagphoto keys rotate root' makes another one the present."
        raise Conflict(message)
    return keyring.given(keyring.lines(keys, [one for one in keys.ids if one != root]), where)


async def _needs(session: AsyncSession, keys: Keyring, rest: Keyring, root: bytes) -> list[str]:
    """Name what does not open without a root key, and does with it."""
    needs = []
    count = select(func.count()).select_from(LibraryKey).where(LibraryKey.root_id == root)
    if libraries := await session.scalar(count):
        needs.append(f"{libraries} library keys")
    lost = [
        account_id async for account_id, sealed in _sealed_factors(session)
        if not _opens(rest, _TOTP, account_id.bytes, sealed) and _opens(keys, _TOTP, account_id.bytes, sealed)
    ]  # fmt: skip
    if lost:
        needs.append(f"{len(lost)} second factors")
    row = await session.get_one(Installation, 1)
    if row.recovery_sealed and not _opens(rest, _RECOVERY, _RECOVERY_CONTEXT, row.recovery_sealed):
        needs.append("the recovery code")
    if not rest.holds(row.key_check):
        needs.append("the installation's check value")
    return needs


async def _require_nobody_else(session: AsyncSession) -> None:
    """Refuse while others are connected: what runs since before the rotation still seals under the old key."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'tagphoto' AND pid <> pg_backend_pid()"
    )
    for _ in range(_TRIES):
        await session.execute(text("SELECT pg_stat_clear_snapshot()"))  # else a transaction sees the same ones for ever
        if not await session.scalar(others):
            return
        await asyncio.sleep(_PAUSE)
    message = (
        "The service is running, and a process that was started before the rotation would go on sealing under the old "
        "key. Stop it and call this again; or, when every 'serve' and 'work' was restarted since, add --restarted."
    )
    raise Conflict(message)


async def _sealed_factors(session: AsyncSession) -> AsyncIterator[tuple[UUID, bytes]]:
    """Go through the second factors, a page at a time."""
    page = select(Account.id, Account.totp_sealed).where(Account.totp_sealed.is_not(None)).order_by(Account.id)
    after = UUID(int=0)
    while rows := (await session.execute(page.where(Account.id > after).limit(_PAGE))).all():
        for account_id, sealed in rows:
            yield account_id, sealed or b""
        after = rows[-1][0]


def _is_under_another(keys: Keyring, purpose: str, context: bytes, sealed: bytes) -> bool:
    return not keys.is_present(purpose, context, sealed) and _opens(keys, purpose, context, sealed)


def _opens(keys: Keyring, purpose: str, context: bytes, sealed: bytes) -> bool:
    try:
        keys.open(purpose, context, sealed)
    except InvalidTag:
        return False
    return True


async def _lock(session: AsyncSession) -> None:
    """Let nobody start, rotate or drop while the key file is looked at and changed. Starts take the same lock."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('tagphoto.installation'))"))
