"""The jobs table: claims, fences, retries, limits, cancelling, and what the admins see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import asyncpg
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import create_async_engine

from archive import log
from archive.db import Database, now
from archive.errors import Conflict
from archive.jobs import JOBS
from archive.models import Job
from archive.queue import claims, kinds, reconcile
from archive.queue import service as queue
from archive.queue.claims import Claim, LeaseLost, Permanent
from archive.queue.kinds import Kind
from archive.queue.wake import Bell
from archive.runtime import Runtime
from archive.settings import Addresses
from archive.work import Handler, Work, with_handlers
from archive.work import Job as JobOf
from archive.worker.runner import JobRunner
from tests.conftest import MakePerson
from tests.support.people import code_of

PLAIN = Kind("test.plain")
URGENT = Kind("test.urgent", priority=1)
SINGLE = Kind("test.single", limit=1)
BY_NAME = {kind.name: kind for kind in (PLAIN, URGENT, SINGLE)}


async def add(runtime: Runtime, kind: Kind = PLAIN, **more: object) -> Job:
    async with runtime.database.transaction() as session:
        job_id = await queue.enqueue(session, kind, **more)  # type: ignore[arg-type]
        assert job_id is not None
        return await queue.get(session, job_id)


async def look(runtime: Runtime, job: Job | Claim) -> Job:
    async with runtime.database.transaction() as session:
        return await queue.get(session, job.job_id if isinstance(job, Claim) else job.id)


async def take(runtime: Runtime, worker: str = "w1") -> Claim | None:
    return await claims.claim(runtime.database, BY_NAME, ["default"], worker)


async def taken(runtime: Runtime, worker: str = "w1") -> Claim:
    claim = await take(runtime, worker)
    assert claim is not None
    return claim


async def expire(runtime: Runtime, claim: Claim) -> None:
    async with runtime.database.transaction() as session:
        moment = now() - timedelta(seconds=1)
        await session.execute(update(Job).where(Job.id == claim.job_id).values(lease_until=moment))


async def run_with(runtime: Runtime, handler: Handler, kind: Kind = PLAIN) -> bool:
    return await JobRunner(runtime, with_handlers([kind], [JobOf(kind, handler)]), ["default"], "w1").run_one()


async def test_urgent_first_then_the_oldest(runtime: Runtime) -> None:
    added = [await add(runtime), await add(runtime), await add(runtime, URGENT)]
    order = [(await taken(runtime)).job_id for _ in added]
    assert order == [added[2].id, added[0].id, added[1].id]
    assert await take(runtime) is None


async def test_many_workers_take_each_job_once(runtime: Runtime) -> None:
    added = {(await add(runtime)).id for _ in range(20)}
    claimed = await asyncio.gather(*(take(runtime, f"w{number}") for number in range(25)))
    got = [claim.job_id for claim in claimed if claim]
    assert len(got) == len(set(got))
    assert set(got) <= added


async def test_a_limit_holds_however_many_ask_at_once(runtime: Runtime) -> None:
    for _ in range(4):
        await add(runtime, SINGLE)
    first = [claim for claim in await asyncio.gather(*(take(runtime, f"w{n}") for n in range(6))) if claim]
    assert len(first) == 1
    plain = await add(runtime)  # a full kind does not stop the others
    assert (await taken(runtime)).job_id == plain.id
    async with runtime.database.transaction() as session:
        await claims.finish(session, first[0])
    assert (await taken(runtime)).kind is SINGLE


async def test_an_unfinished_job_stands_for_the_same_work(runtime: Runtime) -> None:
    job = await add(runtime, key="same")
    async with runtime.database.transaction() as session:
        assert await queue.enqueue(session, PLAIN, key="same") is None
    claim = await taken(runtime)
    assert claim.job_id == job.id
    async with runtime.database.transaction() as session:
        await claims.finish(session, claim)
        assert await queue.enqueue(session, PLAIN, key="same") is not None


async def test_a_rolled_back_request_leaves_no_job_and_rings_no_bell(runtime: Runtime) -> None:
    with pytest.raises(RuntimeError):
        async with runtime.database.transaction() as session:
            await queue.enqueue(session, PLAIN)
            raise RuntimeError
    assert await take(runtime) is None
    await runtime.bell.drained()
    assert runtime.bell.waiting("default") == 0


async def test_a_committed_job_rings_once_and_carries_the_request_id(runtime: Runtime) -> None:
    log.bind(request_id="request-1")
    await add(runtime)
    log.clear()
    await runtime.bell.drained()
    assert runtime.bell.waiting("default") == 1
    assert (await taken(runtime)).request_id == "request-1"


async def test_redis_away_is_no_failure_and_the_reconciler_rings_later(runtime: Runtime) -> None:
    away = replace(
        runtime,
        database=type(runtime.database)(runtime.database.engine, type(runtime.bell)("redis://127.0.0.1:1").deliver),
    )
    await add(away)
    await runtime.bell.drained()
    assert runtime.bell.waiting("default") == 0
    await reconcile.tick(runtime.database, runtime.bell, BY_NAME)
    await runtime.bell.drained()
    assert runtime.bell.waiting("default") == 1
    await reconcile.tick(runtime.database, runtime.bell, BY_NAME)
    await runtime.bell.drained()
    assert runtime.bell.waiting("default") == 1  # once is enough


async def test_a_redis_that_accepts_and_does_not_answer_holds_no_commit_up(runtime: Runtime) -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    writers: list[asyncio.StreamWriter] = []
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        bell = Bell(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await add(replace(runtime, database=Database(runtime.database.engine, bell.deliver)))
        assert bell._ringing  # still, behind us
        await bell.drained()
        bell.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()
    assert await take(runtime)


async def test_flushall_loses_nothing(runtime: Runtime) -> None:
    for _ in range(3):
        await add(runtime)
    runtime.bell.connection.flushall()
    await reconcile.tick(runtime.database, runtime.bell, BY_NAME)
    await runtime.bell.drained()
    assert runtime.bell.waiting("default") == 3


async def test_a_lease_that_ran_out_gives_the_job_to_another_and_fences_the_first(runtime: Runtime) -> None:
    await add(runtime)
    first = await taken(runtime, "frozen")
    await expire(runtime, first)
    async with runtime.database.transaction() as session:
        (job,) = await claims.reclaim(session)
        job.run_after = now()
    second = await taken(runtime, "other")
    assert second.fence > first.fence
    for write in (claims.renew, claims.finish, claims.hold, claims.give_back):
        with pytest.raises(LeaseLost):
            async with runtime.database.transaction() as session:
                await write(session, first)
    async with runtime.database.transaction() as session:
        await claims.finish(session, second)
    assert ((await look(runtime, second)).state, (await look(runtime, second)).crashes) == ("done", 1)


async def test_a_renewed_lease_is_left_alone(runtime: Runtime) -> None:
    await add(runtime)
    claim = await taken(runtime)
    await expire(runtime, claim)
    async with runtime.database.transaction() as session:
        assert await claims.renew(session, claim) is False
    async with runtime.database.transaction() as session:
        assert await claims.reclaim(session) == []


async def test_what_kills_its_workers_is_set_apart(runtime: Runtime) -> None:
    await add(runtime)
    for _ in range(claims.CRASHES_ALLOWED):
        async with runtime.database.transaction() as session:
            await session.execute(update(Job).values(run_after=now()))
        await taken(runtime, "doomed")
        async with runtime.database.transaction() as session:
            (job,) = await claims.reclaim(session, worker="doomed")
    assert (job.state, job.crashes) == ("quarantined", 3)
    assert await take(runtime) is None


async def test_failures_are_retried_with_pauses_until_they_are_too_many(runtime: Runtime) -> None:
    job = await add(runtime, Kind("test.plain", max_attempts=2))

    async def broken(_runtime: Runtime, _work: Work) -> None:
        raise OSError("no such luck")

    assert await run_with(runtime, broken)
    job = await look(runtime, job)
    assert (job.state, job.error, job.attempts) == ("ready", "OSError: no such luck", 1)
    assert job.run_after > now()
    async with runtime.database.transaction() as session:
        await session.execute(update(Job).values(run_after=now()))
    assert await run_with(runtime, broken)
    assert (await look(runtime, job)).state == "failed"


async def test_a_permanent_failure_is_not_retried(runtime: Runtime) -> None:
    job = await add(runtime)

    async def hopeless(_runtime: Runtime, _work: Work) -> None:
        raise Permanent("this file is no picture")

    await run_with(runtime, hopeless)
    job = await look(runtime, job)
    assert (job.state, job.error) == ("failed", "this file is no picture")


@given(st.integers(1, 1000))
def test_pauses_grow_and_stay_below_their_ceiling(attempt: int) -> None:
    assert timedelta(seconds=1) <= claims.backoff(attempt) <= timedelta(minutes=10)


async def test_an_effect_and_its_end_are_one(runtime: Runtime) -> None:
    """What a handler writes under a lost lease never happened."""
    job = await add(runtime)

    async def robbed(runtime: Runtime, work: Work) -> None:
        async with runtime.database.transaction() as session:
            await session.execute(update(Job).where(Job.id == job.id).values(fence=99))
        async with work.transaction(finish=True) as session:
            await queue.enqueue(session, URGENT)

    await run_with(runtime, robbed)
    async with runtime.database.transaction() as session:
        assert (await session.scalars(select(Job.kind))).all() == [PLAIN.name]


async def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_when_it_hears_of_it(runtime: Runtime) -> None:
    waiting, running = await add(runtime, URGENT), await add(runtime)
    async with runtime.database.transaction() as session:
        assert (await queue.cancel(session, waiting.id)).state == "cancelled"
    began = asyncio.Event()

    async def endless(_runtime: Runtime, _work: Work) -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(run_with(runtime, endless))
    await began.wait()
    async with runtime.database.transaction() as session:
        assert (await queue.cancel(session, running.id)).state == "running"
    assert await task
    assert (await look(runtime, running)).state == "cancelled"


async def test_a_worker_told_to_stop_gives_its_job_back_uncounted(runtime: Runtime) -> None:
    job, began = await add(runtime), asyncio.Event()

    async def endless(_runtime: Runtime, _work: Work) -> None:
        began.set()
        await asyncio.Event().wait()

    runner = JobRunner(runtime, with_handlers([PLAIN], [JobOf(PLAIN, endless)]), ["default"], "w1")
    task = asyncio.create_task(runner.run_one())
    await began.wait()
    runner.stop()
    assert await task
    assert await runner.run_one() is False
    job = await look(runtime, job)
    assert (job.state, job.attempts, job.crashes) == ("ready", 0, 0)


async def test_a_worker_told_to_stop_while_it_claims_gives_the_job_back(runtime: Runtime) -> None:
    job = await add(runtime, SINGLE)

    async def never(_runtime: Runtime, _work: Work) -> None:
        raise AssertionError("it was told to stop")

    runner = JobRunner(runtime, with_handlers([SINGLE], [JobOf(SINGLE, never)]), ["default"], "w1")
    async with runtime.database.transaction() as session:
        # The lock under which places of a limited kind are counted: the claim waits for it.
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"tagphoto.kind.{SINGLE.name}"))))
        task = asyncio.create_task(runner.run_one())
        while not await session.scalar(text("SELECT true FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")):
            await asyncio.sleep(0.01)
        runner.stop()
    assert await task
    job = await look(runtime, job)
    assert (job.state, job.attempts, job.crashes) == ("ready", 0, 0)


async def test_a_cancelled_job_whose_worker_stops_does_not_run_again(runtime: Runtime) -> None:
    job, began = await add(runtime), asyncio.Event()

    async def endless(_runtime: Runtime, _work: Work) -> None:
        began.set()
        await asyncio.Event().wait()

    runner = JobRunner(runtime, with_handlers([PLAIN], [JobOf(PLAIN, endless)]), ["default"], "w1")
    task = asyncio.create_task(runner.run_one())
    await began.wait()
    async with runtime.database.transaction() as session:
        await queue.cancel(session, job.id)
    runner.stop()  # before its next heartbeat
    assert await task
    assert (await look(runtime, job)).state == "cancelled"


async def test_a_job_outlives_a_moment_in_which_every_connection_is_in_use(runtime: Runtime, narrow: Database) -> None:
    """Its lease is renewed afterwards, and so it hears that it was cancelled."""
    kind = Kind("test.plain", lease=timedelta(seconds=1.5))
    job, freed = await add(runtime, kind), asyncio.Event()

    async def greedy(runtime: Runtime, _work: Work) -> None:
        async with runtime.database.engine.connect():
            await asyncio.sleep(1)
        freed.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(run_with(replace(runtime, database=narrow), greedy, kind))
    await freed.wait()
    async with runtime.database.transaction() as session:
        await queue.cancel(session, job.id)
    async with asyncio.timeout(30):
        assert await task
    assert (await look(runtime, job)).state == "cancelled"


async def test_the_end_of_a_job_waits_for_a_connection(runtime: Runtime, narrow: Database) -> None:
    job = await add(runtime)
    others: list[asyncio.Task[None]] = []

    async def hold() -> None:
        async with narrow.engine.connect():
            held.set()
            await asyncio.sleep(0.5)

    async def quick(_runtime: Runtime, _work: Work) -> None:
        others.append(asyncio.create_task(hold()))
        await held.wait()

    held = asyncio.Event()
    assert await run_with(replace(runtime, database=narrow), quick)
    await asyncio.wait(others)
    assert (await look(runtime, job)).state == "done"


async def test_the_reconciler_outlives_a_moment_in_which_every_connection_is_in_use(
    runtime: Runtime, narrow: Database
) -> None:
    async with narrow.engine.connect():
        task = asyncio.create_task(reconcile.run(narrow, runtime.bell, BY_NAME))
        await asyncio.sleep(0.5)
    await add(runtime)
    runtime.bell.connection.flushall()
    async with asyncio.timeout(30):
        while not runtime.bell.waiting("default"):
            await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture
async def narrow(runtime: Runtime, addresses: Addresses) -> AsyncIterator[Database]:
    """The same database through one connection, for which nobody waits long."""
    connect = partial(asyncpg.connect, addresses.database)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, pool_size=1, max_overflow=0, pool_timeout=0.1
    )
    yield Database(engine, runtime.bell.deliver)
    await engine.dispose()


async def test_a_host_whose_clock_is_ahead_delays_no_job(runtime: Runtime) -> None:
    """The database's clock is an hour behind ours here, as it looks to such a host."""
    async with runtime.database.transaction() as session:
        await session.execute(
            text(
                "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
                "RETURN pg_catalog.clock_timestamp() - interval '1 hour'"
            )
        )
        name = await session.scalar(text("SELECT current_database()"))
        await session.execute(text(f"ALTER DATABASE {name} SET search_path = public, pg_catalog"))
    await runtime.database.engine.dispose()  # the setting is for new connections
    job = await add(runtime)
    async with runtime.database.transaction() as session:
        await claims.give_back(session, await taken(runtime))
    claim = await taken(runtime)
    async with runtime.database.transaction() as session:
        await claims.fail(session, claim, Permanent("no"))
    async with runtime.database.transaction() as session:
        assert (await queue.retry(session, job.id)).run_after < now() - timedelta(minutes=59)
    assert (await taken(runtime)).job_id == job.id


