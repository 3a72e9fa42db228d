"""Claim one job, run its handler, renew its lease meanwhile, and record how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from archive import log
from archive.errors import TagphotoError
from archive.queue import claims
from archive.queue.claims import Claim, LeaseLost
from archive.queue.wake import Wake
from archive.work import Job, Work

if TYPE_CHECKING:
    from archive.db import Database
    from archive.runtime import Runtime

T = TypeVar("T")
_log = log.get("worker")
_BEAT = 2.0
# How often the end of a job is recorded anew while the database is away: about half a minute.
_TRIES = 30
# What is no fault of the job: the database is away, or every connection of this process is in use.
_AWAY = (DBAPIError, PoolTimeout, asyncpg.InterfaceError, OSError)


class JobRunner:
    """Runs jobs on one event loop, one at a time."""

    def __init__(self, runtime: Runtime, jobs: Mapping[str, Job], queues: Sequence[str], name: str) -> None:
        self.name = name
        self.queues = queues
        self._runtime = runtime
        self._jobs = jobs
        self._kinds = {job_name: job.kind for job_name, job in jobs.items()}
        self._running: asyncio.Future[None] | None = None
        self._stopping = False

    async def run_one(self) -> bool:
        """Claim the best ready job and run it to an end. Says whether there was one."""
        if self._stopping:
            return False
        claim = await claims.claim(self._runtime.database, self._kinds, self.queues, self.name)
        if claim is None:
            return False
        log.clear()
        log.bind(job=str(claim.job_id), kind=claim.kind.name, request_id=claim.request_id)
        started = asyncio.get_running_loop().time()
        outcome = await self._run(claim)
        seconds = round(asyncio.get_running_loop().time() - started, 3)
        _log.info("job." + outcome, attempt=claim.attempt, seconds=seconds)
        log.clear()
        if claim.kind.limit is not None:
            # A place became free: whoever waited for it was passed over when its own bell rang.
            await self._runtime.bell.deliver([Wake(claim.kind.queue)])
        return True

    def stop(self) -> None:
        """Interrupt the running job; it goes back to the queue for another worker."""
        self._stopping = True
        if self._running is not None:
            self._running.cancel()

    async def _run(self, claim: Claim) -> str:
        if self._stopping:  # told so while the claim was made
            return await self._record(lambda: self._interrupted(claim, asked_to_stop=False))
        work = Work(self._runtime.database, claim)
        self._running = asyncio.ensure_future(self._jobs[claim.kind.name].handler(self._runtime, work))
        beats = asyncio.create_task(_renew_lease(self._runtime.database, claim, self._running))
        try:
            await self._running
            await _patiently(work.finish)
        except LeaseLost:
            return "lease_lost"
        except asyncio.CancelledError:
            asked_to_stop = beats.done() and not beats.cancelled() and beats.result()
            return await self._record(lambda: self._interrupted(claim, asked_to_stop=asked_to_stop))
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is recorded on its job
            if not isinstance(error, TagphotoError):
                _log.error("job.raised", exc_info=error)
            failure = error
            return await self._record(lambda: self._failed(claim, failure))
        finally:
            self._running = None
            beats.cancel()
        return "done"

    async def _record(self, record: Callable[[], Awaitable[str]]) -> str:
        try:
            return await _patiently(record)
        except LeaseLost:
            return "lease_lost"

    async def _interrupted(self, claim: Claim, *, asked_to_stop: bool) -> str:
        async with self._runtime.database.transaction() as session:
            if asked_to_stop:
                await claims.cancelled(session, claim)
                return "cancelled"
            state = await claims.give_back(session, claim)
        return "given_back" if state == "ready" else state

    async def _failed(self, claim: Claim, error: Exception) -> str:
        async with self._runtime.database.transaction() as session:
            state = await claims.fail(session, claim, error)
        return "will_retry" if state == "ready" else state


async def _renew_lease(database: Database, claim: Claim, running: asyncio.Future[None]) -> bool:
    """Renew until told to stop or the lease is lost; both end the handler. True says it was asked to stop."""
    pause = min(_BEAT, claim.kind.lease.total_seconds() / 3)
    while True:
        await asyncio.sleep(pause)
        try:
            async with database.transaction() as session:
                asked_to_stop = await claims.renew(session, claim)
        except LeaseLost:
            running.cancel()
            return False
        except Exception as error:  # noqa: BLE001  # the database may be restarting; a lease outlives a few beats
            _log.warning("lease.not_renewed", error=str(error).split("\n", 1)[0])
            continue
        if asked_to_stop:
            running.cancel()
            return True


async def _patiently(write: Callable[[], Awaitable[T]]) -> T:
    """Write how a job ended, again and again while the database is away; its work is not thrown away for that."""
    for _ in range(_TRIES):
        try:
            return await write()
        except _AWAY as error:
            _log.warning("job.end_not_recorded", error=str(error).split("\n", 1)[0])
            await asyncio.sleep(1)
    return await write()
