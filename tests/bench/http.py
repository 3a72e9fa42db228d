"""Requests a second and their times, beside a bare Starlette route on the same server in the same run."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.bench.figure import Figure, percentile
from tests.bench.service import ROOT, running

_CONNECTIONS, _SECONDS, _ROUNDS = 8, 2.0, 3
_BARE = """
import sys, socket, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
app = Starlette(routes=[Route("/", lambda request: JSONResponse({"status": "ok"}))])
server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, loop="uvloop", http="httptools"))
server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, _bare_server() as bare:
        Path(folder).chmod(0o755)
        with running(Path(folder)) as service:
            assert service.link is not None
            key = _api_key(service.url, service.link)
            targets = {
                "bare Starlette route": (bare, "/", ""),
                "/health/live": (service.url, "/api/v1/health/live", ""),
                "/health (asks every part)": (service.url, "/api/v1/health", ""),
                "/libraries, authenticated list": (service.url, "/api/v1/libraries", key),
            }
            times: dict[str, list[float]] = {name: [] for name in targets}
            # In turn, so that a slow moment of the machine falls on all of them.
            for _ in range(_ROUNDS):
                for name, (url, path, sent) in targets.items():
                    times[name] += asyncio.run(_load(url, path, sent))
    yardstick, *others = times
    base = len(times[yardstick])
    for name, taken in times.items():
        rate = len(taken) / (_ROUNDS * _SECONDS)
        ratio = len(taken) / base if name in others else None
        yield Figure("http", name, rate, "requests/s", yardstick if ratio else None, ratio)
        for label, share in (("p50", 0.5), ("p99", 0.99)):
            yield Figure("http", f"{name}, {label}", percentile(taken, share) * 1000, "ms")


async def _load(url: str, path: str, key: str) -> list[float]:
    host, port = url.removeprefix("http://").split(":")
    header = f"Authorization: Bearer {key}\r\n" if key else ""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{header}\r\n".encode()
    until = time.perf_counter() + _SECONDS
    connections = (_connection(host, int(port), request, until) for _ in range(_CONNECTIONS))
    return [seconds for taken in await asyncio.gather(*connections) for seconds in taken]


async def _connection(host: str, port: int, request: bytes, until: float) -> list[float]:
    """Ask again and again on one connection. A raw socket: a client library would cost more than the server."""
    reader, writer = await asyncio.open_connection(host, port)
    taken = []
    while (began := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        taken.append(time.perf_counter() - began)
    writer.close()
    return taken


@contextmanager
def _bare_server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        argv = [sys.executable, "-c", _BARE, str(listener.fileno())]
        process = subprocess.Popen(argv, cwd=ROOT, pass_fds=[listener.fileno()])
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.terminate()
            process.wait()


def _api_key(url: str, link: str) -> str:
    with httpx.Client(base_url=url + "/api/v1") as client:
        body = {"token": link.partition("#")[2], "email": "bench@example.org", "password": "three unrelated words"}
        session = client.post("/links/accept", json=body).json()["session"]
        client.headers["X-CSRF-Token"] = session["csrf_token"]
        made = client.post("/apikeys", json={"name": "bench", "scopes": ["read"]})
        return str(made.json()["key"])
