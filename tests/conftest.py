"""The servers the tests run on: our own embedded ones, one cluster a test process, a fresh database a test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from fastapi import FastAPI

from api.app import create_app
from archive import log
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings, read_settings
from storage.memory import MemoryStore
from tests.support import people
from tests.support.cluster import Cluster, running
from tests.support.people import Person
from tests.support.service import Service

_numbers = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary folders to ourselves.

    Every start of pytest, in whatever project, makes the folder that is usually above them readable for its owner only.
    As root our embedded servers run as somebody else, and would lose their data in the middle of a run.
    """
    if config.option.basetemp is None and not hasattr(config, "workerinput"):
        config.option.basetemp = tempfile.mkdtemp(prefix="tagphoto-tests-")
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> None:
    """Tests say themselves what is set."""
    for name in [name for name in os.environ if name.startswith("TAGPHOTO_")]:
        del os.environ[name]
    log.configure("error")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
async def addresses(cluster: Cluster) -> AsyncIterator[Addresses]:
    """A migrated database and an empty Redis, for this test alone."""
    name = f"test{next(_numbers)}"
    await cluster.execute(f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
    client = redis.Redis.from_url(cluster.redis_url)
    client.flushall()
    client.close()
    yield Addresses(database=cluster.dsn(name), redis=cluster.redis_url, store="memory:")
    await cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


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


NewService = Callable[..., Service]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that the tests of a file share."""
    started = Service(tmp_path_factory.mktemp("service") / "data")
    yield started.ready()
    started.end()


@pytest.fixture
def serve() -> Iterator[NewService]:
    """Starts services of a test's own."""
    started: list[Service] = []

    def start(data: Path, **more: Any) -> Service:
        started.append(Service(data, **more))
        return started[-1]

    yield start
    for one in started:
        one.end()


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
