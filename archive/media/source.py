"""What a task reads: a sealed memfd with the whole file, or ranges that the parent is asked for. The parent's half.

Neither memory nor disk ever holds a large file in the clear: of one read by ranges, a few MiB are on their way.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from archive.media.limits import MIB

BLOCK_BYTES = MIB
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@dataclass(slots=True)
class MemorySource:
    """A whole file in memory that has no name and that nobody can change any more. Close it after its last task."""

    size: int
    descriptor: int

    def close(self) -> None:
        """Let go of the memory, as soon as no child uses it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class RangeSource:
    """A file read where the child needs it. ``read`` gives exactly the bytes asked for."""

    size: int
    read: Callable[[int, int], Awaitable[bytes]]


Source = MemorySource | RangeSource


async def memory_source(content: bytes | AsyncIterator[bytes], size: int | None = None) -> MemorySource:
    """Hold a file in memory for children. Where the size is known, what comes must be as long."""
    descriptor = os.memfd_create("media", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        written = 0
        if isinstance(content, bytes):
            written = _write(descriptor, content)
        else:
            async for piece in content:
                written += _write(descriptor, piece)
                if size is not None and written > size:
                    break
        if size is not None and written != size:
            message = f"the file has {written} bytes or more, and should have {size}"
            raise ValueError(message)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return MemorySource(written, descriptor)


class ReadAhead:
    """Serves one child's wishes for ranges; when it reads on and on, the next block is fetched meanwhile."""

    def __init__(self, source: RangeSource) -> None:
        self._source = source
        self._next: tuple[int, asyncio.Task[bytes]] | None = None
        self._expected = 0

    async def block(self, start: int, length: int) -> bytes:
        """Give a range; one beyond the end, or too long, is none that our child asks for."""
        if length > BLOCK_BYTES or start + length > self._source.size:
            message = f"no range: {start}, {length}"
            raise ValueError(message)
        content = await self._fetched(start, length)
        if len(content) != length:
            message = f"{len(content)} bytes instead of {length} at {start}"
            raise EOFError(message)
        following = min(BLOCK_BYTES, self._source.size - start - length)
        if start == self._expected and following:
            self._next = start + length, asyncio.ensure_future(self._read(start + length, following))
        self._expected = start + length
        return content

    async def close(self) -> None:
        """Fetch no further."""
        if self._next:
            task = self._next[1]
            self._next = None
            task.cancel()
            await asyncio.wait([task])

    async def _fetched(self, start: int, length: int) -> bytes:
        if self._next:
            begin, task = self._next
            if begin == start:
                self._next = None
                content = await task
                if len(content) >= length:
                    return content[:length]
            else:
                await self.close()
        return await self._read(start, length)

    async def _read(self, start: int, length: int) -> bytes:
        return await self._source.read(start, length)


def _write(descriptor: int, content: bytes) -> int:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    return len(content)
