"""Bytes in and out: MB a CPU-second of the API process, beside a server that only discards; ranges; memory."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.settings import Addresses
from tests.bench.figure import Figure
from tests.bench.service import ROOT
from tests.support import cluster as clusters
from tests.support.api import Api, running_api

_MIB = 1 << 20
_SIZE, _ROUNDS = 256 * _MIB, 4
_PHOTOS, _PHOTO = 64, 4 * _MIB
_CLIENTS, _EACH = 8, 512 * _MIB
_RANGES = 400
_DISCARD = """
import sys, socket, uvicorn
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, loop="uvloop", http="httptools",
    lifespan="off"))
server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "cluster").mkdir()
        with clusters.running(folder / "cluster") as cluster, _discarding() as (discard_url, discard_pid):
            places = Addresses(cluster.dsn("template"), cluster.redis_url, "memory:")
            with running_api(folder / "data", places, folder / "store") as api:
                key = _key(api)
                yield from _uploads(api, key, discard_url, discard_pid)
                yield from _reads(api, key)
                yield from _memory(api, key)


def _uploads(api: Api, key: str, discard_url: str, discard_pid: int) -> Iterator[Figure]:
    cpu = {"discard": 0.0, "large": 0.0, "photos": 0.0}
    wall = dict(cpu)
    for number in range(_ROUNDS):
        # In turn, so that a slow moment of the machine falls on all of them.
        for name, url, pid, count, size in (
            ("discard", discard_url, discard_pid, 1, _SIZE),
            ("large", api.url, api.process.pid, 1, _SIZE),
            ("photos", api.url, api.process.pid, _PHOTOS, _PHOTO),
        ):
            before, began = _cpu(pid), time.perf_counter()
            asyncio.run(_send(url, key, count, size, number))
            cpu[name] += _cpu(pid) - before
            wall[name] += time.perf_counter() - began
    total = _ROUNDS * _SIZE / 1e6
    base = total / cpu["discard"]
    yardstick = "a server that discards"
    yield Figure("bytes", yardstick, base, "MB/CPU-s")
    for name, label in (("large", "upload of 256 MiB"), ("photos", "uploads of 4 MiB")):
        rate = total / cpu[name]
        yield Figure("bytes", label, rate, "MB/CPU-s", yardstick, rate / base, "300 MB/CPU-s")
        yield Figure("bytes", f"{label}, wall", total / wall[name], "MB/s")


def _reads(api: Api, key: str) -> Iterator[Figure]:
    asset = asyncio.run(_send(api.url, key, 1, _SIZE, 99))
    before, began = _cpu(api.process.pid), time.perf_counter()
    asyncio.run(_read_ranges(api.url, key, asset))
    seconds = time.perf_counter() - began
    yield Figure("bytes", "ranges of 1 MiB, one connection", _RANGES / seconds, "reads/s")
    yield Figure("bytes", "ranges of 1 MiB", _RANGES / (_cpu(api.process.pid) - before), "reads/CPU-s")


def _memory(api: Api, key: str) -> Iterator[Figure]:
    async def all_at_once() -> None:
        await asyncio.gather(*(_send(api.url, key, 1, _EACH, 1000 + number) for number in range(_CLIENTS)))

    asyncio.run(all_at_once())
    peak = next(line for line in Path(f"/proc/{api.process.pid}/status").read_text().splitlines() if "VmHWM" in line)
    yield Figure("bytes", "memory, 8 clients sent 4 GiB", int(peak.split()[1]) / 1000, "MB", goal="under 300 MB")


async def _send(url: str, key: str, count: int, size: int, seed: int) -> str:
    """Send photos one after the other on one connection, as cheaply as can be; gives the last one's id."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
    block = random.Random(seed).randbytes(_MIB)
    body = b""
    for number in range(count):
        head = f"POST /api/v1/assets?name=a.jpg HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        writer.write(f"{head}Content-Length: {size}\r\n\r\n".encode())
        # Another first block each time: the same photo twice would be one.
        writer.write((seed << 32 | number).to_bytes(16, "big") + block[16:])
        for _ in range(size // _MIB - 1):
            writer.write(block)
            await writer.drain()
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 201 " in answer.split(b"\r\n")[0], answer
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.split(b":")[1]))
    writer.close()
    return str(json.loads(body)["id"]) if body else ""


async def _read_ranges(url: str, key: str, asset: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 21)
    where = random.Random(1)
    for _ in range(_RANGES):
        start = where.randrange(_SIZE - _MIB)
        head = f"GET /api/v1/assets/{asset}/original HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        writer.write(f"{head}Range: bytes={start}-{start + _MIB - 1}\r\n\r\n".encode())
        assert b" 206 " in await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_MIB)
    writer.close()


@contextmanager
def _discarding() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        argv = [sys.executable, "-c", _DISCARD, str(listener.fileno())]
        process = subprocess.Popen(argv, cwd=ROOT, pass_fds=[listener.fileno()])
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", process.pid
        finally:
            process.terminate()
            process.wait()


def _key(api: Api) -> str:
    api.command("account", "create", "bench@example.org")
    return str(json.loads(api.command("apikey", "create", "bench@example.org", "--name", "bench"))["key"])


def _cpu(pid: int) -> float:
    """Seconds of CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
