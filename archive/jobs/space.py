"""Make originals smaller, prove them, let formers go, preview."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from archive.backups import service as backups
from archive.space import mending, previewing, recompressing, retiring, savings

if TYPE_CHECKING:
    from archive.runtime import Runtime
    from archive.work import Work


async def recompress(runtime: Runtime, work: Work) -> None:
    """Make smaller what is due, for some minutes."""
    rules = recompressing.Rules(runtime.settings.space, runtime.settings.former_days)

    async def show(done: int, total: int) -> None:
        await work.progress(done, total, "originals looked at")

    await recompressing.run(work.transaction, runtime.giver, rules, show)


async def prove(runtime: Runtime, work: Work) -> None:
    """Find out whether a form gives back what was received, and mend what does not."""
    await mending.prove(work.transaction, runtime.giver, UUID(work.args["file"]))


async def retire(runtime: Runtime, work: Work) -> None:
    """Let formers go that nothing keeps, and note how much every library has today."""
    settings = runtime.settings
    plan = backups.Plan(settings.backup_url, timedelta(hours=settings.backup_hours), settings.backup_keep)
    safety = retiring.Safety(runtime.vault.mirror is not None, plan.target)
    await retiring.run(work.transaction, runtime.giver, safety)
    async with work.transaction() as session:
        await savings.note_day(session)


async def preview(runtime: Runtime, work: Work) -> None:
    """Find out what each level would save on some assets."""
    await previewing.run(work.transaction, runtime.giver, UUID(work.args["preview"]))
