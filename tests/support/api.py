"""API processes of a test's own on one listening socket, to be killed while clients talk to them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from archive.settings import Addresses
from tests.support.service import ROOT, environment, tagphoto

_PATIENCE = 60


class Api:
    """One API process at a time. The socket outlives it, so clients wait for the next one instead of being refused."""

    def __init__(self, data: Path, addresses: Addresses, store: Path, **more: str) -> None:
        self._settings = {
            "database_url": addresses.database, "redis_url": addresses.redis, "store_url": store.as_uri(),
        } | more  # fmt: skip
        self._data = data
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.process = self._start()

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run a command against the same database and store."""
        done = tagphoto(self._data, *arguments, stdin=stdin, **self._settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                if httpx.get(self.url + "/api/v1/health/live", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the API did not start"
            assert self.process.poll() is None, "the API ended"

    def kill(self) -> None:
        """Kill it as nothing can be prepared for, and start another."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = self._start()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.listener.close()

    def _start(self) -> subprocess.Popen[bytes]:
        descriptor = self.listener.fileno()
        return subprocess.Popen(
            [sys.executable, "-m", "api", "api-process", "--descriptor", str(descriptor)],
            cwd=ROOT,
            env=environment(self._data, **self._settings),
            pass_fds=(descriptor,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if "SHOW_API" not in os.environ else None,
        )


@contextmanager
def running_api(data: Path, addresses: Addresses, store: Path, **more: str) -> Iterator[Api]:
    api = Api(data, addresses, store, **more)
    try:
        api.ready()
        yield api
    finally:
        api.close()
