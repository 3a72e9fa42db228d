"""Sealed objects in a store: what is put is sealed on its way, and nothing that was not authenticated is given.

A stream needs a few MiB of memory, whatever the size of the object. Hashing and encryption happen in threads, about a
MiB at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar, cast

from blake3 import blake3

from storage.base import Store
from storage.cobblestone import (
    CHUNK_BYTES,
    HEADER_BYTES,
    SEALED_CHUNK_BYTES,
    Opener,
    Scratch,
    SealBroken,
    Sealer,
    sealed_size,
)

T = TypeVar("T")
_PIECE = 1 << 20
# One chunk more than a MiB has, so that a MiB from anywhere is opened at once.
_RUN = (_PIECE // CHUNK_BYTES + 1) * SEALED_CHUNK_BYTES
_scratch = Scratch(_RUN)
# Less than this is done sooner than a thread has begun.
_SMALL = 1 << 16


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is known of a sealed object: bytes it holds, bytes it has, and BLAKE3-256 of the latter."""

    size: int
    sealed_size: int
    digest: bytes


async def seal(
    store: Store,
    key: str,
    secret: bytes,
    context: bytes,
    body: AsyncIterator[bytes],
    *,
    watch: Callable[[bytes], None] | None = None,
) -> Sealed:
    """Seal what comes and put it under a key. ``watch`` is shown the plaintext, in a thread, piece after piece.

    When this is cancelled, a last call of ``watch`` may still be running.
    """
    sealing = _Sealing(secret, context, watch)
    async with aclosing(sealing.pieces(body)) as pieces:
        await store.put(key, pieces)
    return sealing.result()


async def open_range(
    store: Store,
    key: str,
    secret: bytes,
    context: bytes,
    size: int,
    start: int = 0,
    length: int | None = None,
) -> AsyncGenerator[bytes, None]:
    """Give part of what was sealed, in pieces of about a MiB, each authenticated before it is given.

    ``size`` is what the caller knows, and the object must agree. A range that reaches the end opens the last chunk too,
    so the object is exactly so long; one that ends before it sees nothing behind its own chunks.
    """
    span = _Span.of(size, start, length)
    place = span.first * CHUNK_BYTES
    with _named(key):
        async with aclosing(_opened(store, key, secret, context, span)) as runs:
            async for run in runs:
                wanted = run[max(0, span.start - place) : max(0, span.end - place)]
                place += len(run)
                if wanted:
                    yield wanted


async def check(store: Store, key: str, secret: bytes, context: bytes, sealed: Sealed) -> None:
    """Read an object once and prove all that is known of it: its size, its digest, and every seal."""
    digest = blake3()
    with _named(key):
        if sealed.sealed_size != sealed_size(sealed.size):
            message = f"{sealed.size} bytes are never {sealed.sealed_size} sealed ones"
            raise SealBroken(message)
        span = _Span.of(sealed.size, 0, None)
        async with aclosing(_opened(store, key, secret, context, span, digest.update)) as runs:
            async for _ in runs:
                pass
        if digest.digest() != sealed.digest:
            raise SealBroken("every seal opens, but the digest is another: the object was sealed anew")


