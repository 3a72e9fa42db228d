"""Stores around a store: what they try again, and what they tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from storage import MeasuredStore, ObjectExists, ObjectMissing, RetryingStore, Stat, StoreRefused, StoreUnavailable
from storage.base import CHUNK
from storage.memory import MemoryStore
from storage.retrying import Patience
from tests.support.bodies import cut_off, drain, keys, pieces


class Failing(MemoryStore):
    """A store that is away for so many calls; a stream breaks off after so many pieces."""

    def __init__(self, times: int, *, after: int = 0, error: type[StoreUnavailable] = StoreUnavailable) -> None:
        super().__init__()
        self.times, self.after, self.error = times, after, error
        self.calls: list[str] = []

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        self._fail("put")
        return await super().put(key, body)

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        self.calls.append(f"read_range {start} {length}")
        given = 0
        async for piece in super().read_range(key, start, length):
            if given == self.after:
                self._fail()
            yield piece
            given += 1
        if given == self.after:
            self._fail()

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        self.calls.append("list")
        given = 0
        async for found in super().list(prefix):
            if given == self.after:
                self._fail()
            yield found
            given += 1

    async def read(self, key: str) -> bytes:
        self._fail("read")
        return await super().read(key)

    async def stat(self, key: str) -> Stat:
        self._fail("stat")
        return await super().stat(key)

    async def delete(self, key: str) -> None:
        await super().delete(key)
        self._fail("delete")  # it did, and nobody heard of it

    async def ping(self) -> None:
        self._fail("ping")

    def _fail(self, call: str = "") -> None:
        if call:
            self.calls.append(call)
        if self.times:
            self.times -= 1
            raise self.error("away")


async def failing(times: int, *, after: int = 0, error: type[StoreUnavailable] = StoreUnavailable) -> Failing:
    """Hold "a" of three pieces, "b" and "c"."""
    store = Failing(0, after=after, error=error)
    await store.put("a", pieces(b"1" * CHUNK, b"2" * CHUNK, b"3" * CHUNK))
    for key in ("b", "c"):
        await store.put(key, pieces(key.encode()))
    store.times = times
    store.calls.clear()
    return store


def around(store: Failing, attempts: int = 3) -> RetryingStore:
    return RetryingStore(store, attempts=attempts, pause=0)


# Trying again


async def test_what_may_run_twice_is_tried_again() -> None:
    for call in ("read", "stat", "delete"):
        store = await failing(2)
        await getattr(around(store), call)("b")
        assert store.calls == [call] * 3
    store = await failing(2)
    await around(store).ping()
    assert store.calls == ["ping"] * 3


async def test_patience_ends() -> None:
    store = await failing(1000)
    retrying = around(store)
    for call in (retrying.read("b"), retrying.stat("b"), retrying.delete("b"), retrying.ping(), keys(retrying)):
        store.calls.clear()
        with pytest.raises(StoreUnavailable, match="away"):
            await call
        assert len(store.calls) == 3


async def test_a_put_is_tried_once() -> None:
    store = await failing(1)
    with pytest.raises(StoreUnavailable):
        await around(store).put("new", pieces(b"x"))
    assert store.calls == ["put"]


async def test_what_is_refused_or_missing_is_not_asked_again() -> None:
    store = await failing(1000, error=StoreRefused)
    retrying = around(store)
    for call in (
        retrying.read("b"),
        retrying.stat("b"),
        retrying.ping(),
        keys(retrying),
        drain(retrying.read_range("b")),
    ):
        store.calls.clear()
        with pytest.raises(StoreRefused):
            await call
        assert len(store.calls) == 1
    store = await failing(0)
    with pytest.raises(ObjectMissing):
        await around(store).stat("gone")
    assert store.calls == ["stat"]


async def test_a_read_goes_on_at_the_offset_it_reached() -> None:
    store = await failing(2, after=1)
    whole = await MemoryStore.read(store, "a")
    assert await drain(around(store).read_range("a", 5)) == whole[5:]
    assert store.calls == ["read_range 5 None", f"read_range {CHUNK + 5} None", f"read_range {2 * CHUNK + 5} None"]
    store = await failing(2, after=1)
    assert await drain(around(store).read_range("a", 5, 2 * CHUNK)) == whole[5 : 2 * CHUNK + 5]
    assert store.calls == [f"read_range 5 {2 * CHUNK}", f"read_range {CHUNK + 5} {CHUNK}"]  # then all was read


async def test_a_read_that_gets_on_is_never_given_up() -> None:
    store = await failing(1000, after=1)
    assert len(await drain(around(store, attempts=2).read_range("a", 0, 3 * CHUNK))) == 3 * CHUNK


async def test_a_list_goes_on_after_the_last_key() -> None:
    store = await failing(1, after=2)
    assert await keys(around(store)) == ["a", "b", "c"]
    assert store.calls == ["list", "list"]


def test_pauses_grow_and_end() -> None:
    patience = Patience(attempts=8, pause=1, longest=4, total=1000)
    most = [max(pauses) for pauses in zip(*(list(patience.pauses()) for _ in range(300)), strict=True)]
    assert all(pause <= limit for pause, limit in zip(most, [1, 2, 4, 4, 4, 4, 4], strict=True))
    assert most[0] < most[2]
    assert list(Patience(attempts=1).pauses()) == []
    assert list(Patience(attempts=5, pause=9, total=0).pauses()) == []


# Telling


Told = list[tuple[str, str, float, int]]


def measured(store: MemoryStore) -> tuple[MeasuredStore, Told]:
    told: Told = []
    return MeasuredStore(store, lambda *call: told.append(call)), told


def without_time(told: Told) -> list[tuple[str, str, int]]:
    return [(operation, outcome, size) for operation, outcome, _, size in told]


async def test_each_call_is_told_with_its_outcome_and_its_bytes() -> None:
    store, told = measured(MemoryStore())
    await store.put("a", pieces(b"12345"))
    await store.read("a")
    await drain(store.read_range("a", 1, 2))
    await store.stat("a")
    await keys(store)
    await store.ping()
    await store.delete("a")
    assert without_time(told) == [
        ("put", "ok", 5),
        ("read", "ok", 5),
        ("read_range", "ok", 2),
        ("stat", "ok", 0),
        ("list", "ok", 0),
        ("ping", "ok", 0),
        ("delete", "ok", 0),
    ]
    assert all(seconds >= 0 for _, _, seconds, _ in told)


async def test_failures_are_told_by_their_kind() -> None:
    store, told = measured(MemoryStore())
    await store.put("a", pieces(b"1"))
    told.clear()
    with pytest.raises(ObjectExists):
        await store.put("a", pieces(b"12"))
    with pytest.raises(ObjectMissing):
        await store.read("b")
    with pytest.raises(ObjectMissing):
        await drain(store.read_range("b"))
    with pytest.raises(ConnectionResetError):
        await store.put("c", cut_off(b"123", ConnectionResetError()))
    with pytest.raises(ValueError, match="not a key"):
        await store.stat("../")
    assert without_time(told) == [
        ("put", "exists", 2),
        ("read", "missing", 0),
        ("read_range", "missing", 0),
        ("put", "error", 3),
        ("stat", "error", 0),
    ]


@pytest.mark.parametrize(("error", "outcome"), [(StoreUnavailable, "unavailable"), (StoreRefused, "refused")])
async def test_a_store_that_is_away_is_told(error: type[StoreUnavailable], outcome: str) -> None:
    store, told = measured(await failing(2, after=1, error=error))
    with pytest.raises(error):
        await store.ping()
    with pytest.raises(error):
        await drain(store.read_range("a"))
    assert without_time(told) == [("ping", outcome, 0), ("read_range", outcome, CHUNK)]


async def test_a_reader_that_has_enough_is_no_failure_and_a_cancelled_call_is_told() -> None:
    store, told = measured(await failing(0))
    stream = store.read_range("a")
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # stores' streams are generators

    async def never() -> AsyncIterator[bytes]:
        yield b"12"
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put("d", never()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert without_time(told) == [("read_range", "ok", CHUNK), ("put", "cancelled", 2)]


class Slow(MemoryStore):
    """A store that takes a second for each piece, by a clock that only moves when somebody takes his time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        async def received() -> AsyncIterator[bytes]:
            async for piece in body:
                self.now += 1
                yield piece

        return await super().put(key, received())

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        async for piece in super().read_range(key, start, length):
            self.now += 1
            yield piece


async def test_neither_a_slow_body_nor_a_slow_reader_is_the_stores_time() -> None:
    slow = Slow()
    told: Told = []
    store = MeasuredStore(slow, lambda *call: told.append(call), clock=lambda: slow.now)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            slow.now += 100
            yield b"x" * CHUNK

    await store.put("a", body())
    async for _ in store.read_range("a"):
        slow.now += 100
    assert [seconds for _, _, seconds, _ in told] == [3, 3]
