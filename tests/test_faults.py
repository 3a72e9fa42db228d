"""Workers that die, freeze and lose their servers: nothing is lost and nothing happens twice."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from archive.models import AuditEntry, Job
from archive.queue import reconcile
from archive.queue import service as queue
from archive.queue.kinds import Kind
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings
from storage.memory import MemoryStore
from tests.support import worker
from tests.support.cluster import Cluster, running

ROOT = Path(__file__).parents[1]
BY_NAME = {kind.name: kind for kind in worker.KINDS}


class Workers:
    """Starts worker processes and sees to it that none outlives its test."""

    def __init__(self, settings: Settings, addresses: Addresses) -> None:
        self._argv = [sys.executable, "-m", "tests.support.worker", str(settings.data)]
        self._argv += [addresses.database, addresses.redis]
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        self.processes.append(subprocess.Popen(self._argv, cwd=ROOT))
        return self.processes[-1]

    def end(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


@pytest.fixture
def workers(settings: Settings, addresses: Addresses, runtime: Runtime) -> Iterator[Workers]:
    made = Workers(settings, addresses)  # after the runtime, which makes the root key
    yield made
    made.end()


@asynccontextmanager
async def reconciling(runtime: Runtime, *more: Kind) -> AsyncIterator[None]:
    kinds = BY_NAME | {kind.name: kind for kind in more}
    task = asyncio.create_task(reconcile.run(runtime.database, runtime.bell, kinds))
    yield
    task.cancel()
    await asyncio.wait([task])


async def until(what: Callable[[], Awaitable[bool]] | Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something to become true; the limit only ends a test that has failed."""
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(DBAPIError, OSError):  # the database may be restarting
                found = what()
                if await found if isinstance(found, Awaitable) else found:
                    return
            await asyncio.sleep(0.05)


async def add(runtime: Runtime, folder: Path, count: int, kind: Kind = worker.EFFECT) -> None:
    async with runtime.database.transaction() as session:
        for number in range(count):
            await queue.enqueue(session, kind, {"folder": str(folder), "number": number})


async def effects(runtime: Runtime) -> list[tuple[str | None, int]]:
    async with runtime.database.transaction() as session:
        counted = select(AuditEntry.target, func.count()).where(AuditEntry.action == "test.effect")
        return [(target, count) for target, count in await session.execute(counted.group_by(AuditEntry.target))]


def all_ended(runtime: Runtime) -> Callable[[], Awaitable[bool]]:
    async def ended() -> bool:
        async with runtime.database.transaction() as session:
            return not await session.scalar(select(Job.id).where(Job.state.in_(("ready", "running"))).limit(1))

    return ended


def begun(folder: Path, times: int = 1) -> Callable[[], bool]:
    return lambda: (folder / "began").exists() and len((folder / "began").read_text().splitlines()) >= times


