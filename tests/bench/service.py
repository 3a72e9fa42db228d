"""The service as a process of its own, as ``./run`` starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Service:
    url: str
    link: str | None
    seconds: float
    data: Path
    process: subprocess.Popen[str]


@contextmanager
def running(data: Path, workers: int = 1) -> Iterator[Service]:
    """Start it; gives its address and how long it took from the command to "ready"."""
    environment = os.environ | {"TAGPHOTO_DATA": str(data), "TAGPHOTO_WORKERS": str(workers)}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    url = next(found.group(1) for line in process.stderr if (found := re.search(r"ready\s+(http\S+)", line)))
    seconds = time.perf_counter() - began
    link = process.stderr.readline() if not (data / "seen").exists() else ""
    (data / "seen").touch()
    found = re.search(r"http\S+#\S+", link)
    try:
        yield Service(url, found.group() if found else None, seconds, data, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