async def test_periodic_work_is_added_when_it_is_due_and_once(runtime: Runtime) -> None:
    hourly = {"test.hourly": Kind("test.hourly", every=timedelta(hours=1))}
    for _ in range(3):
        await reconcile.tick(runtime.database, runtime.bell, hourly)
    async with runtime.database.transaction() as session:
        (job,) = await session.scalars(select(Job))
        job.state, job.created_at = "done", now() - timedelta(minutes=61)
    await reconcile.tick(runtime.database, runtime.bell, hourly)
    async with runtime.database.transaction() as session:
        assert sorted(await session.scalars(select(Job.state))) == ["done", "ready"]


def test_every_kind_has_exactly_one_handler() -> None:
    async def nothing(_runtime: Runtime, _work: Work) -> None:
        """Does nothing."""

    with pytest.raises(ValueError, match="handler"):
        with_handlers([PLAIN], [])
    with pytest.raises(ValueError, match="handler"):
        with_handlers([PLAIN], [JobOf(PLAIN, nothing), JobOf(PLAIN, nothing)])
    assert set(JOBS) == {kind.name for kind in kinds.ALL}
    assert {kind.queue for kind in kinds.ALL} <= set(kinds.QUEUES)


async def test_the_selfcheck_uses_every_part_and_names_the_broken_one(runtime: Runtime) -> None:
    async with runtime.database.transaction() as session:
        await queue.enqueue(session, kinds.SELFCHECK)
    assert await JobRunner(runtime, JOBS, ["upkeep"], "w1").run_one()
    async with runtime.database.transaction() as session:
        (job,) = await session.scalars(select(Job))
        assert (job.state, job.progress_done, job.progress_total) == ("done", 3, 3)
        assert [stat async for stat in runtime.store.list()] == []
        await queue.enqueue(session, kinds.SELFCHECK)
    broken = JobRunner(with_bell(runtime, "redis://127.0.0.1:1"), JOBS, ["upkeep"], "w1")
    assert await broken.run_one()
    async with runtime.database.transaction() as session:
        (job,) = await session.scalars(select(Job).where(Job.state == "failed"))
    assert job.error is not None
    assert job.error.startswith("redis: ")


