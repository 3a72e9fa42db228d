"""Sealed bytes from one store to another as they are, proven by their digest on the way; no key is needed for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from blake3 import blake3

from storage import ObjectExists, ObjectMissing, StoreRefused, StoreUnavailable
from storage.cobblestone import SealBroken

if TYPE_CHECKING:
    from storage import Store


@dataclass(frozen=True, slots=True)
class Written:
    """Sealed bytes as they were written once."""

    size: int
    digest: bytes


async def copy(source: Store, key: str, target: Store, as_key: str, written: Written) -> None:
    """Copy an object. One that is not what was written is not copied: then the target has nothing of it."""
    async with aclosing(_proven(source, key, written)) as pieces:
        await target.put(as_key, pieces)


async def copy_or_replace(source: Store, key: str, target: Store, written: Written) -> None:
    """Copy an object under its own key. What the target has there already is kept if it is right, else replaced."""
    try:
        await copy(source, key, target, key, written)
    except ObjectExists:
        if await standing_fault_of(target, key, written) is None:
            return
        # Only now, with a source that was seen to be whole: a damaged copy may still be the better one of two.
        await _prove(source, key, written)
        await target.delete(key)
        await copy(source, key, target, key, written)


async def fault_of(store: Store, key: str, written: Written) -> str | None:
    """Say what is wrong with a copy. A store that is away says nothing about its objects, and comes out as an error."""
    try:
        await _prove(store, key, written)
    except (SealBroken, ObjectMissing) as error:
        return str(error)
    return None


async def standing_fault_of(store: Store, key: str, written: Written) -> str | None:
    """Say what is wrong with a copy, also that a store which is there cannot read it. One that is away is an error."""
    return await read_or_fault(store, lambda: fault_of(store, key, written))


async def read_or_fault(store: Store, read: Callable[[], Awaitable[str | None]]) -> str | None:
    """Tell an object that cannot be read, such as one on a bad sector, from a store that is away."""
    try:
        return await read()
    except StoreRefused:
        raise  # rights that were lost say nothing about the object
    except StoreUnavailable:
        await store.ping()
    # Once more, now that the store is there: it may have been away when it was asked, for a moment.
    try:
        return await read()
    except StoreUnavailable as error:
        await store.ping()
        return f"the store could not read it: {error}"


async def _prove(store: Store, key: str, written: Written) -> None:
    async with aclosing(_proven(store, key, written)) as pieces:
        async for _ in pieces:
            pass


async def _proven(store: Store, key: str, written: Written) -> AsyncGenerator[bytes, None]:
    """Give an object's bytes, and fail at its end, before a store makes them an object, if they are not the right ones.

    A store keeps nothing of a body that fails.
    """
    digest, size = blake3(), 0
    async with aclosing(cast("AsyncGenerator[bytes, None]", store.read_range(key))) as pieces:
        async for piece in pieces:
            size += len(piece)
            if size > written.size:
                break
            await asyncio.to_thread(digest.update, piece)
            yield piece
    if size != written.size or digest.digest() != written.digest:
        how = f"it has {size} bytes instead of {written.size}" if size < written.size else "its digest is another"
        raise SealBroken(f"object {key}: {how if size <= written.size else 'it goes on behind its end'}")
