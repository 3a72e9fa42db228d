"""Sealed objects in stores: what was put is given, in whole or in part, and nothing else ever is."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from blake3 import blake3
from cryptography.cobblestone import Cobblestone256Decryptor
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.base import ObjectExists, ObjectMissing, Store, StoreUnavailable
from storage.cobblestone import CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES, SealBroken, Sealer, sealed_size
from storage.local import LocalStore
from storage.memory import MemoryStore
from storage.sealed import Sealed, check, open_range, seal

ROOT = Path(__file__).resolve().parents[1]
SECRET = bytes(range(32))
CONTEXT = b"tagphoto/object/1" + bytes(16) + bytes(16) + b"\1" + bytes(4) + bytes(8)
SIZES = [0, 1, 100, 16383, 16384, 16385, 32768, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_500_000]
NOISE = hashlib.shake_256(b"noise").digest(3_500_000)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def given_by(
    store: Store, size: int, start: int = 0, length: int | None = None, context: bytes = CONTEXT, secret: bytes = SECRET
) -> bytes:
    return b"".join([piece async for piece in open_range(store, "a", secret, context, size, start, length)])


async def refused(
    store: Store, plain: bytes, start: int = 0, length: int | None = None, context: bytes = CONTEXT
) -> str:
    """Read what must be refused; whatever is given before must be right."""
    seen = b""
    with pytest.raises(SealBroken) as broken:
        async for piece in open_range(store, "a", SECRET, context, len(plain), start, length):
            seen += piece
    assert plain[start:].startswith(seen)
    return str(broken.value)


async def holding(sealed: bytes) -> MemoryStore:
    store = MemoryStore()
    await store.put("a", pieces(sealed))
    return store


def sealed_bytes(plain: bytes, context: bytes = CONTEXT) -> bytes:
    sealer = Sealer(SECRET, context)
    return sealer.update(plain) + sealer.finish()


def flipped(content: bytes, offset: int) -> bytes:
    return content[:offset] + bytes([content[offset] ^ 1]) + content[offset + 1 :]


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path / "store")


# What was put is given


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_sealed_is_opened(store: Store, size: int) -> None:
    plain = NOISE[:size]
    sealed = await seal(store, "a", SECRET, CONTEXT, pieces(plain))
    content = await store.read("a")
    assert sealed == Sealed(size, sealed_size(size), blake3(content).digest())
    assert len(content) == sealed.sealed_size
    assert await given_by(store, size) == plain
    decryptor = Cobblestone256Decryptor(SECRET, CONTEXT)
    assert decryptor.update(content) + decryptor.finalize() == plain
    await check(store, "a", SECRET, CONTEXT, sealed)


@settings(deadline=None)
@given(size=st.integers(0, 2_500_000), cuts=st.lists(st.integers(0, 2_500_000), max_size=6), crumbs=st.integers(0, 40))
def test_how_the_input_is_cut_makes_no_difference(size: int, cuts: list[int], crumbs: int) -> None:
    edges = [0, *range(min(crumbs, size)), *sorted(min(cut, size) for cut in cuts), size]
    parts = [NOISE[start:end] for start, end in pairwise(sorted(edges))]

    async def there_and_back() -> None:
        store, seen = MemoryStore(), hashlib.sha256()
        sealed = await seal(store, "a", SECRET, CONTEXT, pieces(*parts), watch=seen.update)
        assert (sealed.size, sealed.sealed_size) == (size, (await store.stat("a")).size)
        assert seen.digest() == hashlib.sha256(NOISE[:size]).digest()
        assert await given_by(store, size) == NOISE[:size]

    asyncio.run(there_and_back())


SAMPLES = {size: sealed_bytes(NOISE[:size]) for size in SIZES}


@settings(deadline=None)
@given(
    size=st.sampled_from(SIZES),
    start=st.integers(0, 3_600_000),
    length=st.none() | st.integers(0, 3_600_000),
    odd=st.booleans(),
)
def test_any_range_is_the_slice(size: int, start: int, length: int | None, odd: bool) -> None:
    async def read() -> None:
        store = OddStore() if odd else MemoryStore()
        await store.put("a", pieces(SAMPLES[size]))
        end = None if length is None else start + length
        assert await given_by(store, size, start, length) == NOISE[:size][start:end]

    asyncio.run(read())


class OddStore(MemoryStore):
    """Gives pieces of odd sizes, empty ones among them: a network would."""

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        sizes = [1, 0, 16399, 16400, 70001, 3]
        async with aclosing(super().read_range(key, start, length)) as whole:  # type: ignore[type-var]
            async for piece in whole:
                offset = 0
                while offset < len(piece):
                    size = sizes[offset % len(sizes)]
                    yield piece[offset : offset + size]
                    offset += size
                    sizes = [*sizes[1:], sizes[0]]


@pytest.mark.parametrize("length", [0, 1, 16384, None])
async def test_ranges_at_the_borders_of_chunks(store: Store, length: int | None) -> None:
    plain = NOISE[: 3 * CHUNK_BYTES]
    await seal(store, "a", SECRET, CONTEXT, pieces(plain))
    for border in (0, CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES, 4 * CHUNK_BYTES):
        for start in (border - 1, border, border + 1):
            if start >= 0:
                end = None if length is None else start + length
                assert await given_by(store, len(plain), start, length) == plain[start:end]


async def test_pieces_are_of_bounded_size(store: Store) -> None:
    await seal(store, "a", SECRET, CONTEXT, pieces(NOISE))
    sizes = [len(piece) async for piece in open_range(store, "a", SECRET, CONTEXT, len(NOISE), 5)]
    assert sum(sizes) == len(NOISE) - 5
    assert max(sizes) <= (1 << 20) + CHUNK_BYTES


async def test_a_mib_from_anywhere_is_one_piece(store: Store) -> None:
    await seal(store, "a", SECRET, CONTEXT, pieces(NOISE))
    for start in (0, 1, 16383, 16384, 1_000_001):
        found = [piece async for piece in open_range(store, "a", SECRET, CONTEXT, len(NOISE), start, 1 << 20)]
        assert found == [NOISE[start : start + (1 << 20)]]


@pytest.mark.parametrize(("start", "length"), [(-1, None), (0, -1), (-5, 3)])
async def test_what_is_no_range_is_refused(start: int, length: int | None) -> None:
    with pytest.raises(ValueError, match="no range"):
        await given_by(await holding(SAMPLES[100]), 100, start, length)


# While it is sealed


async def test_the_plaintext_is_watched_piece_by_piece(store: Store) -> None:
    seen: list[bytes] = []
    threads: set[int] = set()

    def watch(piece: bytes) -> None:
        seen.append(piece)
        threads.add(threading.get_ident())

    await seal(
        store, "a", SECRET, CONTEXT, pieces(*(NOISE[n : n + 65536] for n in range(0, 3_500_000, 65536))), watch=watch
    )
    assert b"".join(seen) == NOISE
    assert all(type(piece) is bytes for piece in seen)
    assert {len(piece) for piece in seen[:-1]} == {1 << 20}
    assert threading.get_ident() not in threads


async def test_little_is_worked_on_without_a_thread(store: Store) -> None:
    threads: list[int] = []
    await seal(store, "a", SECRET, CONTEXT, pieces(b"x"), watch=lambda _: threads.append(threading.get_ident()))
    assert threads == [threading.get_ident()]


@pytest.mark.parametrize("before", [0, 10, 3_000_000])
async def test_what_the_body_raises_comes_out_and_nothing_is_left(store: Store, before: int) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield NOISE[:before]
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        await seal(store, "a", SECRET, CONTEXT, body())
    with pytest.raises(ObjectMissing):
        await store.stat("a")


async def test_what_the_watcher_raises_comes_out_and_nothing_is_left(store: Store) -> None:
    def watch(piece: bytes) -> None:
        raise RuntimeError("seen enough")

    with pytest.raises(RuntimeError, match="seen enough"):
        await seal(store, "a", SECRET, CONTEXT, pieces(NOISE), watch=watch)
    with pytest.raises(ObjectMissing):
        await store.stat("a")


async def test_an_object_is_sealed_once(store: Store) -> None:
    await seal(store, "a", SECRET, CONTEXT, pieces(b"first"))
    with pytest.raises(ObjectExists):
        await seal(store, "a", SECRET, CONTEXT, pieces(b"second"))
    assert await given_by(store, 5) == b"first"


async def test_a_store_that_stops_listening_is_not_believed() -> None:
    class Deaf(MemoryStore):
        async def put(self, key: str, body: AsyncIterator[bytes]) -> int:  # noqa: ARG002
            return len(await anext(body))

    with pytest.raises(AssertionError, match="did not take all"):
        await seal(Deaf(), "a", SECRET, CONTEXT, pieces(NOISE))


async def test_the_same_sealed_twice_differs() -> None:
    store = MemoryStore()
    for key in ("a", "b"):
        await seal(store, key, SECRET, CONTEXT, pieces(b"the same"))
    assert await store.read("a") != await store.read("b")


# What is missing, and what is closed


class Watched(MemoryStore):
    """Knows how many of its streams are open."""

    open = 0

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        self.open += 1
        try:
            async with aclosing(super().read_range(key, start, length)) as whole:  # type: ignore[type-var]
                async for piece in whole:
                    await asyncio.sleep(0)
                    yield piece
        finally:
            self.open -= 1


@pytest.mark.parametrize("start", [0, 100_000])
async def test_who_stops_reading_leaves_nothing_open(start: int) -> None:
    store = Watched()
    await store.put("a", pieces(SAMPLES[3_500_000]))
    async with aclosing(open_range(store, "a", SECRET, CONTEXT, 3_500_000, start)) as stream:
        assert await anext(stream)
        assert store.open == 1
    assert store.open == 0
    await refused(store, NOISE, start, context=b"another")
    assert store.open == 0


@pytest.mark.parametrize("start", [0, 100_000])
async def test_who_is_cancelled_while_reading_leaves_nothing_open(start: int) -> None:
    store = Watched()
    await store.put("a", pieces(SAMPLES[3_500_000]))
    for steps in range(30):
        reader = asyncio.ensure_future(given_by(store, 3_500_000, start))
        for _ in range(steps):
            await asyncio.sleep(0)
        if reader.cancel():
            with pytest.raises(asyncio.CancelledError):
                await reader
        assert store.open == 0


@pytest.mark.parametrize("start", [0, 50_000, 100_000])
async def test_a_missing_object_is_missing_and_not_broken(store: Store, start: int) -> None:
    with pytest.raises(ObjectMissing, match="no object a"):
        await given_by(store, 100_000, start)
    with pytest.raises(ObjectMissing, match="no object a"):
        await check(store, "a", SECRET, CONTEXT, Sealed(1, sealed_size(1), b""))


@pytest.mark.parametrize("start", [0, 50_000, 100_000])
async def test_a_store_that_is_away_is_away(tmp_path: Path, start: int) -> None:
    store = LocalStore(tmp_path / "store")
    shutil.rmtree(tmp_path / "store")
    with pytest.raises(StoreUnavailable):
        await given_by(store, 100_000, start)
    with pytest.raises(StoreUnavailable):
        await seal(store, "a", SECRET, CONTEXT, pieces(b"x"))


@pytest.mark.parametrize("broken", [0, HEADER_BYTES + 3 * SEALED_CHUNK_BYTES])
async def test_of_two_reads_at_once_either_may_fail(broken: int) -> None:
    class Failing(Watched):
        async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
            if start == broken:
                raise StoreUnavailable("the line is down")
            async with aclosing(super().read_range(key, start, length)) as whole:  # type: ignore[type-var]
                async for piece in whole:
                    yield piece

    store = Failing()
    await store.put("a", pieces(SAMPLES[65536]))
    with pytest.raises(StoreUnavailable, match="the line is down"):
        await given_by(store, 65536, 3 * CHUNK_BYTES)
    assert store.open == 0


async def test_no_generator_of_ours_is_left_to_the_garbage_collector() -> None:
    class Full(MemoryStore):
        async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
            await anext(body)
            raise StoreUnavailable(key)

    hooks, left = sys.get_asyncgen_hooks(), []
    sys.set_asyncgen_hooks(firstiter=hooks.firstiter, finalizer=lambda found: left.append(repr(found)))
    try:
        body = pieces(NOISE, NOISE)
        with pytest.raises(StoreUnavailable):
            await seal(Full(), "a", SECRET, CONTEXT, body)
        assert await anext(body) == NOISE  # the body is the caller's to close
        await body.aclose()  # type: ignore[attr-defined]
        for start in (0, 100_000):
            await refused(await holding(SAMPLES[3_500_000][:1_000_000]), NOISE, start)
            async with aclosing(
                open_range(await holding(SAMPLES[3_500_000]), "a", SECRET, CONTEXT, len(NOISE))
            ) as stream:
                await anext(stream)
        gc.collect()
    finally:
        sys.set_asyncgen_hooks(*hooks)
    assert left == []


# What was changed

LONG = NOISE[: 2 * CHUNK_BYTES + 100]
RANGES = [(0, None), (0, 1), (10, 5), (16383, 2), (16384, 10), (20000, None), (32768, None), (32800, 20), (32868, None)]


def touched(start: int, length: int | None) -> range:
    """Give the chunks that a range of LONG takes."""
    end = len(LONG) if length is None else start + length
    return range(start // CHUNK_BYTES, max(-(-end // CHUNK_BYTES), start // CHUNK_BYTES + (end == len(LONG))))


async def test_every_flipped_byte_of_a_small_object_is_found() -> None:
    for size in (0, 1, 100):
        plain = NOISE[:size]
        content, sealed = SAMPLES[size], Sealed(size, sealed_size(size), blake3(SAMPLES[size]).digest())
        for offset in range(len(content)):
            store = await holding(flipped(content, offset))
            for start, length in ((0, None), (0, 1), (50, 10), (size, None), (size + 5, 5)):
                await refused(store, plain, start, length)
            with pytest.raises(SealBroken):
                await check(store, "a", SECRET, CONTEXT, sealed)


@pytest.mark.parametrize(("start", "length"), RANGES)
async def test_a_flipped_byte_breaks_the_ranges_that_touch_it_and_no_others(start: int, length: int | None) -> None:
    content = sealed_bytes(LONG)
    end = None if length is None else start + length
    borders = [HEADER_BYTES + n * SEALED_CHUNK_BYTES for n in range(3)]
    offsets = {*range(HEADER_BYTES), *range(0, len(content), 499)}
    offsets |= {place for border in borders for place in range(border - 17, border + 17)}
    for offset in sorted(offsets):
        store = await holding(flipped(content, offset))
        if offset < HEADER_BYTES or (offset - HEADER_BYTES) // SEALED_CHUNK_BYTES in touched(start, length):
            await refused(store, LONG, start, length)
        else:
            assert await given_by(store, len(LONG), start, length) == LONG[start:end]


async def test_every_truncation_of_a_small_object_is_found() -> None:
    for size in (0, 1, 100):
        content, sealed = SAMPLES[size], Sealed(size, sealed_size(size), blake3(SAMPLES[size]).digest())
        for cut in range(len(content)):
            store = await holding(content[:cut])
            for start, length in ((0, None), (0, 1), (50, 10), (size, None)):
                await refused(store, NOISE[:size], start, length)
            with pytest.raises(SealBroken, match="too early"):
                await check(store, "a", SECRET, CONTEXT, sealed)


@pytest.mark.parametrize(("start", "length"), RANGES)
async def test_a_truncation_breaks_the_ranges_behind_it(start: int, length: int | None) -> None:
    content = sealed_bytes(LONG)
    end = None if length is None else start + length
    needed = min(HEADER_BYTES + touched(start, length).stop * SEALED_CHUNK_BYTES, len(content))
    for cut in {*range(0, len(content), 499), *range(needed - 20, min(needed + 20, len(content)))}:
        store = await holding(content[:cut])
        if cut < needed:
            await refused(store, LONG, start, length)
        else:
            assert await given_by(store, len(LONG), start, length) == LONG[start:end]


@pytest.mark.parametrize("size", SIZES[:7])
@pytest.mark.parametrize("more", [1, 15, 16, 17, SEALED_CHUNK_BYTES, 1 << 20])
async def test_what_follows_the_end_is_found(size: int, more: int) -> None:
    content = SAMPLES[size]
    for tail in (bytes(more), (content * (more // len(content) + 1))[:more]):
        store = await holding(content + tail)
        for start in {0, size // 2, max(0, size - 1), size, size + 1}:
            await refused(store, NOISE[:size], start)
        with pytest.raises(SealBroken, match="goes on"):
            await check(store, "a", SECRET, CONTEXT, Sealed(size, sealed_size(size), blake3(content).digest()))


@pytest.mark.parametrize("size", SIZES[:9])
async def test_another_size_than_the_known_one_is_found(size: int) -> None:
    store = await holding(SAMPLES[size])
    around = {size + n * CHUNK_BYTES + m for n in (-2, -1, 0, 1, 2) for m in (-1, 0, 1)} | {0, 1, 2 * size}
    for known in sorted(around - {size}):
        if known >= 0:
            for start in {0, known // 2, known}:
                await refused(store, (NOISE[:size] + bytes(3 * CHUNK_BYTES + size))[:known], start)


async def test_chunks_swapped_doubled_dropped_and_spliced_are_found() -> None:
    plain = NOISE[: 3 * CHUNK_BYTES + 100]
    one, other = sealed_bytes(plain), sealed_bytes(plain)
    header, (a, b, c, end) = one[:HEADER_BYTES], cut(one)
    changed: dict[str, tuple[list[bytes], int]] = {  # what is there, and the first chunk that is wrong
        "swapped": ([b, a, c, end], 0),
        "doubled": ([a, a, b, c, end], 1),
        "doubled in place": ([a, a, c, end], 1),
        "dropped first": ([b, c, end], 0),
        "dropped middle": ([a, c, end], 1),
        "dropped end": ([a, b, c], 3),
        "end moved up": ([a, b, end], 2),
        "end twice": ([a, b, c, end, end], 3),
        "of another object": ([a, cut(other)[1], c, end], 1),
        "end of another object": ([a, b, c, cut(other)[3]], 3),
    }
    for name, (chunks, wrong) in changed.items():
        store = await holding(header + b"".join(chunks))
        await refused(store, plain)
        await refused(store, plain, wrong * CHUNK_BYTES)
        if name != "end twice":
            await refused(store, plain, wrong * CHUNK_BYTES, 1)
        right = plain[: wrong * CHUNK_BYTES]
        assert await given_by(store, len(plain), 0, len(right)) == right, name
    for mixed in (other[:HEADER_BYTES] + one[HEADER_BYTES:], other[:24] + one[24:]):
        store = await holding(mixed)
        for start, length in ((0, None), (0, 1), (20000, 10), (len(plain), None)):
            await refused(store, plain, start, length)


def cut(sealed: bytes) -> list[bytes]:
    body = sealed[HEADER_BYTES:]
    return [body[offset : offset + SEALED_CHUNK_BYTES] for offset in range(0, len(body), SEALED_CHUNK_BYTES)]


@pytest.mark.parametrize("place", range(len(CONTEXT)))
async def test_every_byte_of_the_context_binds(place: int) -> None:
    for context in (flipped(CONTEXT, place), CONTEXT[:place] + CONTEXT[place + 1 :]):
        store = await holding(sealed_bytes(LONG, context))
        for start, length in ((0, None), (20000, 10), (0, 0), (len(LONG), None)):
            assert "key and context" in await refused(store, LONG, start, length)


async def test_another_key_opens_nothing() -> None:
    store = await holding(sealed_bytes(LONG))
    for secret in (bytes(32), flipped(SECRET, 31), os.urandom(32)):
        for start, length in ((0, None), (20000, 10), (0, 0), (len(LONG), None)):
            with pytest.raises(SealBroken, match="object a: it was not sealed with this key and context"):
                await given_by(store, len(LONG), start, length, secret=secret)
    with pytest.raises(ValueError, match="32 bytes"):
        await given_by(store, len(LONG), secret=bytes(31))


# The check of what lies there


async def test_a_check_says_what_is_wrong(store: Store) -> None:
    sealed = await seal(store, "a", SECRET, CONTEXT, pieces(NOISE))
    await check(store, "a", SECRET, CONTEXT, sealed)
    wrong = {
        "never": replace(sealed, size=sealed.size - 1),
        "too early": replace(sealed, size=sealed.size + 1, sealed_size=sealed.sealed_size + 1),
        "goes on behind its end": replace(sealed, size=sealed.size - 1, sealed_size=sealed.sealed_size - 1),
        "the digest is another": replace(sealed, digest=bytes(32)),
    }
    for words, known in wrong.items():
        with pytest.raises(SealBroken, match=f"object a: .*{words}"):
            await check(store, "a", SECRET, CONTEXT, known)
    with pytest.raises(SealBroken, match="key and context"):
        await check(store, "a", SECRET, CONTEXT + b"x", sealed)


async def test_a_check_names_the_chunk_that_does_not_open() -> None:
    content = sealed_bytes(NOISE)
    for number in (0, 1, 64, 65, 66, 213):
        store = await holding(flipped(content, HEADER_BYTES + number * SEALED_CHUNK_BYTES))
        with pytest.raises(SealBroken, match=f"object a: chunk {number} does not open"):
            await check(store, "a", SECRET, CONTEXT, Sealed(len(NOISE), len(content), blake3(content).digest()))


async def test_a_check_finds_what_was_sealed_anew_with_the_right_key() -> None:
    was, now = sealed_bytes(LONG), sealed_bytes(LONG)
    known = Sealed(len(LONG), len(was), blake3(was).digest())
    await check(await holding(was), "a", SECRET, CONTEXT, known)
    with pytest.raises(SealBroken, match="sealed anew"):
        await check(await holding(now), "a", SECRET, CONTEXT, known)


# Memory

STREAM = """
import asyncio, sys
from blake3 import blake3
from storage.cobblestone import Sealer
from storage.sealed import check, open_range, seal

