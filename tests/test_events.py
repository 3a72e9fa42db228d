"""Server-sent events over real sockets and several API processes: everything once, in order, only to who may see it."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from api.app import create_app
from api.deps import identify
from api.stream import _Follower, _lines
from archive.db import Database
from archive.events.hub import Hub, Subscription
from archive.events.service import Position, present, publish, read_after, unsettled
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings
from storage.memory import MemoryStore
from tests.conftest import MakePerson
from tests.support.live import served
from tests.support.people import Person, code_of


class Stream:
    """An open stream, as a browser reads it."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_id = ""

    async def next(self) -> tuple[str, Any]:
        """The next event: its name and its data."""
        while "data" not in (fields := await self.block()):
            pass
        return fields["event"], json.loads(fields["data"])

    async def block(self) -> dict[str, str]:
        """The next lines up to an empty one. Their id counts even where they are no event."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if not line:
                    self.last_id = fields.get("id", self.last_id)
                    return fields
                fields[name] = value
        raise Ended


class Ended(Exception):
    """The stream ended."""


@asynccontextmanager
async def stream(url: str, who: Person, last_id: str = "") -> AsyncIterator[Stream]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    cookies = {name: value for name, value in who.http.cookies.items() if value}
    async with (
        httpx.AsyncClient(base_url=url, cookies=cookies, timeout=30) as client,
        client.stream("GET", "/api/v1/stream", headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        opened = Stream(response.aiter_lines())
        assert "retry" in await opened.block()  # the greeting: from here on nothing is missed
        yield opened


@asynccontextmanager
async def followed(app: FastAPI, who: Person, last_id: str = "") -> AsyncIterator[Stream]:
    """A stream without a socket between, on which a quiet moment is a short one."""
    runtime: Runtime = app.state.runtime
    cookie = "; ".join(f"{name}={value}" for name, value in who.http.cookies.items())
    request = Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})
    async with runtime.database.transaction() as session:
        caller = await identify(session, request, runtime.session_lifetime)
    follower = _Follower(runtime, request, caller, quiet=0.2)
    async with aclosing(_lines(app.state.hub, follower, Position.parse(last_id))) as blocks:
        opened = Stream(line async for block in blocks for line in block.split("\n")[:-1])
        assert "retry" in await opened.block()
        yield opened


async def number_of_next(subscription: Subscription) -> int:
    return int((await anext(subscription.events)).data["number"])


async def tell_many(runtime: Runtime, numbers: range) -> None:
    async with runtime.database.transaction() as session:
        for number in numbers:
            publish(session, "test", {"number": number})


async def from_another_cluster(runtime: Runtime) -> None:
    """Leave an event as a dump of a busier cluster would."""
    async with runtime.database.transaction() as session:
        await session.execute(text("INSERT INTO event (kind, data, transaction) VALUES ('test', '{}', 800000000)"))


async def tell(runtime: Runtime, number: int, library: str | None = None) -> None:
    async with runtime.database.transaction() as session:
        publish(session, "test", {"number": number}, UUID(library) if library else None)


async def test_events_arrive_in_order_at_everybody_who_may_see_them(app: FastAPI, person: MakePerson) -> None:
    anna, boris = await person(), await person("boris@example.org")
    runtime: Runtime = app.state.runtime
    async with served_again(app) as url, stream(url, anna) as hers, stream(url, boris) as his:
        await tell(runtime, 0)  # for admins
        await tell(runtime, 1, anna.library)
        await tell(runtime, 2, boris.library)
        await tell(runtime, 3, anna.library)
        assert [(await hers.next())[1]["number"] for _ in range(2)] == [1, 3]
        assert (await his.next())[1]["number"] == 2


async def test_a_stream_resumes_where_it_was_cut_on_another_process(
    app: FastAPI, person: MakePerson, settings: Settings, addresses: Addresses
) -> None:
    anna = await person()
    runtime: Runtime = app.state.runtime
    other = create_app(lambda: open_runtime(settings, addresses, pool_size=2, store=MemoryStore()))
    async with served_again(app) as first, served(other) as second:
        async with stream(first, anna) as cut:
            await tell(runtime, 1, anna.library)
            await cut.next()
        for number in range(2, 700):  # more than one reading of the backlog
            await tell(runtime, number, anna.library)
        async with stream(second, anna, cut.last_id) as resumed:
            await tell(runtime, 700, anna.library)
            assert [(await resumed.next())[1]["number"] for _ in range(2, 701)] == list(range(2, 701))


async def test_what_commits_late_is_not_missed(runtime: Runtime) -> None:
    """The first transaction takes the lower id and commits after the second: its event comes, and comes first."""
    hub = Hub(runtime.database)
    async with hub.open(), hub.subscribe(None) as subscription:
        async with runtime.database.transaction() as slow:
            publish(slow, "test", {"number": 1})
            await slow.flush()
            await tell(runtime, 2)
            early = asyncio.ensure_future(anext(subscription.events))
            await asyncio.sleep(0.3)
            assert not early.done()
        seen = [(await early).data["number"], await number_of_next(subscription)]
    assert seen == [1, 2]


async def test_a_rolled_back_event_was_none(runtime: Runtime) -> None:
    with pytest.raises(RuntimeError):
        async with runtime.database.transaction() as session:
            publish(session, "test", {})
            raise RuntimeError
    async with runtime.database.transaction() as session:
        assert await read_after(session, Position(0, 0)) == []


async def test_listening_survives_a_lost_connection(runtime: Runtime) -> None:
    hub = Hub(runtime.database)
    async with hub.open(), hub.subscribe(None) as subscription:
        await tell(runtime, 1)
        assert await number_of_next(subscription) == 1
        async with Database(runtime.database.engine).transaction() as session:
            ours = "pid <> pg_backend_pid() AND datname = current_database()"
            await session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"))
        async with asyncio.timeout(30):
            # The pool may not have heard yet that this connection is lost, too.
            while True:
                with suppress(DBAPIError):
                    await tell(runtime, 2)
                    break
            assert await number_of_next(subscription) == 2


async def test_a_reader_that_cannot_keep_up_is_ended_and_misses_nothing_when_it_returns(runtime: Runtime) -> None:
    hub = Hub(runtime.database)
    async with hub.open():
        async with hub.subscribe(None) as slow:
            await tell(runtime, 0)
            first = await anext(slow.events)
            await tell_many(runtime, range(1, 1501))
            async with asyncio.timeout(30):
                while hub._streams:
                    await asyncio.sleep(0.05)
                assert [event async for event in slow.events] == []
        async with hub.subscribe(first.position) as again:
            assert [await number_of_next(again) for _ in range(1500)] == list(range(1, 1501))


async def test_a_shutdown_gives_a_reader_behind_nothing_after_a_loss(runtime: Runtime) -> None:
    hub = Hub(runtime.database)
    async with hub.open(), hub.subscribe(None) as slow:
        await tell_many(runtime, range(1000))
        (queue,) = hub._streams
        async with asyncio.timeout(30):
            while not queue.full():
                await asyncio.sleep(0.05)
        hub.end_streams()
        assert [event async for event in slow.events] == []
        assert not hub._streams


async def test_every_connection_being_in_use_does_not_end_the_listening(addresses: Addresses) -> None:
    connect = partial(asyncpg.connect, addresses.database)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, pool_size=2, max_overflow=0, pool_timeout=0.1
    )
    database = Database(engine)
    hub = Hub(database)
    async with hub.open(), hub.subscribe(None) as subscription:
        async with database.transaction() as only:  # the listener has the other one
            publish(only, "test", {"number": 1})
            hub._rung.set()
            await asyncio.sleep(0.5)
        async with asyncio.timeout(30):
            assert await number_of_next(subscription) == 1
    await database.close()


async def test_rows_of_another_cluster_keep_nobody_waiting(runtime: Runtime) -> None:
    """A restored dump brings transactions that are still to come here."""
    await from_another_cluster(runtime)
    async with runtime.database.transaction() as session:
        here = await present(session)
        assert await unsettled(session, here) is False
        await session.execute(text("SELECT pg_current_xact_id()"))
        await tell(runtime, 1)
        assert await unsettled(session, here) is True


async def test_a_position_of_another_cluster_is_none(app: FastAPI, person: MakePerson) -> None:
    anna = await person()
    runtime: Runtime = app.state.runtime
    await from_another_cluster(runtime)
    async with served_again(app) as url, stream(url, anna, "900000000-7") as restored:
        await tell(runtime, 1, anna.library)
        assert [await restored.next() for _ in range(2)] == [("reset", {}), ("test", {"number": 1})]


async def test_a_stream_has_a_position_before_its_first_event(app: FastAPI, person: MakePerson) -> None:
    anna = await person()
    runtime: Runtime = app.state.runtime
    await tell(runtime, 0, anna.library)
    async with served_again(app) as url:
        async with stream(url, anna) as cut:
            assert cut.last_id
        await tell(runtime, 1, anna.library)
        async with stream(url, anna, cut.last_id) as resumed:
            assert resumed.last_id == cut.last_id
            await tell(runtime, 2, anna.library)
            assert [(await resumed.next())[1]["number"] for _ in range(2)] == [1, 2]


async def test_a_position_whose_events_are_forgotten_begins_with_a_reset(app: FastAPI, person: MakePerson) -> None:
    anna = await person()
    runtime: Runtime = app.state.runtime
    async with served_again(app) as url:
        async with stream(url, anna) as cut:
            for number in range(3):
                await tell(runtime, number, anna.library)
            await cut.next()
        async with runtime.database.transaction() as session:
            await session.execute(text("DELETE FROM event WHERE (data->>'number')::int < 2"))
        async with stream(url, anna, cut.last_id) as resumed:
            assert await resumed.next() == ("reset", {})
            await tell(runtime, 3, anna.library)
            told = (await resumed.next())[1]
            # A transaction that was open anywhere at the moment of the reset holds back what came just before.
            assert told in ({"number": 2}, {"number": 3})
            if told == {"number": 2}:
                assert (await resumed.next())[1] == {"number": 3}


async def test_quiet_comments_carry_the_position_of_what_others_did(app: FastAPI, person: MakePerson) -> None:
    anna, boris = await person(), await person("boris@example.org")
    async with followed(app, anna) as hers:
        before = hers.last_id
        await tell(app.state.runtime, 1, boris.library)
        async with asyncio.timeout(20):
            while hers.last_id == before:
                assert "data" not in await hers.block()
        async with followed(app, anna, hers.last_id) as resumed:
            await tell(app.state.runtime, 2, anna.library)
            assert (await resumed.next())[1] == {"number": 2}


async def test_a_demoted_admin_hears_no_more_of_the_installation(app: FastAPI, person: MakePerson) -> None:
    admin = await person("admin@example.org", admin=True)
    runtime: Runtime = app.state.runtime
    async with followed(app, admin) as theirs:
        await tell(runtime, 1)
        assert (await theirs.next())[1] == {"number": 1}
        async with runtime.database.transaction() as session:
            await session.execute(text("UPDATE account SET is_admin = false"))
        while "" not in await theirs.block():  # a comment: it was asked who they are
            pass
        await tell(runtime, 2)
        await tell(runtime, 3, admin.library)
        assert (await theirs.next())[1] == {"number": 3}


async def test_a_stream_ends_with_the_session(app: FastAPI, person: MakePerson) -> None:
    anna = await person()
    async with followed(app, anna) as hers:
        await anna.delete("/session")
        with pytest.raises(Ended):
            await hers.next()


async def test_a_database_that_goes_away_ends_a_stream_quietly(app: FastAPI, person: MakePerson) -> None:
    """As an error of ours it would come out of the stream, and end in the log with its traceback."""
    anna = await person()
    runtime: Runtime = app.state.runtime
    async with followed(app, anna) as hers:
        async with runtime.database.transaction() as session:
            await session.execute(text("ALTER TABLE session RENAME TO elsewhere"))
        with pytest.raises(Ended):
            await hers.next()


async def test_a_client_that_goes_away_leaves_no_stream_behind(app: FastAPI, person: MakePerson) -> None:
    anna = await person()
    hub: Hub = app.state.hub
    async with served_again(app) as url:
        async with stream(url, anna):
            assert len(hub._streams) == 1
        async with asyncio.timeout(10):
            while hub._streams:
                await asyncio.sleep(0.01)


async def test_a_server_that_ends_leaves_no_connection_open(app: FastAPI, person: MakePerson) -> None:
    """Not even one whose client neither reads nor leaves."""
    anna = await person()
    cookie = "; ".join(f"{name}={value}" for name, value in anna.http.cookies.items())
    async with served_again(app) as url:
        port = int(url.rpartition(":")[2])
        stuck = socket.create_connection(("127.0.0.1", port))
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(f"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
        while not app.state.hub._streams:
            await asyncio.sleep(0.01)
        async with app.state.runtime.database.transaction() as session:
            for _ in range(100):
                publish(session, "test", {"filler": "x" * 100_000}, UUID(anna.library))
        await asyncio.sleep(1)
    with stuck:
        ends: list[Any] = [end for end in gc.get_objects() if issubclass(type(end), asyncio.Transport)]
        assert [end for end in ends if end.get_extra_info("sockname") == stuck.getpeername() and end._sock] == []


async def test_job_progress_reaches_admins_only(app: FastAPI, person: MakePerson) -> None:
    anna, admin = await person(), await person("admin@example.org", admin=True)
    async with served_again(app) as url, stream(url, admin) as theirs, stream(url, anna) as hers:
        job = (await admin.post("/jobs", {"kind": "upkeep.selfcheck"})).json()
        await admin.post(f"/jobs/{job['id']}/cancel")
        name, data = await theirs.next()
        assert (name, data["id"], data["state"]) == ("job", job["id"], "cancelled")
        await tell(app.state.runtime, 1, anna.library)
        assert (await hers.next())[1] == {"number": 1}


async def test_streams_need_a_caller(app: FastAPI, person: MakePerson) -> None:
    anna = await person()
    anna.http.cookies.clear()
    assert code_of(await anna.get("/stream")) == "not-signed-in"


@pytest.mark.parametrize("written", ["", "1", "1-", "-1", "a-b", "1-2-3", "9" * 40 + "-1"])
def test_nonsense_is_no_position(written: str) -> None:
    assert Position.parse(written) is None


def test_positions_are_written_and_read_back() -> None:
    assert Position.parse(str(Position(812, 44))) == Position(812, 44)


@asynccontextmanager
async def served_again(app: FastAPI) -> AsyncIterator[str]:
    """Serve an application whose runtime the fixture has opened already."""
    runtime, hub = app.state.runtime, app.state.hub

    @asynccontextmanager
    async def nothing(_app: FastAPI) -> AsyncIterator[None]:
        app.state.runtime, app.state.hub = runtime, hub
        yield

    app.router.lifespan_context = nothing
    async with served(app) as url:
        yield url
