"""How long from the command until the service answers: with a new data folder, and with one that is there."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure
from tests.bench.service import ROOT, running

_RUNS = 3


def measure() -> Iterator[Figure]:
    bare = statistics.median(_bare_import() for _ in range(_RUNS))
    cold: list[float] = []
    warm: list[float] = []
    for _ in range(_RUNS):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            for seconds in (cold, warm):
                with running(Path(folder)) as service:
                    seconds.append(service.seconds)
    yardstick = f"importing FastAPI and SQLAlchemy ({bare:.2f} s)"
    for name, seconds, goal in (("cold start, new data folder", cold, None), ("warm start", warm, "under 10 s")):
        middle = statistics.median(seconds)
        yield Figure("start", name, middle, "s", yardstick, middle / bare, goal)


def _bare_import() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import fastapi, sqlalchemy.ext.asyncio, uvicorn"], cwd=ROOT, check=True)
    return time.perf_counter() - began
