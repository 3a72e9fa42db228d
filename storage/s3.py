"""A store in an S3 bucket, through the ``minio`` client in threads.

A put sends a body of up to 8 MiB in one request, and a longer one in parts of 8 MiB, of which there may be 10,000. It
keeps two parts in memory and nothing on the disk.

Both ways end in one request that the server shall take only if nothing has the key yet. Where its answer is lost, the
next attempt is told that something has; so each put marks its object, and looks whose mark is there.

Not every server keeps that condition, and none says so: Ceph 16 does for one request, unless the bucket has versions,
and does not for parts. So a store finds out with its first object, and where the condition is not kept it asks before
whether the key is free. There, of two at the very same time, the later one wins; keys of ours are random and never
written by two.

Reads, lists and deletes are tried once. ``RetryingStore`` tries them again; ``open_store`` puts one around.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from storage.base import (
    CHUNK,
    ObjectExists,
    ObjectMissing,
    Stat,
    StoreError,
    StoreUnavailable,
    blocks,
    checked_key,
    gathered,
    is_key,
)
from storage.retrying import PATIENT, Patience, retried
from storage.s3_address import S3Address
from storage.s3_bucket import CONNECTIONS, Bucket, Opened
from storage.threads import Threads

T = TypeVar("T")
PART = 8 * CHUNK
_PAGE = 1000  # what a server sends at once


class S3Store:
    """Keeps objects in a bucket, below a prefix."""

    def __init__(
        self, address: S3Address, patience: Patience = PATIENT, *, connect: float = 10, answer: float = 60
    ) -> None:
        """Be ready to connect; a server has so many seconds to take a connection, and to begin and go on answering."""
        self._bucket = Bucket(address, connect=connect, answer=answer)
        self._threads = Threads(CONNECTIONS)
        self._patience = patience
        # Whether the server refuses a second object under a key by itself; nobody knows yet.
        self._conditions: bool | None = None

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Write an object: in one request if the body ends within a part, or else in parts."""
        checked_key(key)
        mark = secrets.token_hex(16)
        async with aclosing(blocks(body, PART)) as parts:
            held = await _read_ahead(parts)
            if len(held) > 1:
                return await self._put_parts(key, mark, _after(held, parts))
        whole = held.pop() if held else bytearray()
        await self._settle(key, mark, lambda: self._put_whole(key, mark, whole))
        return len(whole)

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Read part of an object."""
        if length is not None and length <= 0:
            await self.stat(key)
            return
        opened = await self._threads.call(self._bucket.open, checked_key(key), start, length, undo=_forget)
        if opened is None:
            return
        try:
            left = opened.size
            while left:
                piece = await self._threads.call(opened.read, min(CHUNK, left))
                if not piece:
                    raise StoreUnavailable(f"{key} ended {left} bytes early")
                left -= len(piece)
                yield piece
        finally:
            opened.close()

    async def read(self, key: str) -> bytes:
        """Read an object whole."""
        return await gathered(self.read_range(key))

    async def stat(self, key: str) -> Stat:
        """Describe an object."""
        try:
            return Stat(key, (await self._threads.call(self._bucket.head, checked_key(key))).size)
        except ObjectMissing:
            # The answer has no body that could say whether it is the object that is missing, or the whole bucket.
            await self.ping()
            raise

    async def delete(self, key: str) -> None:
        """Delete an object. A bucket with versions keeps it behind a marker, until a rule of its own removes it."""
        await self._threads.call(self._bucket.delete, checked_key(key))

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Go through the objects, a page of the server's at a time."""
        found = self._bucket.list(prefix)
        while page := await self._threads.call(lambda: tuple(islice(found, _PAGE))):
            for key, size in page:
                if is_key(key):  # other tools leave markers of folders
                    yield Stat(key, size)

    async def ping(self) -> None:
        """Fail unless the bucket is there."""
        await self._threads.call(self._bucket.check)

    async def close(self) -> None:
        """Close the connections."""
        self._bucket.close()
        self._threads.close()

    async def _put_whole(self, key: str, mark: str, body: bytearray) -> None:
        if not self._conditions:
            await self._try(self._bucket.refuse_existing, key)
        await self._try(self._bucket.put, key, body, mark, undo=lambda _: self._bucket.delete(key))
        if self._conditions is None:
            try:
                self._conditions = await self._keeps_conditions(key, mark, body)
            except asyncio.CancelledError:
                await self._threads.call(self._bucket.delete, key)
                raise

    async def _keeps_conditions(self, key: str, mark: str, body: bytearray) -> bool | None:
        """Write an object of ours again: it has to be refused. Where it is not, nothing changed but our knowledge."""
        try:
            await self._threads.call(self._bucket.put, key, body, mark)
        except ObjectExists:
            return True
        except StoreUnavailable:
            return None
        return False

    async def _put_parts(self, key: str, mark: str, parts: AsyncGenerator[bytearray]) -> int:
        upload = await self._try(self._bucket.begin, key, mark, undo=lambda begun: self._bucket.abort(key, begun))
        try:
            tags: list[str] = []
            size = 0
            async with aclosing(parts):
                async for part in parts:
                    tags.append(await self._try(self._bucket.put_part, key, upload, len(tags) + 1, part))
                    size += len(part)
            await self._settle(key, mark, lambda: self._finish(key, upload, tags))
        except BaseException:
            await self._abort(key, upload)
            raise
        return size

    async def _finish(self, key: str, upload: str, tags: Sequence[str]) -> None:
        await self._try(self._bucket.refuse_existing, key)  # not every server does so at the end of parts
        await self._try(self._bucket.finish, key, upload, tags, undo=lambda _: self._bucket.delete(key))

    async def _abort(self, key: str, upload: str) -> None:
        """Throw parts away, for they cost room; what went wrong before is what the caller has to hear of."""
        with suppress(StoreError):
            await retried(
                lambda: self._threads.call(self._bucket.abort, key, upload), replace(self._patience, attempts=3)
            )

    async def _settle(self, key: str, mark: str, write: Callable[[], Awaitable[None]]) -> None:
        """Write; a try that failed may yet have come through, so look whose object is there."""
        try:
            await write()
        except ObjectExists:
            found = await self._try(self._bucket.head, key)
            if found.mark != mark:
                raise
        except StoreUnavailable:
            with suppress(StoreError):
                if (await self._threads.call(self._bucket.head, key)).mark == mark:
                    return
            raise

    async def _try(
        self, function: Callable[..., T], *arguments: object, undo: Callable[[T], object] | None = None
    ) -> T:
        return await retried(lambda: self._threads.call(function, *arguments, undo=undo), self._patience)


def _forget(opened: Opened | None) -> None:
    if opened is not None:
        opened.close()


async def _read_ahead(parts: AsyncGenerator[bytearray]) -> list[bytearray]:
    """Read two parts: enough to know whether there is more than one."""
    read = [await anext(parts, None), await anext(parts, None)]
    return [part for part in read if part is not None]


async def _after(held: list[bytearray], parts: AsyncGenerator[bytearray]) -> AsyncGenerator[bytearray]:
    """Go on with what was read ahead; it is let go of as it is given."""
    while held:
        yield held.pop(0)
    async for part in parts:
        yield part
