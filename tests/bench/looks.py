"""Whom a new asset is worth comparing with, in a library of a million looks: hashes in memory, marks in PostgreSQL."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray

from archive.db import Database, create_engine
from archive.duplicates.candidates import by_marks
from archive.duplicates.nearby import Nearby
from archive.ids import new_id
from tests.bench.figure import Figure, percentile
from tests.support.cluster import running

_SIZES = (100_000, 1_000_000)
_KEYS, _BITS, _BLOCK = 44, 26, 10_000
_ASKED = 100
_ORIENTATIONS = 8
_COLUMNS = ("asset_id", "library_id", "version", "hash", "keys")


def measure() -> Iterator[Figure]:
    for size in _SIZES:
        with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as cluster:
            yield from asyncio.run(_measured(cluster.dsn("template"), size))


async def _measured(dsn: str, size: int) -> list[Figure]:
    chance = np.random.default_rng(1)
    connection = await asyncpg.connect(dsn)
    # Looks without their assets: what is measured reads neither.
    await connection.execute("SET session_replication_role = replica")
    library = new_id()
    await _fill(connection, library, size, chance)
    engine = create_engine(dsn, pool_size=1, command_timeout=None)
    database, nearby, stranger = Database(engine), Nearby(), new_id()
    name = f"of {size:,}"
    figures = [Figure("looks", f"{name}: index of keys", await _bytes(connection) / size, "bytes a look")]
    async with database.transaction() as session:
        started = time.perf_counter()
        await nearby.near(session, library, _hashes(chance), but=stranger)
        figures.append(Figure("looks", f"{name}: read into memory", time.perf_counter() - started, "s"))
        near, marks = list[float](), list[float]()
        keys = await connection.fetch("SELECT keys FROM look ORDER BY asset_id LIMIT $1", _ASKED)
        for row in keys:
            started = time.perf_counter()
            await nearby.near(session, library, _hashes(chance), but=stranger)
            near.append(1000 * (time.perf_counter() - started))
            started = time.perf_counter()
            await by_marks(session, library, stranger, row["keys"])
            marks.append(1000 * (time.perf_counter() - started))
    for what, times in (("near hashes", near), ("shared marks", marks)):
        figures += [Figure("looks", f"{name}: {what}, p{at}", percentile(times, at / 100), "ms") for at in (50, 99)]
    await engine.dispose()
    await connection.close()
    return figures


async def _fill(connection: Any, library: UUID, size: int, chance: np.random.Generator) -> None:
    await connection.execute("DROP INDEX ix_look_keys")
    # Signs are not even: some keys are far more frequent than others.
    odds = chance.random(_BITS) * 0.5 + 0.25
    for _ in range(0, size, _BLOCK):
        rows = _rows(library, odds, chance)
        await connection.copy_records_to_table("look", records=rows, columns=_COLUMNS)
    await connection.execute("SET maintenance_work_mem = '1GB'")
    await connection.execute("CREATE INDEX ix_look_keys ON look USING gin (keys)")
    await connection.execute("ANALYZE look")


def _rows(library: UUID, odds: NDArray[np.float64], chance: np.random.Generator) -> list[tuple[Any, ...]]:
    keys = (chance.random((_BLOCK, _KEYS, _BITS), np.float32) < odds) @ (1 << np.arange(_BITS))
    hashes = chance.integers(-(2**63), 2**63 - 1, _BLOCK)
    return [(new_id(), library, 1, hash_, some) for hash_, some in zip(hashes.tolist(), keys.tolist(), strict=True)]


def _hashes(chance: np.random.Generator) -> list[int]:
    return [int(one) for one in chance.integers(0, 2**63, _ORIENTATIONS)]


async def _bytes(connection: Any) -> int:
    return int(await connection.fetchval("SELECT pg_relation_size('ix_look_keys')"))
