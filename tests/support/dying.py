"""Crash points, one after the other: the k-th act on the database or the store fails, once or with all that follow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from storage import Stat, Store, StoreUnavailable

# 'once': one act fails, and what cleans up after it works. 'dead': nothing works from there on, as when a process is
# killed. 'lost': the act is done, its answer is lost, and nothing works from there on.
Mode = Literal["once", "dead", "lost"]
MODES: tuple[Mode, ...] = ("once", "dead", "lost")


class Fate:
    """Counts acts, and says which of them fail."""

    def __init__(self) -> None:
        self.acts = 0
        self._fatal: int | None = None
        self._mode: Mode = "once"

    @contextmanager
    def at(self, act: int, mode: Mode) -> Iterator[None]:
        """Let the act of this number fail."""
        self.acts, self._fatal, self._mode = 0, act, mode
        try:
            yield
        finally:
            self._fatal = None

    @property
    def struck(self) -> bool:
        """Say whether the act was reached: when not, there are no more crash points."""
        return self._reached

    def before(self) -> None:
        """Come to an act."""
        self.acts += 1
        if self._fatal is None:
            return
        later = self.acts > self._fatal and self._mode != "once"
        if later or (self.acts == self._fatal and self._mode != "lost"):
            raise StoreUnavailable(f"act {self.acts} fails")

    def after(self) -> None:
        """Leave an act that was done."""
        if self._fatal is not None and self.acts == self._fatal and self._mode == "lost":
            raise StoreUnavailable(f"the answer of act {self.acts} is lost")

    @property
    def _reached(self) -> bool:
        return self._fatal is None or self.acts >= self._fatal


class DyingStore:
    """A store whose acts may fail."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self.inner, self._fate = store, fate

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        self._fate.before()
        size = await self.inner.put(key, body)
        self._fate.after()
        return size

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        self._fate.before()
        async for piece in self.inner.read_range(key, start, length):
            yield piece

    async def read(self, key: str) -> bytes:
        self._fate.before()
        return await self.inner.read(key)

    async def stat(self, key: str) -> Stat:
        self._fate.before()
        return await self.inner.stat(key)

    async def delete(self, key: str) -> None:
        self._fate.before()
        await self.inner.delete(key)
        self._fate.after()

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        self._fate.before()
        async for found in self.inner.list(prefix):
            yield found

    async def ping(self) -> None:
        await self.inner.ping()

    async def close(self) -> None:
        await self.inner.close()


@contextmanager
def dying_database(engine: AsyncEngine, fate: Fate) -> Iterator[None]:
    """Count every statement and commit of an engine."""

    def act(step: Callable[[], None]) -> None:
        try:
            step()
        except StoreUnavailable as error:
            # What a connection that was cut looks like.
            raise OperationalError(str(error), {}, ConnectionError(str(error))) from error

    def statement(*_arguments: Any) -> None:
        act(fate.before)

    def done(*_arguments: Any) -> None:
        act(fate.after)

    dialect, committed = engine.sync_engine.dialect, engine.sync_engine.dialect.do_commit

    def commit(connection: Any) -> None:
        act(fate.before)
        committed(connection)
        act(fate.after)

    listeners = [("before_cursor_execute", statement), ("after_cursor_execute", done)]
    for name, listener in listeners:
        event.listen(engine.sync_engine, name, listener)
    dialect.do_commit = commit  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        dialect.do_commit = committed  # type: ignore[method-assign]
        for name, listener in listeners:
            event.remove(engine.sync_engine, name, listener)
