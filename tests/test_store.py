"""One suite for every store: what the protocol promises, each store keeps, alone and wrapped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from storage import MeasuredStore, ObjectExists, ObjectMissing, RetryingStore, Stat, Store, open_store
from storage.base import CHUNK, blocks
from storage.local import LocalStore
from storage.memory import MemoryStore
from storage.s3 import PART, S3Store
from storage.s3_address import S3Address
from tests.support import s3
from tests.support.bodies import cut_off, drain, in_pieces_of, keys, pieces

_numbers = count(1)
_STORES = ["local", "memory", "moto", "moto below a prefix", "ceph", "retrying local", "measured memory"]

BAD_KEYS = [
    "",
    "../x",
    "a/../b",
    "/etc/passwd",
    "a//b",
    "a/",
    "./a",
    ".parts/a",
    "Upper",
    "a b",
    "a\0b",
    "a\nb",
    "a\n",
    "a\\b",
    "é",
    "a.jpg",
    "-a",
    "a" * 201,
]


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3.running("moto", tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="module")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3.running("ceph", tmp_path_factory.mktemp("ceph")) as server:
        yield server


@pytest.fixture(params=_STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each store, empty."""
    opened = _open(request, request.param, tmp_path)
    yield opened
    await opened.close()


def _open(request: pytest.FixtureRequest, kind: str, folder: Path) -> Store:
    match kind:
        case "local":
            return open_store((folder / "a store, ünïcode").as_uri())
        case "memory":
            return open_store("memory:")
        case "retrying local":
            return RetryingStore(LocalStore(folder))
        case "measured memory":
            return MeasuredStore(MemoryStore(), lambda *_: None)
        case "moto below a prefix":
            server = request.getfixturevalue("moto")
            return open_store(s3.url(server, s3.fresh_bucket(server) + "/deep/prefix"))
        case _:
            server = request.getfixturevalue(kind)
            return S3Store(S3Address.parse(s3.url(server, s3.fresh_bucket(server))))


# What every store promises


async def test_what_was_put_is_read(store: Store) -> None:
    assert await store.put("a/b-c_1", pieces(b"hello ", b"", b"world")) == 11
    assert await store.read("a/b-c_1") == b"hello world"
    assert await store.stat("a/b-c_1") == Stat("a/b-c_1", 11)


async def test_an_empty_object_is_an_object(store: Store) -> None:
    assert await store.put("empty", pieces()) == 0
    assert await store.read("empty") == b""
    assert (await store.stat("empty")).size == 0
    assert await drain(store.read_range("empty", 5, 10)) == b""


async def test_a_big_object_in_odd_pieces_survives(store: Store) -> None:
    body = os.urandom(5 * CHUNK + 12345)
    sizes = [1, 7, 65537, CHUNK + 1, 3 * CHUNK - 5]
    cuts = [0, *(sum(sizes[: index + 1]) for index in range(len(sizes))), len(body)]
    parts = [body[start:end] for start, end in pairwise(cuts)]
    assert await store.put("big", pieces(*parts)) == len(body)
    assert await store.read("big") == body
    assert await drain(store.read_range("big", CHUNK - 3, CHUNK + 6)) == body[CHUNK - 3 : 2 * CHUNK + 3]
    async for piece in store.read_range("big"):
        assert 0 < len(piece) <= CHUNK


@pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 5])
async def test_objects_about_as_large_as_parts_survive(store: Store, size: int) -> None:
    body = os.urandom(size)
    assert await store.put("large", in_pieces_of(1_000_000, body)) == size
    assert await store.stat("large") == Stat("large", size)
    assert await store.read("large") == body
    assert await drain(store.read_range("large", PART - 3, 6)) == body[PART - 3 : PART + 3]
    with pytest.raises(ObjectExists):
        await store.put("large", in_pieces_of(1_000_000, bytes(size)))
    assert await store.read("large") == body


async def test_an_object_is_written_once(store: Store) -> None:
    await store.put("once", pieces(b"first"))
    with pytest.raises(ObjectExists, match="once"):
        await store.put("once", pieces(b"second"))
    assert await store.read("once") == b"first"


async def test_what_is_missing_is_said_to_be_missing(store: Store) -> None:
    await store.put("here/a", pieces(b"x"))
    # A folder is no object, and an object is no folder.
    for key in ("gone", "gone/deep/down", "here", "here/a/b"):
        with pytest.raises(ObjectMissing, match=key):
            await store.read(key)
        with pytest.raises(ObjectMissing, match=key):
            await drain(store.read_range(key, 3, 0))
        with pytest.raises(ObjectMissing, match=key):
            await store.stat(key)


async def test_deleting_twice_is_no_error(store: Store) -> None:
    await store.put("a/b", pieces(b"x"))
    for key in ("a/b", "a/b", "never/was", "a", "a/b/c"):
        await store.delete(key)
    assert await keys(store) == []
    await store.put("a/b", pieces(b"again"))
    assert await store.read("a/b") == b"again"


