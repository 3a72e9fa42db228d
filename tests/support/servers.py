"""Run a program of ours beside the tests, without the supervisor that is itself under test."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from archive.supervisor import Program


@contextmanager
def running(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    process = start(program)
    try:
        yield process
    finally:
        stop(program, process)


def start(program: Program) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        program.argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=program.enter,  # noqa: PLW1509  # as the supervisor does
        cwd=program.folder,
    )
    deadline = time.monotonic() + 30
    while program.ready is not None and not asyncio.run(_ready(program)):
        if time.monotonic() > deadline or process.poll() is not None:
            raise AssertionError(f"{program.name} did not start")
        time.sleep(0.05)
    return process


def stop(program: Program, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(program.stop_signal)
    process.wait(30)


async def _ready(program: Program) -> bool:
    assert program.ready is not None
    return await program.ready()
