"""Restored rows settle in: what was of the moment of the backup is set right, and what was deleted since goes."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from archive.backups import target as targets
from archive.models import Usage
from archive.usage import service as usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from archive.backups.complete import Complete
    from archive.backups.target import Target

# Uploads go on from their offset, whose objects are in the backup too; jobs begin anew; another store was verified by
# nobody yet, and another mirror has nothing.
_MOMENT = (
    "UPDATE upload SET writing_until = NULL, fence = fence + 1 WHERE state = 'open'",
    """UPDATE job SET state = 'ready', worker = NULL, lease_until = NULL, fence = fence + 1,
    run_after = clock_timestamp() WHERE state = 'running'""",
    "UPDATE object SET verified_at = NULL, mirrored_at = NULL, damage = NULL, damaged_at = NULL",
    """UPDATE backup SET state = 'failed', finished_at = clock_timestamp(), error = 'It was cut off.'
    WHERE state = 'running' AND id <> :id""",
    """UPDATE backup SET state = 'restoring', finished_at = clock_timestamp(), objects = :objects, bytes = :bytes,
    new_objects = :new_objects, new_bytes = :new_bytes, missing = :missing, proof = :proof WHERE id = :id""",
)
_NUMBERED = """SELECT table_name, column_name FROM information_schema.columns
WHERE is_identity = 'YES' AND table_schema = current_schema()"""
_GONE = "CREATE TEMPORARY TABLE gone (file_id uuid PRIMARY KEY, library_id uuid NOT NULL) ON COMMIT DROP"
_PURGE = (
    "INSERT INTO gone SELECT file_id, library_id FROM tombstone ON CONFLICT DO NOTHING",
    # Its other forms, of which this backup may know more than the tombstones' archive had at its end.
    """INSERT INTO gone SELECT form.file_id, asset.library_id FROM form JOIN asset ON asset.id = form.asset_id
    JOIN gone ON gone.file_id = asset.original_id ON CONFLICT DO NOTHING""",
    """INSERT INTO gone SELECT rendition.file_id, asset.library_id FROM rendition
    JOIN asset ON asset.id = rendition.asset_id JOIN gone ON gone.file_id = asset.original_id ON CONFLICT DO NOTHING""",
    "DELETE FROM rendition USING gone WHERE rendition.file_id = gone.file_id",
    """UPDATE upload SET state = 'gone', file_id = NULL,
    reason = '{"detail": "what it became was deleted"}' FROM gone WHERE upload.file_id = gone.file_id""",
    """INSERT INTO deletion (key, due_at) SELECT object.key, clock_timestamp() + interval '1 hour'
    FROM object JOIN gone USING (file_id) ON CONFLICT DO NOTHING""",
    "DELETE FROM object USING gone WHERE object.file_id = gone.file_id",
    "DELETE FROM file USING gone WHERE file.id = gone.file_id",
    "INSERT INTO tombstone (file_id, library_id) SELECT file_id, library_id FROM gone ON CONFLICT DO NOTHING",
)
_ASSETS = "DELETE FROM asset USING gone WHERE asset.original_id = gone.file_id"


async def settle(
    connection: AsyncConnection,
    driver: Any,  # noqa: ANN401  # asyncpg has no types
    target: Target,
    complete: Complete,
    tombstones: str | None,
) -> int:
    """Set restored rows right; gives how many assets were deleted since and stay so."""
    figures = {name: getattr(complete, name) for name in ("id", "objects", "bytes", "new_objects", "new_bytes")}
    figures |= {"missing": len(complete.missing), "proof": complete.verified}
    for statement in _MOMENT:
        wanted = {name: value for name, value in figures.items() if f":{name}" in statement}
        await connection.execute(text(statement), wanted)
    for table, column in (await connection.execute(text(_NUMBERED))).all():
        following = f'(SELECT coalesce(max("{column}"), 0) + 1 FROM "{table}")'
        await connection.execute(
            text(f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'), {following}, false)")
        )
    return await _purge(connection, driver, target, tombstones)


async def _purge(connection: AsyncConnection, driver: Any, target: Target, tombstones: str | None) -> int:  # noqa: ANN401
    await connection.execute(text(_GONE))
    if tombstones:
        async with aclosing(_content(target, tombstones)) as source:
            await driver.copy_to_table("gone", source=source, format="text", delimiter=" ")
    first, forms, derived, *rest = _PURGE
    for statement in (first, forms, derived):
        await connection.execute(text(statement))
    deleted = (await connection.execute(text(_ASSETS))).rowcount
    for statement in rest:
        await connection.execute(text(statement))
    async with AsyncSession(bind=connection) as session:
        libraries = await connection.execute(text("SELECT DISTINCT library_id FROM gone"))
        for (library_id,) in libraries.all():
            if (row := await session.get(Usage, library_id)) is not None:
                row.originals, row.renditions, row.trash = await usage.recount(session, library_id)
        await session.flush()
    return deleted


async def _content(target: Target, key: str) -> AsyncGenerator[bytes, None]:
    async for line in targets.lines(target, key):
        yield line.encode() + b"\n"
