"""Uploads that somebody has to end: those that have all their bytes, and those that nobody went on with."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from archive.uploads import finishing

if TYPE_CHECKING:
    from archive.runtime import Runtime
    from archive.work import Work


async def finish(runtime: Runtime, work: Work) -> None:
    """Finish an upload whose last request did not live to do so."""
    await finishing.finish_by_job(runtime.intake, UUID(work.args["upload"]))