async def test_kill_9_in_the_middle_of_a_job(runtime: Runtime, workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    first = workers.start()
    await add(runtime, tmp_path, 1)
    await until(begun(tmp_path))
    first.kill()
    first.wait()
    (tmp_path / "hold").unlink()
    workers.start()
    async with reconciling(runtime):
        await until(all_ended(runtime))
    assert await effects(runtime) == [("0", 1)]
    async with runtime.database.transaction() as session:
        (job,) = await session.scalars(select(Job))
    assert (job.state, job.crashes, job.attempts) == ("done", 1, 1)


async def test_a_frozen_worker_that_wakes_after_its_lease(runtime: Runtime, workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    frozen = workers.start()
    await add(runtime, tmp_path, 1)
    await until(begun(tmp_path))
    frozen.send_signal(signal.SIGSTOP)
    workers.start()
    async with reconciling(runtime):
        await until(begun(tmp_path, 2))  # the second has it too
        (tmp_path / "hold").unlink()
        await until(all_ended(runtime))
        frozen.send_signal(signal.SIGCONT)  # and now it wants to write what it had begun
        await add(runtime, tmp_path, 1)
        await until(all_ended(runtime))
        frozen.terminate()
        await asyncio.to_thread(frozen.wait, 30)
    assert await effects(runtime) == [("0", 2)]  # one of each of the two jobs
    assert len((tmp_path / "began").read_text().splitlines()) == 3


async def test_flushall_at_any_moment(runtime: Runtime, workers: Workers, tmp_path: Path) -> None:
    for _ in range(2):
        workers.start()
    async with reconciling(runtime):
        for _ in range(6):
            await add(runtime, tmp_path, 10)
            await asyncio.sleep(random.uniform(0, 0.2))
            runtime.bell.connection.flushall()
        await until(all_ended(runtime))
    assert sorted(await effects(runtime)) == [(str(number), 6) for number in range(10)]


async def test_workers_killed_at_random_moments(runtime: Runtime, workers: Workers, tmp_path: Path) -> None:
    await add(runtime, tmp_path, 40)
    async with reconciling(runtime):
        for _ in range(5):
            doomed = [workers.start(), workers.start()]
            await asyncio.sleep(random.uniform(0.8, 2.0))
            for process in doomed:
                process.kill()
        workers.start()
        await until(all_ended(runtime))
    done = await effects(runtime)
    assert all(count == 1 for _, count in done)
    async with runtime.database.transaction() as session:
        states = dict((await session.execute(select(Job.state, func.count()).group_by(Job.state))).all())
    # A job may have been in the hands of three that died, and was then set apart: never lost, never done twice.
    assert states.get("done", 0) == len(done)
    assert states.get("done", 0) + states.get("quarantined", 0) == 40


async def test_a_job_that_kills_its_workers_is_set_apart_and_the_rest_goes_on(
    runtime: Runtime, workers: Workers, tmp_path: Path
) -> None:
    await add(runtime, tmp_path, 1, worker.DEADLY)
    await add(runtime, tmp_path, 3)

    def keep_two_alive() -> None:
        while sum(process.poll() is None for process in workers.processes) < 2:
            workers.start()

    async def ended() -> bool:
        keep_two_alive()
        return await all_ended(runtime)()

    async with reconciling(runtime):
        await until(ended, 90)
    async with runtime.database.transaction() as session:
        states = {job.kind: job.state for job in await session.scalars(select(Job))}
    assert states == {"test.deadly": "quarantined", "test.effect": "done"}
    assert sorted(await effects(runtime)) == [("0", 1), ("1", 1), ("2", 1)]


@pytest.fixture
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Servers that may be killed without harm to other tests. (One started anew dies with the thread that did it.)"""
    with running(tmp_path_factory.mktemp("own")) as made:
        yield made


async def test_a_restart_of_postgresql(own_cluster: Cluster, settings: Settings, tmp_path: Path) -> None:
    await own_cluster.execute("CREATE DATABASE victim TEMPLATE template")
    addresses = Addresses(own_cluster.dsn("victim"), own_cluster.redis_url, "memory:")
    async with open_runtime(settings, addresses, pool_size=2, store=MemoryStore()) as runtime:
        started = Workers(settings, addresses)
        (tmp_path / "hold").touch()
        try:
            started.start()
            started.start()
            await add(runtime, tmp_path, 20)
            await until(begun(tmp_path, 2))
            async with reconciling(runtime):
                await asyncio.to_thread(own_cluster.kill_postgres)
                (tmp_path / "hold").unlink()  # they finish while there is no database
                await asyncio.sleep(1)
                await asyncio.to_thread(own_cluster.start_postgres)
                await until(all_ended(runtime), 90)
            assert sorted(await effects(runtime)) == [(str(number), 1) for number in sorted(range(20), key=str)]
            assert all(process.poll() is None for process in started.processes)
        finally:
            started.end()


async def test_an_outage_longer_than_a_lease_is_no_crash(
    own_cluster: Cluster, settings: Settings, tmp_path: Path
) -> None:
    await own_cluster.execute("CREATE DATABASE away TEMPLATE template")
    addresses = Addresses(own_cluster.dsn("away"), own_cluster.redis_url, "memory:")
    async with open_runtime(settings, addresses, pool_size=2, store=MemoryStore()) as runtime:
        started = Workers(settings, addresses)
        (tmp_path / "hold").touch()
        try:
            started.start()
            await add(runtime, tmp_path, 1)
            await until(begun(tmp_path))
            async with reconciling(runtime, Kind("test.long", lease=timedelta(seconds=60))):
                await asyncio.to_thread(own_cluster.kill_postgres)
                await asyncio.sleep(worker.EFFECT.lease.total_seconds() + 2)
                await asyncio.to_thread(own_cluster.start_postgres)
                await asyncio.sleep(2)  # in which it would be taken away
                (tmp_path / "hold").unlink()
                await until(all_ended(runtime), 90)
            async with runtime.database.transaction() as session:
                (job,) = await session.scalars(select(Job))
            assert (job.state, job.crashes, job.attempts) == ("done", 0, 1)
        finally:
            started.end()
