"""The reconciler: finds what the bell did not ring for, leases that ran out, and periodic work that is due.

One runs beside every supervisor; an advisory lock lets one of them act at a time. Each tick is cheap when all is well.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import redis
from sqlalchemy import func, select

from archive import log
from archive.models import Job
from archive.queue import claims
from archive.queue.service import enqueue
from archive.queue.wake import Bell, Wake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.db import Database
    from archive.queue.kinds import Kind

# At most this many wake-ups wait on a queue because of us: the table holds the rest.
_WINDOW = 500
_PAUSE = 1.0
_log = log.get("reconciler")


async def run(database: Database, bell: Bell, kinds: Mapping[str, Kind]) -> None:
    """Tick until cancelled. A database or Redis that is away is waited for.

    While the database is away nobody can renew a lease. So once it is back, no lease counts as run out before its
    worker has had the time of one to renew it.
    """
    clock, longest = asyncio.get_running_loop().time, max(kind.lease for kind in kinds.values()).total_seconds()
    reclaim_from = clock()
    while True:
        try:
            await tick(database, bell, kinds, reclaim=clock() >= reclaim_from)
        except redis.RedisError as error:
            _log.warning("reconciler.waiting", error=_line(error))
        except Exception as error:  # noqa: BLE001  # nobody would start this task again
            _log.warning("reconciler.waiting", error=_line(error))
            reclaim_from = clock() + longest
        await asyncio.sleep(_PAUSE)


def _line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]


async def tick(database: Database, bell: Bell, kinds: Mapping[str, Kind], *, reclaim: bool = True) -> None:
    """Set right what is wrong now."""
    async with database.transaction() as session:
        if not await session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtext("tagphoto.reconciler")))):
            return
        for job in await claims.reclaim(session) if reclaim else ():
            _log.warning("job.lease_ran_out", job=str(job.id), kind=job.kind, state=job.state, crashes=job.crashes)
        for kind in kinds.values():
            if kind.every and await _due(session, kind):
                await enqueue(session, kind, key="periodic")
        missing = await _runnable(session, kinds)
    await asyncio.to_thread(_ring_missing, bell, missing)


async def _due(session: AsyncSession, kind: Kind) -> bool:
    lately = Job.created_at >= func.clock_timestamp() - kind.every
    last = select(Job.id).where(Job.kind == kind.name, Job.key == "periodic", lately)
    return await session.scalar(last.limit(1)) is None


async def _runnable(session: AsyncSession, kinds: Mapping[str, Kind]) -> dict[str, int]:
    """Count, up to the window, the jobs a worker could take now, by queue. Kinds at their limit are not among them."""
    running = dict(
        (await session.execute(select(Job.kind, func.count()).where(Job.state == "running").group_by(Job.kind))).all()
    )
    free = [kind.name for kind in kinds.values() if kind.limit is None or running.get(kind.name, 0) < kind.limit]
    counts = {}
    for queue in {kind.queue for kind in kinds.values()}:
        ready = select(Job.id).where(
            Job.state == "ready", Job.queue == queue, Job.kind.in_(free), Job.run_after <= func.clock_timestamp()
        )
        counts[queue] = await session.scalar(select(func.count()).select_from(ready.limit(_WINDOW).subquery())) or 0
    return counts


def _ring_missing(bell: Bell, runnable: dict[str, int]) -> None:
    for queue, count in runnable.items():
        if count and (missing := count - bell.waiting(queue)) > 0:
            bell.ring([Wake(queue)] * missing)