async def test_deleting_a_folder_deletes_nothing(store: Store) -> None:
    await store.put("a/b", pieces(b"x"))
    await store.delete("a")
    assert await keys(store) == ["a/b"]


async def test_a_list_is_in_the_order_of_keys(store: Store) -> None:
    # '-' sorts before '/', digits before '_', '_' before letters; a folder lies between files that begin like it.
    names = ["a-b", "a/b", "a/b-c", "a/c/d", "a0", "a_b", "aa", "ab", "b/a", "b/z/1", "b-a/z", "z"]
    for number, name in enumerate(reversed(names)):
        await store.put(name, pieces(b"x" * number))
    found = [entry async for entry in store.list()]
    assert [entry.key for entry in found] == sorted(names)
    assert {entry.key: entry.size for entry in found} == {name: n for n, name in enumerate(reversed(names))}


async def test_a_list_holds_the_keys_that_begin_so(store: Store) -> None:
    names = ["a", "ab", "ab-c/x", "abc/d", "abc/de", "abd", "b"]
    for name in names:
        await store.put(name, pieces(b"x"))
    for prefix in ("", "a", "ab", "abc", "abc/", "abc/d", "abc/de", "abc/def", "ab-", "b", "c", "abc/d/"):
        assert await keys(store, prefix) == sorted(name for name in names if name.startswith(prefix)), prefix


async def test_a_bad_key_is_refused_everywhere(store: Store) -> None:
    for key in BAD_KEYS:
        calls = (
            store.put(key, pieces(b"x")),
            store.read(key),
            drain(store.read_range(key)),
            drain(store.read_range(key, 0, 0)),
            store.stat(key),
            store.delete(key),
        )
        for call in calls:
            with pytest.raises(ValueError, match="not a key"):
                await call
    assert await keys(store) == []


@pytest.mark.parametrize(
    "error",
    [ConnectionResetError("gone"), FileNotFoundError("no"), FileExistsError("yes"), RuntimeError("odd"), MemoryError()],
    ids=lambda error: type(error).__name__,
)
async def test_a_body_that_breaks_off_leaves_nothing(store: Store, error: Exception) -> None:
    for size in (100_000, 2 * PART + 1):
        with pytest.raises(type(error)) as raised:  # as it is: an uploader's broken line is no fault of the store's
            await store.put("half", cut_off(b"x" * size, error))
        assert raised.value is error
        assert await keys(store) == []
    await store.put("half", pieces(b"whole"))
    assert await store.read("half") == b"whole"


@pytest.mark.parametrize("size", [100_000, 2 * PART + 1])
async def test_a_cancelled_put_leaves_nothing(store: Store, size: int) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"x" * size
        begun.set()
        await never.wait()

    task = asyncio.create_task(store.put("half", body()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await keys(store) == []


async def test_an_object_is_invisible_until_it_is_whole(store: Store) -> None:
    seen: list[list[str]] = []

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        seen.append(await keys(store))
        with pytest.raises(ObjectMissing):
            await store.read("slow")
        yield b"y"

    await store.put("slow", body())
    assert seen == [[]]
    assert await keys(store) == ["slow"]


async def test_a_reader_may_stop_early(store: Store) -> None:
    await store.put("big", pieces(b"x" * (3 * CHUNK)))
    stream = store.read_range("big")
    assert await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # stores' streams are generators
    await store.delete("big")
    assert await keys(store) == []


async def test_a_store_that_is_there_answers(store: Store) -> None:
    await store.ping()
    assert await keys(store) == []  # and the question leaves nothing behind


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True
)
@given(
    body=st.binary(max_size=300),
    ranges=st.lists(st.tuples(st.integers(0, 400), st.one_of(st.none(), st.integers(0, 400))), min_size=1, max_size=4),
)
async def test_a_range_is_a_slice(store: Store, body: bytes, ranges: list[tuple[int, int | None]]) -> None:
    key = f"range{next(_numbers)}"
    await store.put(key, pieces(body))
    for start, length in ranges:
        wanted = body[start:] if length is None else body[start : start + length]
        assert await drain(store.read_range(key, start, length)) == wanted


async def test_of_two_writers_at_once_one_wins(store: Store, request: pytest.FixtureRequest) -> None:
    if "moto" in request.node.callspec.id:
        pytest.skip("the mock looks and writes in two steps")
    bodies = [bytes([number]) * 1000 for number in range(8)]
    results = await asyncio.gather(*(store.put("k", pieces(body)) for body in bodies), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["ObjectExists"] * 7 + ["int"]
    winner = next(index for index, result in enumerate(results) if result == 1000)
    assert await store.read("k") == bodies[winner]


@given(parts=st.lists(st.binary(max_size=20), max_size=10), size=st.integers(1, 30))
async def test_a_stream_is_cut_anew(parts: list[bytes], size: int) -> None:
    cut = [bytes(block) async for block in blocks(pieces(*parts), size)]
    assert b"".join(cut) == b"".join(parts)
    assert all(len(block) == size for block in cut[:-1])
    assert all(0 < len(block) <= size for block in cut[-1:])
