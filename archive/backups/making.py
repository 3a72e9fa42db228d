"""Make a backup: one snapshot of the tables, the objects it names, and proof of both; ``complete`` comes last."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
from blake3 import blake3
from sqlalchemy import select, update

from archive import __version__, keyring, log
from archive.backups import complete as completes
from archive.backups import objects, proof, recovery, retention, tables
from archive.backups import target as targets
from archive.backups.complete import Complete, TableOf
from archive.backups.retention import FORM, Removed
from archive.backups.service import told
from archive.db import now
from archive.errors import BackupFailed, BackupRunning, TagphotoError
from archive.models import Backup
from storage.sealed import seal

if TYPE_CHECKING:
    from archive.backups.objects import Report
    from archive.backups.target import Target
    from archive.db import Database
    from archive.keyring import Keyring
    from archive.vault.vault import Vault

_LOCK = "SELECT pg_try_advisory_lock(hashtext('tagphoto.backup'))"
_MANIFEST = """SELECT encode(digest, 'hex') || '  objects/' || "key" FROM object ORDER BY "key" COLLATE "C" """
_TOMBSTONES = "SELECT file_id, library_id FROM tombstone ORDER BY file_id"
_HELD = ("verified", "damaged")
_KEY_BYTES = 32
_log = log.get("backup")


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up."""

    database: Database
    dsn: str
    vault: Vault
    keyring: Keyring


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, what is to be said about it, and what went for it."""

    complete: Complete
    note: str | None
    removed: Removed


async def make(source: Source, target: Target, keep: int, report: Report, *, emptied: bool = False) -> Made:
    """Make a backup in a target. ``emptied`` says that a target without its earlier backups is meant so."""
    async with _alone(source.dsn) as lock:
        with targets.failures(target.name):
            backup_id = await _begin(source.database, target, emptied=emptied)
            try:
                complete, note = await _make(source, target, backup_id, report, lock)
            except BaseException as error:
                await _end(source.database, backup_id, state="failed", error=_said(error))
                raise
            figures = {name: getattr(complete, name) for name in ("objects", "bytes", "new_objects", "new_bytes")} | {
                "missing": len(complete.missing),
                "proof": complete.verified,
            }
            state = "damaged" if complete.missing else "verified"
            await _end(source.database, backup_id, state=state, error=_lost(complete), **figures)
        _log.info("backup.made", backup=backup_id, state=state, **figures)
        return await _tidied(source.database, target, keep, Made(complete, note, Removed([], 0)))


async def _make(
    source: Source,
    target: Target,
    backup_id: str,
    report: Report,
    lock: Any,  # noqa: ANN401  # asyncpg has no types
) -> tuple[Complete, str | None]:
    key, manifest = os.urandom(_KEY_BYTES), targets.place(backup_id, targets.MANIFEST)
    async with source.database.transaction() as session:
        code = await recovery.code(session, source.keyring)
    await report(0, 1, "writing tables")
    complete, digests = await _written(source, target, backup_id, key)
    copied = await objects.copy_new(source.database, source.vault, target, manifest, complete.objects, report)
    total = max(1, complete.objects)
    await report(total, total, "proving tables")
    verified, note = await proof.prove(source.dsn, target, backup_id, key, complete.revision, complete.tables, digests)
    await recovery.seal_keys(target, backup_id, code, keyring.lines(source.keyring, source.keyring.ids))
    await _write_tombstones(source.dsn, target, backup_id)
    await objects.require_all(target, manifest, copied)
    complete = replace(
        complete,
        new_objects=copied.new_objects,
        new_bytes=copied.new_bytes,
        missing=copied.missing,
        purged=sorted(copied.purged),
        verified=verified,
        blake3=await _read_back(target, source.keyring, complete, code),
    )
    await _require_lock(lock)
    await completes.write(target, complete.signed(key))
    return complete, note


async def _written(source: Source, target: Target, backup_id: str, key: bytes) -> tuple[Complete, Mapping[str, bytes]]:
    """Write tables and manifest as one moment had them."""
    digests: dict[str, bytes] = {}
    written = []
    async with tables.snapshot(source.dsn) as connection:
        for spec in tables.specs():
            table, digests[spec.name] = await _write_table(connection, target, backup_id, key, spec)
            written.append(table)
        manifest = tables.Export(connection, _MANIFEST, format="text")
        async with aclosing(manifest.pieces()) as pieces:
            await target.store.put(targets.place(backup_id, targets.MANIFEST), pieces)
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
        size = await connection.fetchval("SELECT coalesce(sum(sealed_size), 0)::bigint FROM object")
    return Complete(
        id=backup_id,
        program=__version__,
        revision=revision,
        root_id=source.keyring.present.hex(),
        wrapped_key=completes.wrapped(source.keyring, backup_id, key),
        tables=written,
        objects=manifest.rows,
        bytes=size,
    ), digests


async def _write_table(
    connection: Any,  # noqa: ANN401  # asyncpg has no types
    target: Target,
    backup_id: str,
    key: bytes,
    spec: tables.Spec,
) -> tuple[TableOf, bytes]:
    digest, export = blake3(), tables.Export(connection, spec.query)
    place = targets.place(backup_id, targets.DATABASE, spec.name)
    context = completes.table_context(backup_id, spec.name)
    async with aclosing(export.pieces()) as pieces:
        sealed = await seal(target.store, place, key, context, pieces, watch=_into(digest))
    return TableOf(spec.name, list(spec.columns), export.rows, sealed.digest.hex()), digest.digest()


def _into(digest: blake3) -> Callable[[bytes], None]:
    def take(piece: bytes) -> None:
        digest.update(piece)

    return take


async def _write_tombstones(dsn: str, target: Target, backup_id: str) -> None:
    """Write them as they are now, not as the snapshot had them: what was purged meanwhile stays purged, too."""
    connection = await tables.connect(dsn)
    try:
        export = tables.Export(connection, _TOMBSTONES, format="text", delimiter=" ")
        async with aclosing(export.pieces()) as pieces:
            await target.store.put(targets.place(backup_id, targets.TOMBSTONES), pieces)
    finally:
        await connection.close(timeout=10)


async def _read_back(target: Target, keys: Keyring, complete: Complete, code: str) -> dict[str, str]:
    """Read back what was written and not yet read, before it is called complete."""
    if await recovery.open_keys(target, complete.id, code) != keyring.lines(keys, keys.ids):
        raise BackupFailed(f"The key file was read back from {target.name} as something else. Run the backup again.")
    named = 0
    async with aclosing(objects.entries(target, targets.place(complete.id, targets.MANIFEST))) as entries:
        async for _ in entries:
            named += 1
    if named != complete.objects:
        raise BackupFailed(f"The manifest was read back from {target.name} as something else. Run the backup again.")
    found = {}
    for name in (targets.MANIFEST, targets.TOMBSTONES, targets.KEYS):
        found[name] = await targets.digest_of(target, targets.place(complete.id, name)) or ""
    return found


async def _tidied(database: Database, target: Target, keep: int, made: Made) -> Made:
    """Remove what is old. That this fails makes the new backup no worse; it is said and tried again at the next."""
    try:
        with targets.failures(target.name):
            removed = await retention.apply(target, keep, now())
    except BackupFailed as error:
        _log.error("backup.old_ones_stay", error=str(error))
        await _end(database, made.complete.id, error="; ".join(filter(None, [_lost(made.complete), str(error)])))
        return replace(made, note="\n".join(filter(None, [made.note, str(error)])))
    async with database.transaction() as session:
        gone = update(Backup).where(Backup.id.in_(removed.backups), Backup.target == target.name)
        await session.execute(gone.values(state="removed"))
    return replace(made, removed=removed)


@asynccontextmanager
async def _alone(dsn: str) -> AsyncIterator[Any]:
    """Hold the lock of backups, for as long as it takes: by a connection that does nothing else."""
    connection = await tables.connect(dsn)
    try:
        if not await connection.fetchval(_LOCK):
            raise BackupRunning
        yield connection
    finally:
        await connection.close(timeout=10)


async def _require_lock(connection: Any) -> None:  # noqa: ANN401  # asyncpg has no types
    """Refuse to go on once the lock may be somebody else's: it goes with the connection."""
    try:
        await connection.fetchval("SELECT 1")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        message = "The database was restarted while the backup was made. Run it again; it copies only what is missing."
        raise BackupFailed(message) from error