class _Sealing:
    """One object on its way into a store."""

    def __init__(self, secret: bytes, context: bytes, watch: Callable[[bytes], None] | None) -> None:
        self._sealer = Sealer(secret, context)
        self._digest = blake3()
        self._watch = watch
        self._size = self._sealed = 0
        self._finished = False

    async def pieces(self, body: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        async with aclosing(_gathered(body)) as pieces:
            async for piece in pieces:
                yield await _aside(len(piece), self._take, piece)
        yield self._finish()

    def result(self) -> Sealed:
        assert self._finished, "the store said that all was put, and did not take all"
        return Sealed(self._size, self._sealed, self._digest.digest())

    def _take(self, piece: bytes) -> bytes:
        if self._watch:
            self._watch(piece)
        self._size += len(piece)
        return self._account(self._sealer.update(piece))

    def _finish(self) -> bytes:
        sealed = self._account(self._sealer.finish())
        self._finished = True
        return sealed

    def _account(self, sealed: bytes) -> bytes:
        self._digest.update(sealed)
        self._sealed += len(sealed)
        return sealed


@dataclass(frozen=True, slots=True)
class _Span:
    """A range of an object and the chunks it takes: so many sealed bytes from chunk ``first``, with the last or not."""

    start: int
    end: int
    first: int
    sealed: int
    last: bool

    @classmethod
    def of(cls, size: int, start: int, length: int | None) -> _Span:
        if start < 0 or (length is not None and length < 0):
            message = f"no range: {start}, {length}"
            raise ValueError(message)
        start = min(start, size)
        end = size if length is None else min(start + length, size)
        first, behind = start // CHUNK_BYTES, -(-end // CHUNK_BYTES)
        # The last chunk is read for the end's sake, too, even where it holds nothing.
        last = end == size or behind > size // CHUNK_BYTES
        upto = sealed_size(size) if last else HEADER_BYTES + behind * SEALED_CHUNK_BYTES
        return cls(start, end, first, upto - HEADER_BYTES - first * SEALED_CHUNK_BYTES, last)


class _Source:
    """Pieces as a store gives them, taken in sizes of our own."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._held = memoryview(b"")

    async def wait(self) -> bool:
        """Wait until there is something to take; false at the end."""
        while not self._held:
            piece = await anext(self._pieces, None)
            if piece is None:
                return False
            self._held = memoryview(piece)
        return True

    async def take(self, size: int) -> list[memoryview]:
        """Take so many bytes."""
        parts: list[memoryview] = []
        while size:
            if not await self.wait():
                raise SealBroken("it ends too early")
            parts.append(self._held[:size])
            self._held = self._held[size:]
            size -= len(parts[-1])
        return parts


async def _opened(
    store: Store,
    key: str,
    secret: bytes,
    context: bytes,
    span: _Span,
    seen: Callable[[bytes | memoryview], object] | None = None,
) -> AsyncGenerator[bytes, None]:
    """Open the chunks of a span, a run of them at a time; ``seen`` is shown the sealed bytes, header first."""
    offset = HEADER_BYTES + span.first * SEALED_CHUNK_BYTES if span.first else 0
    # A byte more, for nothing may follow the end.
    wanted = HEADER_BYTES + span.first * SEALED_CHUNK_BYTES + span.sealed - offset + span.last
    async with aclosing(_pieces(store, key, offset, wanted)) as pieces:
        source = _Source(pieces)
        header = await _header_apart(store, key, source) if offset else await _header_before(source)
        opener = Opener(secret, context, header)
        if seen:
            seen(header)
        number, left = span.first, span.sealed
        while left:
            size = min(_RUN, left)
            run = await source.take(size)
            left -= size
            last = span.last and not left
            if last and await source.wait():
                raise SealBroken("it goes on behind its end")
            yield await _aside(size, partial(_open, opener, number, run, seen, last=last))
            number += size // SEALED_CHUNK_BYTES


async def _header_before(source: _Source) -> bytes:
    return b"".join(await source.take(HEADER_BYTES))


async def _header_apart(store: Store, key: str, source: _Source) -> bytes:
    """Read the header while the first piece of the range is on its way already."""

    async def read() -> bytes:
        async with aclosing(_pieces(store, key, 0, HEADER_BYTES)) as pieces:
            return await _header_before(_Source(pieces))

    # Both are waited for, whatever becomes of the other: what is still being read cannot be closed.
    header, waited = await asyncio.gather(read(), source.wait(), return_exceptions=True)
    if isinstance(header, BaseException):
        raise header
    if isinstance(waited, BaseException):
        raise waited
    return header


def _pieces(store: Store, key: str, start: int, length: int) -> AsyncGenerator[bytes, None]:
    """Read from a store, in a way that can be closed: its protocol does not say that it gives a generator."""
    return cast("AsyncGenerator[bytes, None]", store.read_range(key, start, length))


def _open(
    opener: Opener,
    number: int,
    parts: list[memoryview],
    seen: Callable[[memoryview], object] | None,
    *,
    last: bool,
) -> bytes:
    chunks = parts[0] if len(parts) == 1 else _joined(parts)
    if seen:
        seen(chunks)
    return opener.open(number, chunks, last=last)


def _joined(parts: list[memoryview]) -> memoryview:
    room = _scratch.room(sum(len(part) for part in parts))
    filled = 0
    for part in parts:
        room[filled : filled + len(part)] = part
        filled += len(part)
    return room


async def _gathered(body: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Join small pieces and cut big ones, in memory of one size: a network may give two bytes at a time."""
    room = memoryview(bytearray(_PIECE))
    held = 0
    async for piece in body:
        offset = 0
        while offset < len(piece):
            part = piece[offset : offset + _PIECE - held]
            offset += len(part)
            if len(part) == _PIECE:
                yield part
                continue
            room[held : held + len(part)] = part
            held += len(part)
            if held == _PIECE:
                yield bytes(room)
                held = 0
    if held:
        yield bytes(room[:held])


async def _aside(size: int, function: Callable[..., T], *arguments: object) -> T:
    """Work on so many bytes: in a thread, unless that would take longer."""
    if size < _SMALL:
        return function(*arguments)
    return await asyncio.to_thread(function, *arguments)


@contextmanager
def _named(key: str) -> Iterator[None]:
    """Say of which object something is wrong."""
    try:
        yield
    except SealBroken as error:
        message = f"object {key}: {error}"
        raise SealBroken(message) from error
