"""Restore: a backup becomes an archive again, in an empty database and any store. Interrupted, it is run again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from archive import keyring, log, schema
from archive.backups import complete as completes
from archive.backups import losses, proof, recovery, settling, tables
from archive.backups import target as targets
from archive.backups.losses import Loss
from archive.backups.target import each
from archive.errors import BackupFailed, StartRefused
from archive.integrity.copying import Written, copy, fault_of
from archive.models import Asset, Backup, Installation, LibraryKey, Object
from storage import ObjectExists, ObjectMissing, StoreUnavailable
from storage.cobblestone import SealBroken

if TYPE_CHECKING:
    from archive.backups.complete import Complete
    from archive.backups.objects import Report
    from archive.backups.target import Target
    from archive.db import Database
    from archive.keyring import Keyring
    from storage import Store

_PAGE = 500
_log = log.get("restore")


@dataclass(frozen=True, slots=True)
class RootKeys:
    """Where root keys come from and where they go."""

    key_file: Path
    # What the environment handed over, and by what; then no file is needed.
    given: tuple[str, str] | None = None
    # What the operator brought: a file, or the recovery code.
    brought: Path | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where to restore to."""

    database: Database
    dsn: str
    store: Store
    mirror: Store | None


@dataclass(slots=True)
class Restored:
    """What came back, and what did not."""

    backup: str
    made_by: str
    assets: int = 0
    objects: int = 0
    bytes: int = 0
    left_out: int = 0
    losses: list[Loss] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


async def restore(places: Places, target: Target, wanted: str | None, keys: RootKeys, report: Report) -> Restored:
    """Restore a backup, or go on restoring it."""
    with targets.failures(target.name):
        there = await targets.found(target)
        begun = await _begun(places.dsn)
        backup_id = _chosen(target, there, wanted or begun)
        if begun not in {None, backup_id}:
            message = (
                f"This database is being restored from backup {begun}. Go on with it by --backup {begun}, or give "
                "another, empty database or data folder."
            )
            raise StartRefused(message)
        try:
            complete = await completes.read(target, backup_id)
            opened, content = await _opened(target, complete, keys)
            key = complete.key(opened)
            complete.require_signed(key)
            result = Restored(backup_id, complete.program)
            if begun is None:
                _place(keys, content)
                await report(0, 1, "restoring tables")
                await _fill(places.dsn, target, complete, key, opened, result, sorted(there, reverse=True))
            else:
                _place(keys, content)
        except BackupFailed as error:
            raise BackupFailed(f"{error}{_others(there, backup_id)}") from error
        await _warn_of_manifest(target, complete, result)
        await _bring_all(places, target, result, complete, report)
        await _finish(places, complete, result)
    return result


def _chosen(target: Target, there: dict[str, set[str]], wanted: str | None) -> str:
    if not there:
        message = f"There is no backup in {target.name}. Is this the folder or bucket that backups go to?"
        raise BackupFailed(message)
    if wanted is None:
        return max(there)
    if wanted not in there:
        message = f"There is no backup {wanted} in {target.name}.{_others(there, wanted)}"
        raise BackupFailed(message)
    return wanted


def _others(there: dict[str, set[str]], but: str) -> str:
    others = [one for one in sorted(there, reverse=True) if one != but and targets.COMPLETE in there[one]]
    return f" Others are there: {', '.join(others[:5])}; choose one with --backup {others[0]}." if others else ""