def with_bell(runtime: Runtime, url: str) -> Runtime:
    return replace(runtime, bell=type(runtime.bell)(url))


async def test_pruning_forgets_what_is_over_and_keeps_failures(runtime: Runtime) -> None:
    old = now() - timedelta(days=30)
    for state in ("done", "failed", "cancelled"):
        job = await add(runtime)
        async with runtime.database.transaction() as session:
            await session.execute(update(Job).where(Job.id == job.id).values(state=state, finished_at=old))
    async with runtime.database.transaction() as session:
        await queue.enqueue(session, kinds.PRUNE)
    assert await JobRunner(runtime, JOBS, ["upkeep"], "w1").run_one()
    async with runtime.database.transaction() as session:
        left = sorted((job.kind, job.state) for job in await session.scalars(select(Job)))
    assert left == [("test.plain", "failed"), ("upkeep.prune", "done")]


async def test_admins_list_filter_cancel_and_retry(person: MakePerson, app: FastAPI) -> None:
    admin, runtime = await person(admin=True), app.state.runtime
    started = (await admin.post("/jobs", {"kind": "upkeep.selfcheck"})).json()
    again = (await admin.post("/jobs", {"kind": "upkeep.selfcheck"})).json()
    assert started["id"] == again["id"]
    assert started["request_id"]
    await add(runtime)
    assert len((await admin.get("/jobs")).json()["items"]) == 2
    assert [row["id"] for row in (await admin.get("/jobs?kind=upkeep.selfcheck")).json()["items"]] == [started["id"]]
    path = f"/jobs/{started['id']}"
    assert (await admin.post(f"{path}/cancel")).json()["state"] == "cancelled"
    assert code_of(await admin.post(f"{path}/cancel")) == "conflict"
    assert [row["id"] for row in (await admin.get("/jobs?state=cancelled")).json()["items"]] == [started["id"]]
    assert (await admin.post(f"{path}/retry")).json()["state"] == "ready"
    assert code_of(await admin.post(f"{path}/retry")) == "conflict"
    summary = {row["kind"]: row for row in (await admin.get("/jobs/summary")).json()["kinds"]}
    assert summary["upkeep.selfcheck"]["ready"] == 1


