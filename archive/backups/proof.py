"""Prove a backup's tables: read them back from the target and restore them into a database made for that."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from blake3 import blake3

from archive import log
from archive.backups import complete as completes
from archive.backups import tables
from archive.backups import target as targets
from archive.backups.complete import READ_BACK, RESTORED, TableOf
from archive.errors import BackupFailed

if TYPE_CHECKING:
    from archive.backups.target import Target

_log = log.get("backup")


async def prove(  # where the server is, where the tables are, under which key, and what they must be
    dsn: str,
    target: Target,
    backup_id: str,
    key: bytes,
    revision: str,
    written: Sequence[TableOf],
    digests: Mapping[str, bytes],
) -> tuple[str, str | None]:
    """Restore the tables and compare. Says how they were proven, and why not better."""
    server = await tables.connect(dsn)
    try:
        async with _scratch(server) as name, tables.writing(dsn, name) as connection:
            await tables.migrate(connection, revision)
            await _compare(await tables.driver_of(connection), target, backup_id, key, written, digests)
    except asyncpg.InsufficientPrivilegeError:
        role = await server.fetchval("SELECT current_user")
        why = (
            f"The database's role {role} may not make databases, so the tables were read back and compared, but not "
            f"restored. Let it: ALTER ROLE {role} CREATEDB."
        )
        _log.warning("backup.not_restored_for_proof", reason=why)
    else:
        return RESTORED, None
    finally:
        await server.close(timeout=10)
    for table in written:
        await _read_back(target, backup_id, key, table, digests[table.name])
    return READ_BACK, why


@asynccontextmanager
async def _scratch(server: Any) -> AsyncIterator[str]:  # noqa: ANN401  # asyncpg has no types
    """Make a database and drop it again, together with what a proof that was killed has left."""
    own = blake3((await server.fetchval("SELECT current_database()")).encode()).hexdigest()[:12]
    prefix = f"tagphoto_proof_{own}_"
    # Whoever proves holds the lock of backups: these are nobody's.
    for left in await server.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix):
        await server.execute(f'DROP DATABASE IF EXISTS "{left["datname"]}" WITH (FORCE)')
    name = prefix + secrets.token_hex(6)
    try:
        await server.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
        yield name
    finally:
        await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _compare(  # as above
    driver: Any,  # noqa: ANN401  # asyncpg has no types
    target: Target,
    backup_id: str,
    key: bytes,
    written: Sequence[TableOf],
    digests: Mapping[str, bytes],
) -> None:
    specs = {spec.name: spec for spec in tables.specs()}
    for table in written:
        rows = await restore_table(driver, target, backup_id, key, table)
        if rows != table.rows or await tables.digest(driver, specs[table.name]) != digests[table.name]:
            message = (
                f"Table {table.name} is another when it is restored: {rows} of {table.rows} rows came back. The backup "
                "was given up; run it again, and report this if it comes again."
            )
            raise BackupFailed(message)


async def restore_table(driver: Any, target: Target, backup_id: str, key: bytes, table: TableOf) -> int:  # noqa: ANN401
    """Fill a table from a backup."""
    source = targets.unsealed(
        target,
        targets.place(backup_id, targets.DATABASE, table.name),
        key,
        completes.table_context(backup_id, table.name),
    )
    return await tables.fill(driver, table.name, table.columns, source)


async def _read_back(target: Target, backup_id: str, key: bytes, table: TableOf, digest: bytes) -> None:
    place = targets.place(backup_id, targets.DATABASE, table.name)
    found = blake3()
    context = completes.table_context(backup_id, table.name)
    async with aclosing(targets.unsealed(target, place, key, context)) as pieces:
        async for piece in pieces:
            found.update(piece)
    if found.digest() != digest:
        message = f"Table {table.name} was read back from {target.name} as something else. Run the backup again."
        raise BackupFailed(message)