async def _begin(database: Database, target: Target, *, emptied: bool) -> str:
    there = await targets.found(target)
    async with database.transaction() as session:
        known = set(
            await session.scalars(select(Backup.id).where(Backup.target == target.name, Backup.state.in_(_HELD)))
        )
        if known and not known & there.keys():
            if not emptied:
                message = (
                    f"{target.name} holds none of the {len(known)} backups that were made there. Is its disk mounted? "
                    "If it was emptied on purpose, run 'tagphoto backup --emptied'."
                )
                raise BackupFailed(message)
            await session.execute(update(Backup).where(Backup.id.in_(known)).values(state="removed"))
        # We hold the lock: whoever made these is dead.
        cut_off = update(Backup).where(Backup.state == "running")
        await session.execute(cut_off.values(state="failed", finished_at=now(), error="It was cut off."))
        backup_id = _free_id(now(), {*await session.scalars(select(Backup.id)), *there})
        row = Backup(id=backup_id, target=target.name, state="running")
        session.add(row)
        await session.flush()
        await session.refresh(row)
        await told(session, row)
    return backup_id


def _free_id(moment: datetime, taken: set[str]) -> str:
    while (backup_id := moment.strftime(FORM)) in taken:
        moment += timedelta(seconds=1)
    return backup_id


async def _end(database: Database, backup_id: str, **values: object) -> None:
    async with database.transaction() as session:
        row = await session.get_one(Backup, backup_id)
        for name, value in values.items():
            setattr(row, name, value)
        row.finished_at = row.finished_at or now()
        await session.flush()
        await told(session, row)


def _said(error: BaseException) -> str:
    if isinstance(error, TagphotoError):
        return str(error)
    return f"{type(error).__name__}: {error}" if isinstance(error, Exception) else "It was interrupted."


def _lost(complete: Complete) -> str | None:
    if not complete.missing:
        return None
    number = len(complete.missing)
    return f"{number} objects could not be read whole from the store and are not in this backup: see 'complete' there."
