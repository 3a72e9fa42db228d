"""Photos a second from the finished upload to "ready", by one worker, beside Pillow alone on the same files."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from archive.accounts import service as accounts
from archive.libraries import service as libraries
from archive.models import Job, Step
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, read_settings
from tests.bench import sandbox
from tests.bench.figure import Figure
from tests.bench.service import ROOT
from tests.support.cluster import running
from tests.support.people import Person
from tests.support.photos import MEGAPIXELS_12, heic, saved, scene
from tests.support.uploading import caller_of, upload

_PHOTOS = {"JPEG": 24, "HEIC": 6}
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Took:
    seconds: float
    cpu: float
    memory: float


def measure() -> Iterator[Figure]:
    scenes = [scene(*MEGAPIXELS_12, seed) for seed in (1, 2, 3)]
    files = {
        "JPEG": [saved(photo, "JPEG", quality=90) for photo in scenes],
        "HEIC": [heic(photo) for photo in scenes[:1]],
    }
    for name, contents in files.items():
        with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as cluster:
            asyncio.run(cluster.execute("CREATE DATABASE bench TEMPLATE template"))
            addresses = Addresses(cluster.dsn("bench"), cluster.redis_url, f"file://{folder}/store")
            (Path(folder) / "store").mkdir()
            before = sandbox.bare(name, contents)
            took = asyncio.run(_through(Path(folder), addresses, contents, _PHOTOS[name]))
            after = sandbox.bare(name, contents)
        # Other work on the machine makes the one or the other look slow; the better of two is nearer to the truth.
        cpu, wall = (min(pair) for pair in zip(before, after, strict=True))
        count = _PHOTOS[name]
        rate, yardstick = count / took.seconds, f"{name}: Pillow alone"
        yield Figure("ingest", yardstick, 1 / wall, "photos/s")
        yield Figure("ingest", f"{name}: upload to ready", rate, "photos/s", yardstick, rate * wall, ">= 0.7")
        yield Figure("ingest", f"{yardstick}, CPU", cpu * 1e3, "ms a photo")
        share = cpu * count / took.cpu
        used = took.cpu / count * 1e3
        yield Figure("ingest", f"{name}: CPU, worker and decoders", used, "ms a photo", yardstick, share, ">= 0.7")
        yield Figure("ingest", f"{name}: memory, worker and decoders", took.memory, "MB")


async def _through(folder: Path, addresses: Addresses, contents: list[bytes], count: int) -> Took:
    async with open_runtime(read_settings(data=folder), addresses) as runtime:
        async with runtime.database.transaction() as session:
            account = await accounts.create(session, email="a@example.org", name="a", password_hash="", is_admin=False)
            library = await libraries.make_for(session, account.id, "a")
        sender = Person(None, str(account.id), account.email, str(library.id))  # type: ignore[arg-type]  # no browser
        process = _worker(folder, addresses)
        try:
            # The first one warms everything and is not counted.
            await _send(runtime, sender, contents[0], 0)
            await _ready(runtime, 1)
            for one in _tree(process.pid):
                os.kill(one, signal.SIGSTOP)
            for number in range(1, count + 1):
                await _send(runtime, sender, contents[number % len(contents)], number)
            before = _cpu(process.pid)
            for one in _tree(process.pid):
                os.kill(one, signal.SIGCONT)
            await _ready(runtime, count + 1)
            return Took(await _seconds(runtime, count), _cpu(process.pid) - before, _memory(process.pid))
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)


def _worker(folder: Path, addresses: Addresses) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "TAGPHOTO_DATA": str(folder),
        "TAGPHOTO_DATABASE_URL": addresses.database,
        "TAGPHOTO_REDIS_URL": addresses.redis,
        "TAGPHOTO_STORE_URL": addresses.store,
        "TAGPHOTO_LOG_LEVEL": "warning",
    }
    argv = [sys.executable, "-m", "api", "work", "--queues", "ingest", "--processes", "1"]
    return subprocess.Popen(argv, cwd=ROOT, env=environment)


async def _send(runtime: Runtime, sender: Person, content: bytes, number: int) -> None:
    # Some bytes behind the end make each another file and change no pixel.
    await upload(runtime, caller_of(sender), sender.library, content + number.to_bytes(4, "big"), f"{number}.jpg")


async def _ready(runtime: Runtime, count: int) -> None:
    done = select(func.count()).where(Step.name == "render", Step.state == "done")
    while await _value(runtime, done) < count:
        await asyncio.sleep(0.05)


async def _seconds(runtime: Runtime, count: int) -> float:
    """Give the time from the first claim after the pause to the last end, by the database's clock."""
    ingest = select(Job.id, Job.started_at, Job.finished_at).where(Job.kind == "ingest.describe")
    async with runtime.database.transaction() as session:
        rows = (await session.execute(ingest.order_by(Job.started_at))).all()
    counted = rows[-count:]  # a photo is described and rendered by one job
    return float((max(row.finished_at for row in counted) - counted[0].started_at).total_seconds())


async def _value(runtime: Runtime, statement: Any) -> int:
    async with runtime.database.transaction() as session:
        return int(await session.scalar(statement) or 0)


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def _cpu(pid: int) -> float:
    """Add up what a tree of processes has used, with its children that have ended."""
    total = 0
    for one in _tree(pid):
        after = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(ticks) for ticks in after[11:15])
    return total / _TICKS


def _memory(pid: int) -> float:
    rss = 0
    for one in _tree(pid):
        status = dict(line.split(":", 1) for line in Path(f"/proc/{one}/status").read_text().splitlines())
        rss += int(status.get("VmRSS", "0 kB").split()[0])
    return rss / 1024
