"""One listener a process: hears that events were committed, reads them once, hands them to every open stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from archive import log
from archive.events.service import CHANNEL, Position, Published, present, read_after, unsettled

if TYPE_CHECKING:
    from archive.db import Database

_log = log.get("events")
# Looked for without being told, in case a notification was lost with its connection.
_PATIENCE = 5.0
_SETTLING = 0.1
_QUEUE = 1000
Queue = asyncio.Queue[Published | None]


class Hub:
    """Reads events and hands them on. A stream that cannot keep up is ended; it resumes where it was."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._streams: set[Queue] = set()
        self._rung = asyncio.Event()
        self._position = Position(0, 0)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Run for as long as the block does, then end every stream."""
        async with self._database.transaction() as session:
            self._position = await present(session)
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._read())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self.end_streams()

    def end_streams(self) -> None:
        """Tell every stream to end, as before a shutdown."""
        for stream in tuple(self._streams):
            _end(stream)

    @asynccontextmanager
    async def subscribe(self, after: Position | None) -> AsyncIterator[AsyncIterator[Published]]:
        """Give events from a position (or from now) on, each once and in order."""
        queue: Queue = asyncio.Queue(_QUEUE)
        self._streams.add(queue)  # before the backlog is read, so that nothing falls between the two
        try:
            yield self._events(queue, after)
        finally:
            self._streams.discard(queue)

    async def _events(self, queue: Queue, after: Position | None) -> AsyncIterator[Published]:
        last = after or Position(0, 0)
        if after is not None:
            async for event in self._backlog(after):
                last = event.position
                yield event
        while (live := await queue.get()) is not None:
            if live.position > last:
                last = live.position
                yield live

    async def _backlog(self, position: Position) -> AsyncIterator[Published]:
        while True:
            async with self._database.transaction() as session:
                events = await read_after(session, position)
            for event in events:
                yield event
            if not events:
                return
            position = events[-1].position

    async def _listen(self) -> None:
        """Keep a connection that hears notifications; a lost one is made anew."""
        while True:
            try:
                async with self._database.engine.connect() as connection:
                    raw = (await connection.get_raw_connection()).driver_connection
                    if raw is None:
                        continue
                    try:
                        await self._hear(raw)
                    finally:
                        # Not back into the pool: it would go on listening there.
                        await connection.invalidate()
            except (DBAPIError, OSError) as error:
                _log.warning("events.listening_again", error=str(error).split("\n", 1)[0])
            await asyncio.sleep(1)

    async def _hear(self, connection: Any) -> None:  # noqa: ANN401  # asyncpg has no types
        lost = asyncio.Event()
        connection.add_termination_listener(lambda *_: lost.set())
        await connection.add_listener(CHANNEL, lambda *_: self._rung.set())
        self._rung.set()
        await lost.wait()

    async def _read(self) -> None:
        while True:
            # Not wait_for: before Python 3.12 it may swallow a cancellation that comes with the ring.
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._rung.wait()
            self._rung.clear()
            try:
                await self._hand_on()
            except (DBAPIError, OSError) as error:
                _log.warning("events.reading_again", error=str(error).split("\n", 1)[0])
                await asyncio.sleep(1)

    async def _hand_on(self) -> None:
        while True:
            async with self._database.transaction() as session:
                events = await read_after(session, self._position)
                more = bool(events) or await unsettled(session, self._position)
            for event in events:
                self._position = event.position
                for stream in tuple(self._streams):
                    try:
                        stream.put_nowait(event)
                    except asyncio.QueueFull:
                        _end(stream)
            if not more:
                return
            if not events:
                # Committed, but behind an older transaction that still runs.
                await asyncio.sleep(_SETTLING)


def _end(stream: Queue) -> None:
    with suppress(asyncio.QueueEmpty):
        while stream.full():
            stream.get_nowait()
    stream.put_nowait(None)
