"""Destroy what has been in the trash long enough, or what somebody wants gone now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from archive.assets import service as assets

if TYPE_CHECKING:
    from archive.runtime import Runtime
    from archive.work import Work


async def purge(runtime: Runtime, work: Work) -> None:
    """Destroy what the trash has kept for its days, some hundred a transaction."""
    kept = timedelta(days=runtime.settings.trash_days)
    destroyed = 1
    while destroyed:
        async with work.transaction() as session:
            destroyed = await assets.purge_old(session, kept)


async def empty_trash(_runtime: Runtime, work: Work) -> None:
    """Destroy what was in a library's trash when somebody emptied it."""
    library_id, until = UUID(work.args["library"]), datetime.fromisoformat(work.args["until"])
    destroyed = 1
    while destroyed:
        async with work.transaction() as session:
            destroyed = await assets.purge_trash(session, library_id, until)
