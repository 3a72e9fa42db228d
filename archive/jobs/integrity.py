"""Verify, heal, mirror, sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from archive.integrity import verifying

if TYPE_CHECKING:
    from archive.runtime import Runtime
    from archive.work import Work


async def verify(runtime: Runtime, work: Work) -> None:
    """Read back what was received, by another process than received it."""
    await verifying.verify_file(runtime.database, runtime.vault, UUID(work.args["file"]))
