"""Keep the timeline's counts short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive.timeline import folding

if TYPE_CHECKING:
    from archive.runtime import Runtime
    from archive.work import Work


async def fold(_runtime: Runtime, work: Work) -> None:
    """Fold the changes of counts into the counts of days."""
    async with work.transaction(finish=True) as session:
        await folding.fold(session)
