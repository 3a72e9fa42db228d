"""Put jobs into the table, look at them, cancel and retry them: what the API and the features may do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from archive import log
from archive.db import now, send_after_commit
from archive.errors import Conflict, NotFound
from archive.events.service import publish
from archive.ids import new_id
from archive.models import Job, Worker
from archive.queue.document import document
from archive.queue.wake import Wake

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models.base import Json
    from archive.queue.kinds import Kind

# A worker not heard of for this long is taken for gone.
WORKER_SILENT_AFTER = timedelta(seconds=20)
ENDED = ("done", "failed", "cancelled", "quarantined")


async def enqueue(
    session: AsyncSession,
    kind: Kind,
    args: Json | None = None,
    *,
    key: str | None = None,
    library_id: UUID | None = None,
    delay: timedelta = timedelta(0),
) -> UUID | None:
    """Insert a job in the caller's transaction; its wake-up leaves after the commit.

    With a ``key``, an unfinished job of the same kind and key stands for this one, and nothing (None) is added.
    """
    statement = (
        insert(Job)
        .values(
            id=new_id(),
            kind=kind.name,
            queue=kind.queue,
            key=key,
            args=args or {},
            library_id=library_id,
            request_id=log.bound("request_id"),
            priority=kind.priority,
            max_attempts=kind.max_attempts,
            run_after=func.clock_timestamp() + delay,
        )
        .on_conflict_do_nothing()
        .returning(Job.id)
    )
    job_id = await session.scalar(statement)
    if job_id and not delay:
        send_after_commit(session, Wake(kind.queue, job_id))
    return job_id


async def ensure(session: AsyncSession, kind: Kind, key: str) -> Job:
    """Give the unfinished job of this key, added now if there is none."""
    unfinished = select(Job).where(Job.kind == kind.name, Job.key == key, Job.state.in_(("ready", "running")))
    while True:
        job_id = await enqueue(session, kind, key=key)
        if job_id is not None:
            return await get(session, job_id)
        # It may have ended since; then there is room for a new one.
        if (job := await session.scalar(unfinished)) is not None:
            return job


async def cancel(session: AsyncSession, job_id: UUID) -> Job:
    """Cancel a job: at once while it waits; a running one is asked to stop, which it does at its next heartbeat."""
    job = await _locked(session, job_id)
    if job.state in ENDED:
        message = f"This job is already {job.state}; only waiting and running jobs can be cancelled."
        raise Conflict(message)
    job.cancel_requested = True
    if job.state == "ready":
        job.state, job.finished_at = "cancelled", now()
    await session.flush()
    publish(session, "job", document(job), job.library_id)
    return job


async def retry(session: AsyncSession, job_id: UUID) -> Job:
    """Let an ended job that did not succeed run again, with its attempts and crashes forgotten."""
    job = await _locked(session, job_id)
    if job.state not in {"failed", "cancelled", "quarantined"}:
        message = f"This job is {job.state}; only failed, cancelled and quarantined jobs can be retried."
        raise Conflict(message)
    try:
        # The index on unfinished keys decides, so that nobody can add the same work at the same time.
        async with session.begin_nested():
            job.state, job.run_after, job.finished_at, job.error = "ready", func.clock_timestamp(), None, None
            job.attempts, job.crashes, job.cancel_requested = 0, 0, False
    except IntegrityError as error:
        message = "The same work is already waiting or running as another job; follow that one."
        raise Conflict(message) from error
    await session.refresh(job, ["run_after"])
    publish(session, "job", document(job), job.library_id)
    send_after_commit(session, Wake(job.queue, job.id))
    return job


async def get(session: AsyncSession, job_id: UUID) -> Job:
    """Find a job."""
    job = await session.get(Job, job_id)
    if job is None:
        raise NotFound("job")
    return job


async def page(
    session: AsyncSession, *, state: str | None, kind: str | None, before: UUID | None, limit: int
) -> list[Job]:
    """List jobs, newest first."""
    statement = select(Job).order_by(Job.id.desc()).limit(limit)
    for column, wanted in ((Job.state, state), (Job.kind, kind)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if before is not None:
        statement = statement.where(Job.id < before)
    return list(await session.scalars(statement))


async def summary(session: AsyncSession) -> dict[str, dict[str, int]]:
    """Count jobs by kind and state."""
    counts: dict[str, dict[str, int]] = {}
    rows = await session.execute(select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state))
    for kind, state, count in rows:
        counts.setdefault(kind, {})[state] = count
    return dict(sorted(counts.items()))


async def oldest_wait(session: AsyncSession) -> float:
    """Say for how many seconds the job that has waited longest could have run."""
    oldest = select(func.clock_timestamp() - func.min(Job.run_after)).where(
        Job.state == "ready", Job.run_after <= func.clock_timestamp()
    )
    waited = await session.scalar(oldest)
    return waited.total_seconds() if waited else 0.0


async def live_workers(session: AsyncSession) -> int:
    """Count the workers heard of lately."""
    heard = (
        select(func.count()).select_from(Worker).where(Worker.seen_at > func.clock_timestamp() - WORKER_SILENT_AFTER)
    )
    return await session.scalar(heard) or 0


async def prune(session: AsyncSession, older_than: timedelta) -> int:
    """Forget jobs that ended well or were cancelled long ago; failures stay until somebody looks at them."""
    old = delete(Job).where(Job.state.in_(("done", "cancelled")), Job.finished_at < func.clock_timestamp() - older_than)
    return len((await session.scalars(old.returning(Job.id))).all())


async def _locked(session: AsyncSession, job_id: UUID) -> Job:
    job = await session.get(Job, job_id, with_for_update=True)
    if job is None:
        raise NotFound("job")
    return job
