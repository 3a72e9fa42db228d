"""Reading no faster than somebody allows: verifying must never be what makes a library slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from storage import Store

# A job that is told to stop, or a person who presses Ctrl-C, does not wait for longer than this.
_STEP = 0.5


class Pace:
    """At most so many bytes a second, over all that is read under it. Time in which nothing was read is not made up."""

    def __init__(
        self,
        rate: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._clock, self._sleep = clock, sleep
        self._free_at = clock()
        self.spent = 0

    async def spend(self, size: int) -> None:
        """Account for bytes that were read, and wait until the next may be."""
        self.spent += size
        self._free_at = max(self._free_at, self._clock()) + size / self._rate
        while (left := self._free_at - self._clock()) > 0:
            await self._sleep(min(left, _STEP))


class _Reading:
    """The part of a store that verifying and healing use, reading at a pace."""

    def __init__(self, store: Store, pace: Pace) -> None:
        self._store, self._pace = store, pace

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        pieces = cast("AsyncGenerator[bytes, None]", self._store.read_range(key, start, length))
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
                await self._pace.spend(len(piece))

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        return await self._store.put(key, body)

    async def ping(self) -> None:
        await self._store.ping()


def paced(store: Store, pace: Pace) -> Store:
    """Give a store whose objects are read at a pace; of it we only read and write objects, and ask if it is there."""
    return cast("Store", _Reading(store, pace))
