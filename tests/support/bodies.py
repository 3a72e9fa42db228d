"""Bodies to put into stores, and what comes out of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from storage import Store


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def in_pieces_of(size: int, body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def cut_off(first: bytes, error: BaseException) -> AsyncIterator[bytes]:
    yield first
    raise error


async def drain(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


async def keys(store: Store, prefix: str = "") -> list[str]:
    return [found.key async for found in store.list(prefix)]
