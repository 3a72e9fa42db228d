"""A running ``tagphoto serve``, as its operator meets it, and what tests look at from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
PATIENCE = 60


def environment(data: Path, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAGPHOTO_")}
    return clean | {"TAGPHOTO_DATA": str(data)} | {f"TAGPHOTO_{name.upper()}": value for name, value in more.items()}


def tagphoto(data: Path, *arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "api", *arguments],
        cwd=ROOT,
        env=environment(data, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def answer(data: Path, *arguments: str, stdin: str = "", **more: str) -> Any:
    """The JSON that a command prints."""
    done = tagphoto(data, *arguments, stdin=stdin, **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line a command refuses with."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    # Beside it are what 'serve' has told of its start so far, and the log.
    said = [line for line in done.stderr.splitlines() if not line.startswith(("  ", "time="))]
    assert "Traceback" not in done.stderr
    assert len(said) == 1, done.stderr
    assert said[0].startswith("tagphoto: ")
    return said[0].removeprefix("tagphoto: ")


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {PATIENCE} seconds: {what}"
        time.sleep(0.05)
    return found


def processes(data: Path) -> dict[int, str]:
    """Who works in a data folder: process id and command line."""
    mark, found = os.fsencode(data), {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            where = os.fsencode((entry / "cwd").readlink())
            known = command + where + (entry / "environ").read_bytes()
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if mark in known:
            found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def status(pid: int, field: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(field + ":"))


class Service:
    """A running ``tagphoto serve``."""

    def __init__(self, data: Path, output: Path | None = None, **more: str) -> None:
        self.data = data
        data.mkdir(parents=True, exist_ok=True)
        self.output = data.parent / "output.txt"
        with (output or self.output).open("w") as output_file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api", "serve"],
                cwd=ROOT,
                env=environment(data, **({"port": "0", "workers": "1"} | more)),
                stdin=subprocess.DEVNULL,
                stdout=output_file,
                stderr=output_file,
            )

    def ready(self) -> Service:
        until(lambda: self.said("ready") or self.process.poll() is not None, "ready")
        assert self.process.poll() is None, self.output.read_text()
        return self

    def said(self, what: str) -> str | None:
        """What it said about something, on the terminal."""
        lines = self.output.read_text().splitlines()
        return next((line[15:] for line in lines if line.startswith(f"  {what:<12} ")), None)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.said('ready')}/api/v1{path}", headers=headers, timeout=10)

    def health(self) -> str:
        try:
            return str(self.get("/health").json()["status"])
        except httpx.TransportError:
            return "away"

    def healthy(self) -> Service:
        until(lambda: self.health() == "ok", "healthy")
        return self

    def running(self, part: str) -> list[int]:
        """The processes whose command line holds this."""
        return [pid for pid, command in processes(self.data).items() if part in command]

    @property
    def postgres(self) -> int:
        """The database's process. Its file is gone for the moment between one process and the next."""
        lock = self.data / "postgres" / "postmaster.pid"
        return int(until(lambda: lock.is_file() and lock.read_text().split(), "a database")[0])

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        """Leave nothing running, whatever a test has done."""
        if self.process.poll() is None:
            self.interrupt()
        for pid in processes(self.data):
            with suppress(ProcessLookupError):  # it may have ended by itself meanwhile
                os.kill(pid, signal.SIGKILL)