MIB, COUNT = 1 << 20, int(sys.argv[1])
SECRET, PIECE = bytes(32), bytes(1 << 20)

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

class Pipe:
    '''Keeps nothing: what is put is counted; what is read is sealed while it is read.'''
    async def put(self, key, body):
        return sum([len(piece) async for piece in body])
    async def read_range(self, key, start=0, length=None):
        sealer = Sealer(SECRET, b"")
        for _ in range(COUNT):
            yield sealer.update(PIECE)
        yield sealer.finish()

async def body(size):
    for _ in range(COUNT * MIB // size):
        yield PIECE[:size]

async def warm():
    global COUNT
    count, COUNT = COUNT, 1
    await seal(Pipe(), "a", SECRET, b"", body(65536))
    COUNT = count
    before = peak()
    sealed = await seal(Pipe(), "a", SECRET, b"", body(65536), watch=blake3().update)
    opened = 0
    async for piece in open_range(Pipe(), "a", SECRET, b"", sealed.size):
        opened += len(piece)
    assert sealed.size == opened == COUNT * MIB
    print(peak() - before)

asyncio.run(warm())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process's memory is read from /proc")
def test_memory_does_not_grow_with_the_object() -> None:
    argv = [sys.executable, "-c", STREAM, "1024"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 64
