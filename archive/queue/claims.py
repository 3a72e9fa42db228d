"""Claim, hold, finish and fail jobs: what workers do. Every write is fenced.

A claim raises the job's fence. Whoever writes for the job says under which fence; a worker that was frozen, cut off or
taken for dead finds its fence old, and whatever it wanted to write is rolled back.
"""

from __future__ import annotations

import random
import secrets
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from archive.db import now, send_after_commit
from archive.errors import TagphotoError
from archive.events.service import publish
from archive.models import Job
from archive.queue.document import document
from archive.queue.wake import Wake

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.db import Database
    from archive.models.base import Json
    from archive.queue.kinds import Kind

# A job that kills its worker this often is set apart, so that it cannot take the queue down with it.
CRASHES_ALLOWED = 3
_BACKOFF = timedelta(seconds=2)
_BACKOFF_MOST = timedelta(minutes=10)
_ERROR_LENGTH = 2000


class LeaseLost(TagphotoError):
    """The job belongs to somebody else by now; nothing may be written for it."""

    def __init__(self) -> None:
        super().__init__("The lease of this job was lost: another worker may have it.")


class Permanent(TagphotoError):
    """Trying again cannot help; the job fails at once."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker."""

    job_id: UUID
    kind: Kind
    args: Json
    fence: int
    attempt: int
    library_id: UUID | None
    request_id: str | None

    def holds(self) -> list[ColumnElement[bool]]:
        """Say, in SQL, that this claim still stands."""
        return [Job.id == self.job_id, Job.fence == self.fence, Job.state == "running"]


async def claim(database: Database, kinds: Mapping[str, Kind], queues: Iterable[str], worker: str) -> Claim | None:
    """Take the best ready job of these queues: lowest priority number first, then the oldest. None if there is none."""
    full: set[str] = set()
    while True:
        async with database.transaction() as session:
            job = await _best_ready(session, kinds.keys() - full, queues)
            if job is None:
                return None
            kind = kinds[job.kind]
            if kind.limit is None or await _below_limit(session, kind):
                return await _take(session, job, kind, worker)
            full.add(kind.name)


