"""``tagphoto work``: worker processes, here or on other hosts, against the same three URLs."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from types import MappingProxyType

import click

from api.cli import common
from archive import log, schema
from archive.db import Database, create_engine
from archive.embedded import addresses as places_of
from archive.errors import StartRefused
from archive.queue import claims, kinds, reconcile
from archive.queue.wake import Bell
from archive.settings import Addresses, Settings
from archive.supervisor import Lines, Program, Supervisor

_GRACE = 15
_WORKER = "worker"
_NOTHING: Mapping[str, str] = MappingProxyType({})
Ended = Callable[[str, bool], Awaitable[None]]


@click.command()
@click.option("--queues", default=",".join(kinds.QUEUES), show_default=True, help="Which queues, by commas.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="How many at once.")
def work(queues: str, processes: int) -> None:
    """Run worker processes. On hosts of their own they need the three URLs and the root key file."""
    common.run(lambda settings: _work(settings, _checked(queues), processes))


async def _work(settings: Settings, queues: tuple[str, ...], processes: int) -> None:
    stop = until_told_to_stop()
    addresses = places_of(settings)
    await common.require_database(settings, addresses)
    await common.require_store(addresses)
    await schema.require_current(addresses.database)
    async with AsyncExitStack() as stack:
        supervisor = Supervisor(Lines(None))
        await add_workers(stack, supervisor, addresses, processes, queues)
        await stop.wait()


async def add_workers(
    stack: AsyncExitStack,
    supervisor: Supervisor,
    addresses: Addresses,
    count: int,
    queues: tuple[str, ...] = kinds.QUEUES,
    environment: Mapping[str, str] = _NOTHING,
) -> None:
    """Run workers under a supervisor, and the reconciler beside them for as long as the stack is open."""
    bell = Bell(addresses.redis)
    database = Database(create_engine(addresses.database, pool_size=2), bell.deliver)
    by_name = {kind.name: kind for kind in kinds.ALL}
    reconciler = asyncio.create_task(reconcile.run(database, bell, by_name))

    async def ended(name: str, asked: bool) -> None:  # noqa: FBT001  # Program's signature
        """Take the jobs of a worker that died at once; others need not wait for its leases to run out."""
        del asked
        async with database.transaction() as session:
            for job in await claims.reclaim(session, worker=name):
                log.get("supervisor").warning("job.reclaimed", job=str(job.id), kind=job.kind, state=job.state)

    async def close() -> None:
        reconciler.cancel()
        await asyncio.wait([reconciler])
        # While the database is still open: what the workers leave is put back into the queue.
        await supervisor.stop(_WORKER)
        await database.close()
        bell.close()

    stack.push_async_callback(close)
    for number in range(1, count + 1):
        await supervisor.add(_worker_program(number, queues, environment, ended))


def _worker_program(number: int, queues: tuple[str, ...], environment: Mapping[str, str], ended: Ended) -> Program:
    return Program(
        name=f"{_WORKER}{number}",
        argv=(sys.executable, "-m", "api", "worker-process", "--queues", ",".join(queues)),
        environment=environment,
        grace=_GRACE,
        new_name=claims.new_worker_name,
        ended=ended,
    )


def until_told_to_stop() -> asyncio.Event:
    """Give an event that Ctrl-C and SIGTERM set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def _checked(queues: str) -> tuple[str, ...]:
    wanted = tuple(name.strip() for name in queues.split(","))
    if unknown := [name for name in wanted if name not in kinds.QUEUES]:
        message = f"There is no queue {', '.join(unknown)}. Use some of: {', '.join(kinds.QUEUES)}."
        raise StartRefused(message)
    return wanted
