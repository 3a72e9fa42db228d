"""Blocking calls in threads of a store's own: a hanging disk or server keeps nobody else's calls waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """A bounded number of threads."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, "store")

    async def call(
        self, function: Callable[..., T], *arguments: object, undo: Callable[[T], object] | None = None
    ) -> T:
        """Call in a thread. Who is cancelled meanwhile waits for its end: a call under way cannot be taken back.

        So what is cleaned up afterwards is never overtaken by what is to be cleaned up. ``undo`` is given a result
        that nobody waits for any more.
        """
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, function, *arguments)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            failed = future.cancelled() or future.exception() is not None
            if undo is not None and not failed:
                with suppress(Exception):  # the cancellation is what the caller has to hear of
                    await loop.run_in_executor(self._pool, undo, future.result())
            raise

    def close(self) -> None:
        """Take no more calls."""
        self._pool.shutdown(wait=False, cancel_futures=True)
