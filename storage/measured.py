"""A store that tells somebody how its calls went: for metrics, without knowing any."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import TypeVar, cast

from storage.base import ObjectExists, ObjectMissing, Stat, Store, StoreRefused, StoreUnavailable

T = TypeVar("T")
Observe = Callable[[str, str, float, int], None]

_OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (ObjectMissing, "missing"),
    (ObjectExists, "exists"),
    (StoreRefused, "refused"),
    (StoreUnavailable, "unavailable"),
    (asyncio.CancelledError, "cancelled"),
    (GeneratorExit, "ok"),  # a reader that has enough is no failure
)


class MeasuredStore:
    """Calls ``observe(operation, outcome, seconds, size)`` after each call to the store within.

    An operation is the method's name. An outcome is ok, missing, exists, refused, unavailable, cancelled, or error for
    what is not the store's: a bad key, a body that broke off. Seconds are those the store took, without what was
    waited for a body or for a reader. The size is in bytes, 0 where none are moved; of an object that was not written
    it is what had been taken of the body.
    """

    def __init__(self, store: Store, observe: Observe, clock: Callable[[], float] = time.perf_counter) -> None:
        self._store = store
        self._observe = observe
        self._clock = clock

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Write an object."""
        with self._measured("put") as call:
            return await call.timed(self._store.put(key, call.taken(body)))

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Read part of an object."""
        with self._measured("read_range") as call:
            async with aclosing(call.passed(self._store.read_range(key, start, length))) as pieces:
                async for piece in pieces:
                    call.size += len(piece)
                    yield piece

    async def read(self, key: str) -> bytes:
        """Read a small object whole."""
        with self._measured("read") as call:
            content = await call.timed(self._store.read(key))
            call.size = len(content)
            return content

    async def stat(self, key: str) -> Stat:
        """Describe an object."""
        with self._measured("stat") as call:
            return await call.timed(self._store.stat(key))

    async def delete(self, key: str) -> None:
        """Delete an object."""
        with self._measured("delete") as call:
            await call.timed(self._store.delete(key))

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Go through the objects."""
        with self._measured("list") as call:
            async with aclosing(call.passed(self._store.list(prefix))) as entries:
                async for found in entries:
                    yield found

    async def ping(self) -> None:
        """Fail unless the store can be reached."""
        with self._measured("ping") as call:
            await call.timed(self._store.ping())

    async def close(self) -> None:
        """Let go of connections."""
        await self._store.close()

    @contextmanager
    def _measured(self, operation: str) -> Iterator[_Call]:
        call, outcome = _Call(self._clock), "ok"
        try:
            yield call
        except BaseException as error:
            outcome = next((name for kind, name in _OUTCOMES if isinstance(error, kind)), "error")
            raise
        finally:
            self._observe(operation, outcome, call.seconds, call.size)


class _Call:
    """What one call took so far."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds = 0.0
        self.size = 0

    async def timed(self, work: Awaitable[T]) -> T:
        begun = self._clock()
        try:
            return await work
        finally:
            self.seconds += self._clock() - begun

    async def taken(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass a body on; the time until it gives its pieces is not the store's."""
        while True:
            begun = self._clock()
            try:
                piece = await anext(body, None)
            finally:
                self.seconds -= self._clock() - begun
            if piece is None:
                return
            self.size += len(piece)
            yield piece

    async def passed(self, stream: AsyncIterator[T]) -> AsyncGenerator[T]:
        """Pass a stream of the store's on; the time a reader takes between is not the store's."""
        async with aclosing(cast("AsyncGenerator[T]", stream)) as pieces:
            while True:
                try:
                    piece = await self.timed(anext(pieces))
                except StopAsyncIteration:
                    return
                yield piece
