"""Buckets and pages of a large library: over HTTP in this process, and what of it is the database."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from api.app import create_app
from api.cli import common
from archive import log
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, read_settings
from archive.timeline import folding, queries, tiles
from archive.timeline.filters import Filters
from storage.memory import MemoryStore
from tests.bench.figure import Figure, percentile
from tests.support import people
from tests.support.cluster import Cluster, running

_SIZES = {"100k": 100_000, "1M": 1_000_000}
_TIMES, _TILES = 100, 200
_GOAL = "p99 < 50 ms"
# Twenty years, with weekends that are hundred times fuller than other days, as clubs have them. Every tenth has a part,
# every fiftieth is a video; each has a thumbnail and a preview.
_ID = "lpad(to_hex(n), 31, '0'))::uuid"
_FILL = (
    f"""INSERT INTO file (id, library_id, kind, state, size, key_version, wrapped)
    SELECT (kind.letter || {_ID}, $1, kind.name, 'whole', 1, 1, ''
    FROM generate_series(1, $2::int) n
    CROSS JOIN (VALUES ('f', 'original'), ('d', 'rendition'), ('e', 'rendition')) kind (letter, name)""",
    f"""INSERT INTO asset (id, library_id, original_id, name, media_type, size, identity, identity_sha1, kind, taken_at,
        camera, archived, favourite, rating, shown_with, part)
    SELECT ('a' || {_ID}, $1, ('f' || {_ID}, 'IMG_' || n || '.jpg', 'image/jpeg', 1, ('i' || n)::bytea,
        ('i' || n)::bytea, CASE WHEN n % 50 = 0 THEN 'video' ELSE 'photo' END,
        timestamp '2004-01-01' + (n % 1040) * interval '7 days' + (n % 100 = 0)::int * (n % 7) * interval '1 day'
            + (n % 40000) * interval '1 second',
        'Camera ' || n % 7, n % 1000 = 0, n % 500 = 0, CASE WHEN n % 20 = 0 THEN n % 5 END,
        CASE WHEN n % 10 = 3 THEN ('a' || {_ID.replace("(n)", "(n - 1)")} END, CASE WHEN n % 10 = 3 THEN 'raw' END
    FROM generate_series(1, $2::int) n""",
    f"""INSERT INTO rendition (asset_id, name, file_id, media_type)
    SELECT ('a' || {_ID}, kind.name, (kind.letter || {_ID}, 'image/webp'
    FROM generate_series(1, $2::int) n CROSS JOIN (VALUES ('d', 'thumb'), ('e', 'preview')) kind (letter, name)
    WHERE $1::uuid IS NOT NULL""",
    "INSERT INTO album (id, library_id, name) SELECT $1, $1, 'all' WHERE $2::int > 0",
    f"""INSERT INTO album_asset (album_id, asset_id, place)
    SELECT $1::uuid, ('a' || {_ID.replace("(n)", "(n * 10)")}, n
    FROM generate_series(1, least(10000, $2::int / 10)) n""",
    "INSERT INTO tag (id, library_id, name) SELECT $1, $1, 'rare' WHERE $2::int > 0",
    f"""INSERT INTO asset_tag (tag_id, asset_id, source)
    SELECT $1::uuid, ('a' || {_ID.replace("(n)", "(n * 100)")}, 'user' FROM generate_series(1, $2::int / 100) n""",
)


def measure() -> Iterator[Figure]:
    log.configure("error")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "cluster").mkdir()
        with running(Path(folder) / "cluster") as cluster:
            for name, size in _SIZES.items():
                yield from asyncio.run(_measured(cluster, Path(folder), name, size))


async def _measured(cluster: Cluster, folder: Path, name: str, size: int) -> list[Figure]:
    await cluster.execute(f"CREATE DATABASE bench{size} TEMPLATE template")
    addresses = Addresses(cluster.dsn(f"bench{size}"), cluster.redis_url, "memory:")
    found: list[Figure] = []
    async with _opened(folder, addresses) as (runtime, person):
        await _fill(cluster.dsn(f"bench{size}"), person.library, size)
        async with runtime.database.transaction() as session:
            await folding.fold(session)
        common.settle()  # as the API's process does when it has started
        for label, ask in _questions(runtime, person).items():
            await ask()  # what is compiled once is no part of it
            taken = []
            for _ in range(_TIMES):
                began = time.perf_counter()
                await ask()
                taken.append((time.perf_counter() - began) * 1000)
            for share, of in ((0.5, "p50"), (0.99, "p99")):
                goal = _GOAL if of == "p99" else None
                found.append(Figure("timeline", f"{name}: {label}, {of}", percentile(taken, share), "ms", goal=goal))
    return found


@asynccontextmanager
async def _opened(folder: Path, addresses: Addresses) -> AsyncIterator[tuple[Runtime, people.Person]]:
    settings = read_settings(data=folder, public_url="http://photos.test")
    app = create_app(lambda: open_runtime(settings, addresses, store=MemoryStore()))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://photos.test") as client,
    ):
        runtime: Runtime = app.state.runtime
        yield runtime, await people.make(runtime, people.Person(client), "bench@example.org")


async def _fill(dsn: str, library: str, size: int) -> None:
    connection = await asyncpg.connect(dsn, command_timeout=1200)
    await connection.execute("SET session_replication_role = replica")  # without foreign keys, and without triggers
    for statement in _FILL:
        await connection.execute(statement, UUID(library), size)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute("""INSERT INTO timeline_change (library_id, day, kind, archived, assets)
        SELECT library_id, taken_at::date, kind, archived, count(*) FROM asset WHERE in_timeline GROUP BY 1, 2, 3, 4""")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _questions(runtime: Runtime, person: people.Person) -> dict[str, Callable[[], Awaitable[object]]]:
    chosen, library = random.Random(1), UUID(person.library)

    def month() -> str:
        return f"{chosen.randrange(2004, 2023)}-{chosen.randrange(1, 13):02}-01"

    def http(path: str, **asked: Any) -> Callable[[], Awaitable[object]]:
        async def ask() -> None:
            filled = {name: value() if callable(value) else value for name, value in asked.items()}
            answer = await person.get(path, params={"library": person.library, **filled})
            assert answer.status_code == 200, answer.text

        return ask

    def sql(ask: Callable[[Any], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        async def asked() -> None:
            async with runtime.database.transaction() as session:
                await ask(session)

        return asked

    album = str(library)  # as the library's, so that it need not be told

    async def page(session: Any) -> None:
        await tiles.of(session, await queries.page(session, library, Filters(), after=None, limit=_TILES))

    return {
        "buckets by month": http("/timeline/buckets"),
        "buckets by day": http("/timeline/buckets", by="day"),
        f"{_TILES} tiles": http("/timeline/assets", limit=_TILES),
        f"{_TILES} tiles of a month": http("/timeline/assets", limit=_TILES, bucket=month),
        f"{_TILES} archived tiles": http("/timeline/assets", limit=_TILES, archived=True),
        f"{_TILES} tiles of videos": http("/timeline/assets", limit=_TILES, kind="video"),
        f"{_TILES} tiles of an album of 10 000": http(f"/albums/{album}/assets", limit=_TILES),
        f"{_TILES} tiles of a tag": http("/timeline/assets", limit=_TILES, tag=album),
        "buckets of a camera (counted)": http("/timeline/buckets", camera="Camera 3"),
        "cameras": http("/timeline/values", of="camera"),
        "SQL: buckets by month": sql(lambda session: queries.kept_counts(session, library, Filters(), "month")),
        f"SQL: {_TILES} tiles": sql(page),
    }
