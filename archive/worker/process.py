"""The process around the runner: RQ's main thread sleeps on Redis, the event loop lives in a thread beside it.

The loop is never stopped between jobs, so pooled connections outlive a job and heartbeats go on while RQ sleeps. (RQ
itself would make a new loop for every asynchronous job, which breaks a pooled engine.)
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import redis
import rq
import uvloop
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert

from archive import log
from archive.models import Worker
from archive.queue.claims import worker_name
from archive.worker.runner import JobRunner

if TYPE_CHECKING:
    from archive.db import Database
    from archive.runtime import Runtime
    from archive.work import Job

T = TypeVar("T")
_BEAT = 5.0
_log = log.get("worker")
# RQ calls ``wake`` by its name, so what it shall do has to hang on the module. Set once, by ``work``.
_run_one: Callable[[], object] | None = None


def wake(_job_id: str) -> None:
    """Answer the bell: run one job."""
    if _run_one is not None:
        _run_one()


def work(
    open_runtime: Callable[[], AbstractAsyncContextManager[Runtime]],
    jobs: Mapping[str, Job],
    queues: Sequence[str],
    redis_url: str,
    name: str | None = None,
) -> None:
    """Work until told to stop. Whoever starts workers names them, to know whose jobs died with which."""
    global _run_one  # noqa: PLW0603  # see above
    with _loop_thread() as call:
        context = open_runtime()
        runtime = call(context.__aenter__())
        runner = JobRunner(runtime, jobs, queues, name or worker_name(os.getpid()))
        beats = call(_start(_beat(runtime.database, runner)))
        _run_one = lambda: call(runner.run_one())  # noqa: E731
        _log.info("worker.started", worker=runner.name, queues=",".join(queues))
        try:
            _listen(runtime, runner, call, redis_url)
        finally:
            _run_one = None
            call(_end(beats))
            call(context.__aexit__(None, None, None))
            _log.info("worker.stopped", worker=runner.name)


def _listen(runtime: Runtime, runner: JobRunner, call: _Caller, redis_url: str) -> None:
    class Listener(rq.SimpleWorker):
        """RQ's worker without forks, alarms or a scheduler: time and retries are the table's business."""

        death_penalty_class = TimerDeathPenalty
        max_connection_wait_time = 2.0

        def request_stop(self, signum: int, frame: Any) -> None:  # noqa: ANN401  # RQ's signature
            """Interrupt the running job first: RQ's warm shutdown would wait for it."""
            call.soon(runner.stop)
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    connection = redis.Redis.from_url(redis_url)
    listener = Listener(
        [runtime.bell.queue(name).name for name in runner.queues],
        name=runner.name,
        connection=connection,
        serializer=JSONSerializer,
    )
    listener.work(logging_level="WARNING")


class _Caller:
    """Calls coroutines on the loop in the other thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __call__(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Call and wait for the result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def soon(self, function: Callable[[], None]) -> None:
        """Call a function there without waiting: for signal handlers."""
        self._loop.call_soon_threadsafe(function)


@contextmanager
def _loop_thread() -> Iterator[_Caller]:
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="loop", daemon=True)
    thread.start()
    try:
        yield _Caller(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(coroutine)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def _beat(database: Database, runner: JobRunner) -> None:
    """Say, every few seconds, that this worker is alive."""
    row = {"name": runner.name, "host": socket.gethostname(), "pid": os.getpid(), "queues": ",".join(runner.queues)}
    beat = insert(Worker).values(**row)
    beat = beat.on_conflict_do_update(index_elements=[Worker.name], set_={"seen_at": func.clock_timestamp()})
    try:
        while True:
            try:
                async with database.transaction() as session:
                    await session.execute(beat)
            except Exception as error:  # noqa: BLE001  # nobody would start this task again
                _log.warning("worker.not_heard", error=str(error).split("\n", 1)[0])
            await asyncio.sleep(_BEAT)
    finally:
        async with database.transaction() as session:
            await session.execute(delete(Worker).where(Worker.name == runner.name))
