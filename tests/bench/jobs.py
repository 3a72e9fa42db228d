"""Jobs a second through the whole path (row, bell, worker, done), beside RQ alone running an empty function."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis
import rq
from rq.serializers import JSONSerializer
from sqlalchemy import func, select

from archive.models import Job, Worker
from archive.queue import reconcile
from archive.queue import service as queue
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, read_settings
from storage.memory import MemoryStore
from tests.bench.figure import Figure
from tests.bench.service import ROOT
from tests.support import worker
from tests.support.cluster import running

_JOBS = 500
_BARE = """
import sys, redis, rq
from rq.serializers import JSONSerializer
queue = rq.Queue("bare", connection=redis.Redis.from_url(sys.argv[1]), serializer=JSONSerializer)
rq.SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer).work(
    burst=True, logging_level="ERROR")
"""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as cluster:
        bare = _bare(cluster.redis_url)
        yield Figure("jobs", "RQ alone, an empty function", bare, "jobs/s")
        asyncio.run(cluster.execute("CREATE DATABASE bench TEMPLATE template"))
        addresses = Addresses(cluster.dsn("bench"), cluster.redis_url, "memory:")
        through = asyncio.run(_through(Path(folder), addresses))
        name = "row, bell, worker, effect and end in one commit"
        yield Figure("jobs", name, through, "jobs/s", "RQ alone", through / bare)


def _bare(url: str) -> float:
    bare = rq.Queue("bare", connection=redis.Redis.from_url(url), serializer=JSONSerializer)
    bare.enqueue_many([rq.Queue.prepare_data("time.time", (), result_ttl=0) for _ in range(_JOBS)])
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _BARE, url], check=True)
    return _JOBS / (time.perf_counter() - began)


async def _through(folder: Path, addresses: Addresses) -> float:
    settings = read_settings(data=folder)
    async with open_runtime(settings, addresses, store=MemoryStore()) as runtime:
        argv = [sys.executable, "-m", "tests.support.worker", str(folder), addresses.database, addresses.redis]
        process = subprocess.Popen(argv, cwd=ROOT)  # noqa: ASYNC220  # a few milliseconds, before the clock starts
        kinds = {kind.name: kind for kind in worker.KINDS}
        reconciler = asyncio.create_task(reconcile.run(runtime.database, runtime.bell, kinds))
        try:
            while not await _count(runtime, select(func.count()).select_from(Worker)):
                await asyncio.sleep(0.05)
            began = time.perf_counter()
            async with runtime.database.transaction() as session:
                for number in range(_JOBS):
                    await queue.enqueue(session, worker.EFFECT, {"folder": str(folder), "number": number})
            while await _count(runtime, select(func.count()).where(Job.state != "done", Job.kind == "test.effect")):
                await asyncio.sleep(0.02)
            return _JOBS / (time.perf_counter() - began)
        finally:
            reconciler.cancel()
            process.terminate()
            await asyncio.to_thread(process.wait)


async def _count(runtime: Runtime, statement: object) -> int:
    async with runtime.database.transaction() as session:
        return int(await session.scalar(statement) or 0)  # type: ignore[call-overload]