async def _begun(dsn: str) -> str | None:
    """Say which backup this database is being made of; refuse one that holds something else."""
    connection = await tables.connect(dsn)
    try:
        count = await connection.fetchval(
            "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        if not count:
            return None
        try:
            begun: str | None = await connection.fetchval("SELECT id FROM backup WHERE state = 'restoring'")
        except asyncpg.UndefinedTableError:
            begun = None
    finally:
        await connection.close(timeout=10)
    if begun is None:
        message = (
            "The database is not empty, and nothing in it is overwritten. Restore into a new data folder "
            "(TAGPHOTO_DATA) or an empty database (TAGPHOTO_DATABASE_URL)."
        )
        raise StartRefused(message)
    return begun


async def _opened(target: Target, complete: Complete, keys: RootKeys) -> tuple[Keyring, str | None]:
    """Find the root keys; also gives what to write into the key file, when that is missing."""
    brought = await _brought(target, complete, keys)
    if keys.given is not None:
        present, where = keyring.given(*keys.given), keys.given[1]
    elif keys.key_file.exists():
        present, where = keyring.load(keys.key_file), str(keys.key_file)
    elif brought is not None:
        return brought, keyring.lines(brought, brought.ids)
    else:
        message = (
            f"There is no root key file {keys.key_file}, and without it nothing can be restored. Give it with "
            "--root-key FILE, or the recovery code with --recovery-code CODE."
        )
        raise StartRefused(message)
    if brought is not None and not set(brought.ids) <= set(present.ids):
        message = f"{where} holds another root key than the one given. Move it away if it is not needed, then restore."
        raise StartRefused(message)
    return present, None


async def _brought(target: Target, complete: Complete, keys: RootKeys) -> Keyring | None:
    if keys.brought is not None:
        return keyring.load(keys.brought)
    if keys.code is not None:
        return keyring.given(await recovery.open_keys(target, complete.id, keys.code), f"backup {complete.id}")
    return None


def _place(keys: RootKeys, content: str | None) -> None:
    """Write the key file before anything that needs it."""
    if content is None:
        return
    try:
        keys.key_file.parent.mkdir(parents=True, exist_ok=True)
        keyring.replace(keys.key_file, content)
    except OSError as error:
        message = f"The root key cannot be written to {keys.key_file}: {error.strerror}. Choose TAGPHOTO_ROOT_KEY_FILE."
        raise StartRefused(message) from error


async def _fill(  # from where, what, under which key, to where, and who is told
    dsn: str,
    target: Target,
    complete: Complete,
    key: bytes,
    opened: Keyring,
    result: Restored,
    newest_first: Sequence[str],
) -> None:
    """Make schema and rows in one transaction: a database that was cut off is as empty as before."""
    _require_known(complete)
    tombstones = await _tombstones(target, complete, opened, newest_first, result)
    async with tables.writing(dsn) as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": schema.LOCK})
        await tables.migrate(connection, complete.revision)
        driver = await tables.driver_of(connection)
        for table in complete.tables:
            try:
                rows = await proof.restore_table(driver, target, complete.id, key, table)
            except asyncpg.PostgresError as error:
                message = f"Table {table.name} of backup {complete.id} cannot be restored: {error}."
                raise BackupFailed(message) from error
            if rows != table.rows:
                message = f"Table {table.name} of backup {complete.id} has {rows} rows instead of {table.rows}."
                raise BackupFailed(message)
        await tables.migrate(connection, "head")
        await _require_keys(connection, opened)
        result.left_out = await settling.settle(connection, driver, target, complete, tombstones)


def _require_known(complete: Complete) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(schema.config()).walk_revisions()}
    if complete.revision not in known:
        message = (
            f"Backup {complete.id} was made by Tagphoto {complete.program}, which is newer than this one. Install that "
            "version, then restore."
        )
        raise StartRefused(message)


async def _require_keys(connection: AsyncConnection, opened: Keyring) -> None:
    check = (await connection.execute(select(Installation.key_check))).scalar_one()
    roots = (await connection.execute(select(LibraryKey.root_id).distinct())).scalars().all()
    missing = ", ".join(root.hex() for root in roots if root not in opened.ids)
    if missing or not opened.holds(check):
        message = (
            f"The root key file lacks keys that the archive is sealed under{': ' + missing if missing else ''}. "
            "Restore with --recovery-code, which brings all of them, or with a complete root key file."
        )
        raise StartRefused(message)


async def _tombstones(
    target: Target, complete: Complete, opened: Keyring, newest_first: Sequence[str], result: Restored
) -> str | None:
    """Find the newest list of what was purged that can be trusted."""
    for backup_id in newest_first:
        if backup_id < complete.id:
            break
        place = targets.place(backup_id, targets.TOMBSTONES)
        try:
            newer = complete if backup_id == complete.id else await completes.read(target, backup_id)
            newer.require_signed(newer.key(opened))
            if await targets.digest_of(target, place) != newer.blake3[targets.TOMBSTONES]:
                raise BackupFailed(f"The list of what was deleted in backup {backup_id} is damaged.")
        except BackupFailed as error:
            result.warnings.append(f"{error} What was deleted after the backup before it may be back.")
            continue
        return place
    return None


