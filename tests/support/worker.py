"""A worker process with jobs of the tests': ``python -m tests.support.worker SETTINGS-FOLDER DATABASE REDIS``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from archive import audit, log
from archive.queue.claims import new_worker_name
from archive.queue.kinds import Kind
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, read_settings
from archive.work import Job, Work, with_handlers
from archive.worker.process import work
from storage.memory import MemoryStore

_LEASE = timedelta(seconds=1.5)
# Leaves a mark that it began, waits while it is told to, then has its effect and is done in one transaction.
EFFECT = Kind("test.effect", lease=_LEASE)
# Kills its worker each time.
DEADLY = Kind("test.deadly", lease=_LEASE)
LIMITED = Kind("test.limited", lease=_LEASE, limit=1)
KINDS = (EFFECT, DEADLY, LIMITED)


async def effect(_runtime: Runtime, job: Work) -> None:
    began, hold = Path(job.args["folder"]) / "began", Path(job.args["folder"]) / "hold"
    with began.open("a") as file:
        file.write(f"{os.getpid()}\n")
    while hold.exists():
        await asyncio.sleep(0.02)
    async with job.transaction(finish=True) as session:
        audit.record(session, "test.effect", target=job.args["number"])


async def deadly(_runtime: Runtime, _job: Work) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


JOBS = with_handlers(KINDS, [Job(EFFECT, effect), Job(DEADLY, deadly), Job(LIMITED, effect)])


def main(folder: str, database: str, redis_url: str) -> None:
    log.configure("warning")
    settings = read_settings(data=Path(folder))
    addresses = Addresses(database, redis_url, "memory:")
    work(
        lambda: open_runtime(settings, addresses, pool_size=2, store=MemoryStore()),
        JOBS,
        ["default"],
        addresses.redis,
        new_worker_name(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