async def test_retrying_what_is_already_wanted_again_is_refused(person: MakePerson) -> None:
    admin = await person(admin=True)
    first = (await admin.post("/jobs", {"kind": "upkeep.selfcheck"})).json()["id"]
    await admin.post(f"/jobs/{first}/cancel")
    await admin.post("/jobs", {"kind": "upkeep.selfcheck"})
    assert code_of(await admin.post(f"/jobs/{first}/retry")) == "conflict"


async def test_retrying_while_the_same_work_is_added_is_refused(runtime: Runtime) -> None:
    job = await add(runtime, key="same")
    async with runtime.database.transaction() as session:
        await queue.cancel(session, job.id)

    async def retry() -> None:
        async with runtime.database.transaction() as session:
            await queue.retry(session, job.id)

    async with runtime.database.transaction() as session:
        assert await queue.enqueue(session, PLAIN, key="same")
        retried = asyncio.create_task(retry())
        while not await session.scalar(text("SELECT true FROM pg_locks WHERE NOT granted")):
            await asyncio.sleep(0.01)
    with pytest.raises(Conflict):
        await retried


async def test_starting_what_is_wanted_already_gives_the_unfinished_job(person: MakePerson) -> None:
    admin = await person(admin=True)
    jobs = []
    for _ in range(2):
        jobs.append((await admin.post("/jobs", {"kind": "upkeep.selfcheck"})).json()["id"])
        await admin.post(f"/jobs/{jobs[-1]}/cancel")
    await admin.post(f"/jobs/{jobs[0]}/retry")
    assert (await admin.post("/jobs", {"kind": "upkeep.selfcheck"})).json()["id"] == jobs[0]


def test_no_two_workers_are_named_alike() -> None:
    assert claims.new_worker_name() != claims.new_worker_name()


async def test_metrics_count_jobs_requests_and_workers(person: MakePerson, app: FastAPI) -> None:
    admin = await person(admin=True)
    await add(app.state.runtime)
    written = (await admin.get("/metrics")).text
    assert 'tagphoto_jobs{kind="test.plain",state="ready"} 1.0' in written
    assert "tagphoto_workers 0.0" in written
    assert 'route="/session"' in written