async def _warn_of_manifest(target: Target, complete: Complete, result: Restored) -> None:
    place = targets.place(complete.id, targets.MANIFEST)
    if await targets.digest_of(target, place) != complete.blake3[targets.MANIFEST]:
        result.warnings.append(
            f"The manifest of backup {complete.id} is damaged. Nothing is lost by that: the tables say the same."
        )


async def _bring_all(places: Places, target: Target, result: Restored, complete: Complete, report: Report) -> None:
    """Bring every object that was not brought before, page by page, and note of each how it is."""
    after, done = "", 0
    while True:
        async with places.database.transaction() as session:
            page = select(Object.key, Object.sealed_size, Object.digest).where(
                Object.verified_at.is_(None), Object.key > after
            )
            rows = (await session.execute(page.order_by(Object.key).limit(_PAGE))).all()
        if not rows:
            break
        faults: dict[str, str | None] = {}

        async def bring(row: tuple[str, Written], faults: dict[str, str | None] = faults) -> None:
            faults[row[0]] = await _bring(places, target, *row)

        await each(_written(rows), bring)
        await _note(places.database, faults, complete)
        after, done = rows[-1][0], done + len(rows)
        await report(done, max(done, complete.objects), "restoring objects")
    async with places.database.transaction() as session:
        sums = select(func.count(), func.coalesce(func.sum(Object.sealed_size), 0)).where(Object.damage.is_(None))
        count, size = (await session.execute(sums)).one()
        result.objects, result.bytes = int(count), int(size)  # a sum is a Decimal


async def _written(rows: Sequence[Any]) -> AsyncIterator[tuple[str, Written]]:
    for key, size, digest in rows:
        yield key, Written(size, digest)


async def _bring(places: Places, target: Target, key: str, written: Written) -> str | None:
    """Bring one object, from the target or else the mirror; says why if it is lost."""
    # Asked first: where the store outlived the database, nothing has to be copied.
    try:
        there = (await places.store.stat(key)).size == written.size
    except ObjectMissing:
        there = False
    if there and await fault_of(places.store, key, written) is None:
        return None
    faults = []
    sources = [(target.store, targets.OBJECTS + key), *([(places.mirror, key)] if places.mirror else [])]
    for number, (source, source_key) in enumerate(sources):
        try:
            await _put(source, source_key, places.store, key, written)
        except (SealBroken, ObjectMissing) as error:
            faults.append(str(error))
        except StoreUnavailable as error:
            if number == 0:
                raise
            await places.store.ping()  # or it was the store that is away
            faults.append(f"the mirror is away: {error}")
        else:
            return None
    return "; ".join(faults)


async def _put(source: Store, source_key: str, store: Store, key: str, written: Written) -> None:
    try:
        await copy(source, source_key, store, key, written)
    except ObjectExists:
        # It is there and damaged. It goes only now that something whole was seen to take its place.
        if fault := await fault_of(source, source_key, written):
            raise SealBroken(fault) from None
        await store.delete(key)
        await copy(source, source_key, store, key, written)


async def _note(database: Database, faults: dict[str, str | None], complete: Complete) -> None:
    async with database.transaction() as session:
        right = [key for key, fault in faults.items() if fault is None]
        whole = {"verified_at": func.clock_timestamp(), "damage": None, "damaged_at": None}
        await session.execute(update(Object).where(Object.key.in_(right)).values(whole))
        for key, fault in faults.items():
            if fault is not None:
                # What the backup lacked already says why in its own words.
                reason = f"not in backup {complete.id}: {complete.missing.get(key, fault)}"
                _log.error("restore.object_lost", key=key, reason=reason)
                lost = {"damage": reason, "damaged_at": func.clock_timestamp()}
                await session.execute(update(Object).where(Object.key == key).values(lost))


async def _finish(places: Places, complete: Complete, result: Restored) -> None:
    """Report the losses, end what they make useless, and let the archive be one again."""
    async with places.database.transaction() as session:
        result.losses = await losses.find(session)
        result.assets = await session.scalar(select(func.count()).select_from(Asset)) or 0
        await _end(session, complete)


async def _end(session: AsyncSession, complete: Complete) -> None:
    row = await session.get_one(Backup, complete.id)
    row.state = "damaged" if complete.missing else "verified"
    await session.flush()
