"""The servers the tests run on: our own embedded ones, one cluster a test process, a fresh database a test."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest
import redis
from fastapi import FastAPI

from api.app import create_app
from archive import log, schema
from archive.embedded import addresses as places_of
from archive.embedded import valkey
from archive.embedded.places import socket_folder
from archive.embedded.postgres import Postgres, find_binaries
from archive.embedded.privileges import service_user
from archive.embedded.servers import _make_socket_folder
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings, read_settings
from storage.memory import MemoryStore
from tests.support import people, servers
from tests.support.people import Person

# Tests lose nothing they want to keep in a power cut.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> None:
    """Tests say themselves what is set."""
    for name in [name for name in os.environ if name.startswith("TAGPHOTO_")]:
        del os.environ[name]
    log.configure("error")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL with a migrated template, and a Valkey."""

    settings: Settings
    postgres: Postgres
    redis_url: str

    def dsn(self, database: str) -> str:
        return f"postgresql://tagphoto@/{database}?host={socket_folder(self.settings.data)}"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    # The servers may run as another user, who has to get there.
    for parent in [folder, *folder.parents][:4]:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(0o755)
    settings = read_settings(data=folder)
    user, binaries, binary = service_user(), find_binaries(), valkey.find_binary()
    assert binaries is not None
    assert binary is not None
    _make_socket_folder(socket_folder(folder), user)
    postgres = Postgres(folder, user, binaries, _FAST)
    postgres.prepare()
    with ExitStack() as stack:
        stack.enter_context(servers.running(postgres.program()))
        stack.enter_context(servers.running(valkey.program(folder, user, binary)))
        made = Cluster(settings, postgres, places_of(settings).redis)
        asyncio.run(_make_template(made))
        yield made


async def _make_template(cluster: Cluster) -> None:
    await _execute(cluster, "CREATE DATABASE template")
    await schema.upgrade(cluster.dsn("template"))


async def _execute(cluster: Cluster, statement: str) -> None:
    connection = await asyncpg.connect(cluster.dsn("postgres"))
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def addresses(cluster: Cluster) -> AsyncIterator[Addresses]:
    """A migrated database and an empty Redis, for this test alone."""
    name = f"test{next(_numbers)}"
    await _execute(cluster, f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
    client = redis.Redis.from_url(cluster.redis_url)
    client.flushall()
    client.close()
    yield Addresses(database=cluster.dsn(name), redis=cluster.redis_url, store="memory:")
    await _execute(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data=tmp_path, public_url="http://photos.test")


@pytest.fixture
async def runtime(settings: Settings, addresses: Addresses) -> AsyncIterator[Runtime]:
    async with open_runtime(settings, addresses, pool_size=5, store=MemoryStore()) as opened:
        yield opened


@pytest.fixture
async def app(settings: Settings, addresses: Addresses) -> AsyncIterator[FastAPI]:
    made = create_app(lambda: open_runtime(settings, addresses, pool_size=5, store=MemoryStore()))
    async with made.router.lifespan_context(made):
        yield made


NewPerson = Callable[[], Person]
MakePerson = Callable[..., Awaitable[Person]]


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[NewPerson]:
    """Makes browsers in which nobody is signed in."""
    opened: list[httpx.AsyncClient] = []

    def make() -> Person:
        # Failures inside the application shall arrive as the answers a client would see.
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        opened.append(httpx.AsyncClient(transport=transport, base_url="http://photos.test"))
        return Person(opened[-1])

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
def person(app: FastAPI, stranger: NewPerson) -> MakePerson:
    """Makes people with an account, signed in."""

    async def make(email: str = "anna@example.org", *, admin: bool = False) -> Person:
        return await people.make(app.state.runtime, stranger(), email, admin=admin)

    return make
