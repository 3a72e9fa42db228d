"""Verify, heal, mirror, delete, sweep."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from archive.integrity import healing, mirroring, scrubbing, sweeping, verifying
from archive.integrity.verifying import Examination
from archive.queue import kinds
from archive.queue.service import enqueue

if TYPE_CHECKING:
    from archive.integrity.scrubbing import Plan
    from archive.runtime import Runtime
    from archive.work import Work

# The scrub goes on with what is not healed by then.
_HEALING = 60.0


async def verify(runtime: Runtime, work: Work) -> None:
    """Read back what was received, by another process than received it."""
    vault = runtime.vault
    examination = Examination(vault.store, await mirroring.usable(vault))
    if await verifying.verify_file(work.transaction, vault.keys, examination, UUID(work.args["file"])):
        await healing.heal_all(work.transaction, vault.keys, examination, _HEALING)


async def scrub(runtime: Runtime, work: Work) -> None:
    """Verify for some minutes: what is due, or, when somebody asked for it, everything from that moment on."""
    plan = await _plan(runtime, work)
    if plan is None:
        await scrubbing.heal(work.transaction, runtime.vault, runtime.settings.scrub_rate)
        return

    async def show(done: int, total: int) -> None:
        await work.progress(done, total, "bytes verified")

    report = await scrubbing.run(work.transaction, runtime.vault, plan, show)
    if "since" in work.args and not report.complete:
        async with work.transaction(finish=True) as session:
            # The next one goes on. Without a key, for this job's is taken as long as it runs.
            await enqueue(session, kinds.SCRUB, work.args)


async def _plan(runtime: Runtime, work: Work) -> Plan | None:
    rate = runtime.settings.scrub_rate
    if "since" in work.args:
        since = datetime.fromisoformat(work.args["since"])
        return scrubbing.plan_everything(since, rate, scrubbing.LONGEST.total_seconds())
    async with runtime.database.transaction() as session:
        return await scrubbing.plan_run(session, runtime.settings.scrub_days, rate)


async def mirror(runtime: Runtime, work: Work) -> None:
    """Copy to the mirror what it lacks."""
    await mirroring.run(work.transaction, runtime.vault, mirroring.LONGEST.total_seconds())


async def delete(runtime: Runtime, work: Work) -> None:
    """Delete what was purged an hour ago."""
    await sweeping.delete_due(work.transaction, runtime.vault)


async def sweep(runtime: Runtime, work: Work) -> None:
    """Look for objects that nobody knows."""
    for swept in await sweeping.sweep(work.transaction, runtime.vault):
        await work.progress(swept.objects, swept.objects, f"{swept.place}: {swept.strays} unknown")
