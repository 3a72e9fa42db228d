"""One listener a process: hears that events were committed, reads them once, hands them to every open stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archive import log
from archive.events.service import CHANNEL, Position, Published, present, read_after, readable_from, unsettled

if TYPE_CHECKING:
    from archive.db import Database

_log = log.get("events")
# Looked for without being told, in case a notification was lost with its connection.
_PATIENCE = 5.0
_SETTLING = 0.1
_QUEUE = 1000
Queue = asyncio.Queue[Published | None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one stream reads: every event after ``start``, each once and in order."""

    start: Position
    # What came between the position asked for and ``start`` cannot be told any more.
    gap: bool
    events: AsyncIterator[Published]


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
            self._end(stream)

    @asynccontextmanager
    async def subscribe(self, after: Position | None) -> AsyncIterator[Subscription]:
        """Give events from a position on; from now on if none is given, or if it lies too far back or ahead."""
        queue: Queue = asyncio.Queue(_QUEUE)
        # Before the backlog is read, so that nothing falls between the two. What is handed on from here on is queued.
        self._streams.add(queue)
        start = self._position
        try:
            if after is not None and await self._reaches(after):
                yield Subscription(after, gap=False, events=self._events(queue, after))
            else:
                yield Subscription(start, gap=after is not None, events=self._events(queue, None))
        finally:
            self._streams.discard(queue)

    async def _reaches(self, position: Position) -> bool:
        async with self._database.transaction() as session:
            return await readable_from(session, position)

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
            except Exception as error:  # noqa: BLE001  # nobody would start this task again
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
            except Exception as error:  # noqa: BLE001  # likewise
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
                        self._end(stream)
            if not more:
                return
            if not events:
                # Committed, but behind an older transaction that still runs.
                await asyncio.sleep(_SETTLING)

    def _end(self, stream: Queue) -> None:
        """End a stream where it is: what it is not given now, it asks for when it comes back."""
        self._streams.discard(stream)
        while not stream.empty():
            stream.get_nowait()
        stream.put_nowait(None)
