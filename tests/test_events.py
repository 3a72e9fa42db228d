"""Server-sent events over real sockets and several API processes: everything once, in order, only to who may see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from api.app import create_app
from archive.db import Database
from archive.events.hub import Hub
from archive.events.service import Position, publish, read_after
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings
from storage.memory import MemoryStore
from tests.conftest import MakePerson
from tests.support.live import served
from tests.support.people import Person, code_of


class Stream:
    """An open stream, as a browser reads it."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.last_id = ""

    async def next(self) -> tuple[str, Any]:
        """The next event: its name and its data."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif "data" in fields:
                    self.last_id = fields["id"]
                    return fields["event"], json.loads(fields["data"])
                else:
                    fields = {}
        raise AssertionError("the stream ended")


@asynccontextmanager
async def stream(url: str, who: Person, last_id: str = "") -> AsyncIterator[Stream]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    cookies = {name: value for name, value in who.http.cookies.items() if value}
    async with (
        httpx.AsyncClient(base_url=url, cookies=cookies, timeout=30) as client,
        client.stream("GET", "/api/v1/stream", headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        opened = Stream(response)
        async for line in opened._lines:  # the greeting: from here on nothing is missed
            if not line:
                break
        yield opened


async def tell(runtime: Runtime, number: int, library: str | None = None) -> None:
    async with runtime.database.transaction() as session:
        await publish(session, "test", {"number": number}, UUID(library) if library else None)


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
    async with hub.open(), hub.subscribe(None) as events:
        async with runtime.database.transaction() as slow:
            await publish(slow, "test", {"number": 1})
            await tell(runtime, 2)
            early = asyncio.ensure_future(anext(aiter(events)))
            await asyncio.sleep(0.3)
            assert not early.done()
        seen = [(await early).data["number"], (await anext(aiter(events))).data["number"]]
    assert seen == [1, 2]


async def test_a_rolled_back_event_was_none(runtime: Runtime) -> None:
    with pytest.raises(RuntimeError):
        async with runtime.database.transaction() as session:
            await publish(session, "test", {})
            raise RuntimeError
    async with runtime.database.transaction() as session:
        assert await read_after(session, Position(0, 0)) == []


async def test_listening_survives_a_lost_connection(runtime: Runtime) -> None:
    hub = Hub(runtime.database)
    async with hub.open(), hub.subscribe(None) as events:
        await tell(runtime, 1)
        assert (await anext(aiter(events))).data["number"] == 1
        async with Database(runtime.database.engine).transaction() as session:
            ours = "pid <> pg_backend_pid() AND datname = current_database()"
            await session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"))
        async with asyncio.timeout(30):
            await tell(runtime, 2)
            assert (await anext(aiter(events))).data["number"] == 2


async def test_a_reader_that_cannot_keep_up_is_ended_not_waited_for(runtime: Runtime) -> None:
    hub = Hub(runtime.database)
    async with hub.open(), hub.subscribe(None) as slow:
        for batch in range(3):
            async with runtime.database.transaction() as session:
                for number in range(500):
                    await publish(session, "test", {"number": batch * 500 + number})
        async with asyncio.timeout(30):
            await asyncio.sleep(0.5)
            got = [event async for event in slow]
    assert len(got) <= 1000


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
