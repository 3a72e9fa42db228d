"""Fold the changes that triggers noted into the counts of days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('tagphoto.fold'))")
# One statement: whoever counts meanwhile sees all of a change where it was or all of it where it is now. Libraries are
# held while it lasts, so that none is deleted between the look at it and the row that refers to it; what was noted of a
# library that is gone by now is dropped.
_FOLD = text("""
WITH taken AS (
    DELETE FROM timeline_change RETURNING library_id, day, kind, archived, assets
), present AS (
    SELECT id FROM library WHERE id IN (SELECT library_id FROM taken) ORDER BY id FOR KEY SHARE
)
INSERT INTO timeline_day AS kept (library_id, day, kind, archived, assets)
SELECT library_id, day, kind, archived, sum(assets)
FROM taken JOIN present ON present.id = taken.library_id
GROUP BY library_id, day, kind, archived
HAVING sum(assets) <> 0
ON CONFLICT (library_id, day, kind, archived) DO UPDATE SET assets = kept.assets + excluded.assets
""")
_EMPTY = text("DELETE FROM timeline_day WHERE assets = 0")


async def fold(session: AsyncSession) -> None:
    """Fold what was noted so far. One at a time: two would wait for each other's rows in whatever order."""
    await session.execute(_LOCK)
    await session.execute(_FOLD)
    await session.execute(_EMPTY)
