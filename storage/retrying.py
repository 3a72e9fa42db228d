"""Trying again: with growing, random pauses, a bounded number of times, only where a call may safely run twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar, cast

from storage.base import CHUNK, Stat, Store, StoreRefused, StoreUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is made, and how long is waited between."""

    attempts: int = 5
    # Before the second attempt, at most; doubled before each one after it, up to the longest.
    pause: float = 0.2
    longest: float = 10.0
    # Seconds after the first failure in which another attempt may begin.
    total: float = 120.0

    def pauses(self) -> Iterator[float]:
        """Give the pause before each further attempt. All of it is random: clients that failed together part."""
        end = time.monotonic() + self.total
        for number in range(self.attempts - 1):
            pause = random.uniform(0, min(self.longest, self.pause * 2**number))  # noqa: S311  # guards no secret
            if time.monotonic() + pause > end:
                return
            yield pause


PATIENT = Patience()


async def retried(call: Callable[[], Awaitable[T]], patience: Patience) -> T:
    """Call until it succeeds or patience ends; what a store refuses for good is not asked again."""
    pauses = patience.pauses()
    while True:
        try:
            return await call()
        except StoreUnavailable as error:
            await _pause(pauses, error)


async def _pause(pauses: Iterator[float], error: StoreUnavailable) -> None:
    pause = None if isinstance(error, StoreRefused) else next(pauses, None)
    if pause is None:
        raise error
    await asyncio.sleep(pause)


class RetryingStore:
    """A store that tries again what may run twice. A put may not: its body is a stream, gone once it was read."""

    def __init__(self, store: Store, *, attempts: int = PATIENT.attempts, pause: float = PATIENT.pause) -> None:
        self._store = store
        self._patience = Patience(attempts, pause)

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Write an object; once, for the body cannot be had again."""
        return await self._store.put(key, body)

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Read part of an object; a read that breaks off goes on where it stopped."""
        at, end = start, None if length is None else start + length
        pauses, renewed = self._patience.pauses(), start
        while True:
            left = None if end is None else end - at
            try:
                async with aclosing(_generator(self._store.read_range(key, at, left))) as pieces:
                    async for piece in pieces:
                        yield piece
                        at += len(piece)
                        if at - renewed >= CHUNK:  # it gets on, so patience begins anew
                            pauses, renewed = self._patience.pauses(), at
            except StoreUnavailable as error:
                if at > start and at == end:  # whatever broke, all was read
                    return
                await _pause(pauses, error)
            else:
                return

    async def read(self, key: str) -> bytes:
        """Read a small object whole."""
        return await retried(lambda: self._store.read(key), self._patience)

    async def stat(self, key: str) -> Stat:
        """Describe an object."""
        return await retried(lambda: self._store.stat(key), self._patience)

    async def delete(self, key: str) -> None:
        """Delete an object; that a lost answer makes it happen twice is no error."""
        await retried(lambda: self._store.delete(key), self._patience)

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Go through the objects; a list that breaks off goes on after the last key."""
        last = ""
        pauses = self._patience.pauses()
        while True:
            try:
                async with aclosing(_generator(self._store.list(prefix))) as entries:
                    async for found in entries:
                        if found.key > last:
                            yield found
                            last = found.key
                            pauses = self._patience.pauses()
            except StoreUnavailable as error:
                await _pause(pauses, error)
            else:
                return

    async def ping(self) -> None:
        """Fail unless the store can be reached."""
        await retried(self._store.ping, self._patience)

    async def close(self) -> None:
        """Let go of connections."""
        await self._store.close()


def _generator(stream: AsyncIterator[T]) -> AsyncGenerator[T]:
    """Every store's streams are generators; the protocol does not ask it of readers to know."""
    return cast("AsyncGenerator[T]", stream)