async def _best_ready(session: AsyncSession, kinds: Iterable[str], queues: Iterable[str]) -> Job | None:
    ready = (
        select(Job)
        .where(
            Job.state == "ready",
            Job.queue.in_(list(queues)),
            Job.kind.in_(list(kinds)),
            Job.run_after <= func.clock_timestamp(),
        )
        .order_by(Job.priority, Job.run_after, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(ready)).one_or_none()


async def _below_limit(session: AsyncSession, kind: Kind) -> bool:
    # The lock makes two workers count one after the other; otherwise both would see the last free place.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"tagphoto.kind.{kind.name}"))))
    statement = select(func.count()).where(Job.kind == kind.name, Job.state == "running")
    running = (await session.execute(statement)).scalar_one()
    return int(running) < (kind.limit or 0)


async def _take(session: AsyncSession, job: Job, kind: Kind, worker: str) -> Claim:
    job.state, job.worker, job.error = "running", worker, None
    job.fence += 1
    job.attempts += 1
    # Leases are reckoned by the database's clock alone: hosts may disagree about the time.
    job.lease_until = func.clock_timestamp() + kind.lease
    job.started_at = now()
    job.progress_done = job.progress_total = job.progress_message = None
    await session.flush()
    publish(session, "job", document(job), job.library_id)
    return Claim(job.id, kind, job.args, job.fence, job.attempts, job.library_id, job.request_id)


async def renew(session: AsyncSession, claim: Claim) -> bool:
    """Renew the lease. Says whether the job was asked to stop; raises if it is no longer ours."""
    renewal = update(Job).where(*claim.holds()).values(lease_until=func.clock_timestamp() + claim.kind.lease)
    asked: bool | None = await session.scalar(renewal.returning(Job.cancel_requested))
    if asked is None:
        raise LeaseLost
    return asked


async def hold(session: AsyncSession, claim: Claim) -> Job:
    """Lock the job for the rest of the transaction, or fail: what else the transaction wrote then never happened."""
    job = (await session.scalars(select(Job).where(*claim.holds()).with_for_update())).one_or_none()
    if job is None:
        raise LeaseLost
    return job


async def advance(session: AsyncSession, claim: Claim, done: int, total: int, message: str | None) -> None:
    """Show how far the job is."""
    job = await hold(session, claim)
    job.progress_done, job.progress_total, job.progress_message = done, total, message
    await session.flush()
    publish(session, "job", document(job), job.library_id)


async def finish(session: AsyncSession, claim: Claim) -> None:
    """Mark the job done, in the same transaction as its last writes. In one statement: so nearly all jobs end."""
    done = {"state": "done", "error": None, "finished_at": now(), "lease_until": None, "fence": Job.fence + 1}
    ended = update(Job).where(*claim.holds()).values(done).returning(Job).execution_options(populate_existing=True)
    job = await session.scalar(ended)
    if job is None:
        raise LeaseLost
    publish(session, "job", document(job), job.library_id)


async def cancelled(session: AsyncSession, claim: Claim) -> None:
    """Mark the job cancelled: it stopped because it was asked to."""
    await _end(session, await hold(session, claim), "cancelled", None)


async def fail(session: AsyncSession, claim: Claim, error: Exception) -> str:
    """Record a failure: another attempt after a pause, or the end. Gives the new state."""
    job = await hold(session, claim)
    written = (str(error) if isinstance(error, TagphotoError) else f"{type(error).__name__}: {error}")[:_ERROR_LENGTH]
    if isinstance(error, Permanent) or job.attempts >= job.max_attempts:
        await _end(session, job, "failed", written)
    elif job.cancel_requested:
        await _end(session, job, "cancelled", written)
    else:
        await _back_to_ready(session, job, written, backoff(job.attempts))
    return job.state


async def give_back(session: AsyncSession, claim: Claim) -> str:
    """Return a job whose worker is being stopped; the interruption counts neither as attempt nor as crash.

    One that was asked to cancel, and had not heard of it yet, has come to its end. Gives the new state.
    """
    job = await hold(session, claim)
    job.attempts -= 1
    if job.cancel_requested:
        await _end(session, job, "cancelled", None)
    else:
        await _back_to_ready(session, job, None, timedelta(0))
    return job.state


async def reclaim(session: AsyncSession, *, worker: str | None = None) -> list[Job]:
    """Take running jobs away: those whose lease ran out, or all of a worker that is known to be dead."""
    lost = select(Job).where(Job.state == "running").with_for_update(skip_locked=True)
    lost = lost.where(Job.worker == worker) if worker else lost.where(Job.lease_until < func.clock_timestamp())
    jobs = list(await session.scalars(lost))
    for job in jobs:
        job.crashes += 1
        job.attempts -= 1  # a crash is counted as a crash, not as an attempt too
        if job.cancel_requested:
            await _end(session, job, "cancelled", "The worker stopped while cancelling.")
        elif job.crashes >= CRASHES_ALLOWED:
            await _end(session, job, "quarantined", f"Its worker died {job.crashes} times while running it.")
        else:
            await _back_to_ready(session, job, "Its worker died or was cut off.", backoff(job.crashes) / 2)
    return jobs


def worker_name(pid: int) -> str:
    """Name a worker by its process, where nobody has given it a name of its own."""
    return f"{socket.gethostname()}-{pid}"


def new_worker_name() -> str:
    """Make a name for a worker that none had before: process ids come again, in containers with every start."""
    return f"{socket.gethostname()}-{secrets.token_hex(4)}"


def backoff(attempt: int) -> timedelta:
    """Pause twice as long after each failure, with jitter so that failures do not return in step."""
    doubled: int = 2 ** min(attempt - 1, 20)
    pause = min(_BACKOFF * doubled, _BACKOFF_MOST)
    return pause * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, keeps no secret


async def _end(session: AsyncSession, job: Job, state: str, error: str | None) -> None:
    job.state, job.error, job.finished_at, job.lease_until = state, error, now(), None
    # A new fence shuts out whoever still believes to hold the job.
    job.fence += 1
    await session.flush()
    publish(session, "job", document(job), job.library_id)


async def _back_to_ready(session: AsyncSession, job: Job, error: str | None, pause: timedelta) -> None:
    job.state, job.error, job.lease_until, job.worker = "ready", error, None, None
    # By the database's clock, like leases: claims compare with it.
    job.run_after = func.clock_timestamp() + pause
    job.fence += 1
    await session.flush()
    await session.refresh(job, ["run_after"])
    publish(session, "job", document(job), job.library_id)
    if not pause:
        send_after_commit(session, Wake(job.queue, job.id))


__all__ = [
    "CRASHES_ALLOWED",
    "Claim",
    "LeaseLost",
    "Permanent",
    "advance",
    "backoff",
    "cancelled",
    "claim",
    "fail",
    "finish",
    "give_back",
    "hold",
    "new_worker_name",
    "reclaim",
    "renew",
    "worker_name",
]
