"""The file as the child's code sees it: a seekable raw file object, however its bytes come."""

from __future__ import annotations

import io
import mmap
import os
from collections import OrderedDict
from typing import TYPE_CHECKING

from archive.media.protocol import RANGE, Kind, Wire
from archive.media.source import BLOCK_BYTES
from archive.media.verdict import LimitExceeded

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HELD_BLOCKS = 8


class SourceFile(io.RawIOBase):
    """A file to read; Pillow, PyAV and rawpy take it as it is."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._position = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def tell(self) -> int:
        """Say where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move; beyond the end there is nothing to read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("a place before the beginning")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or to the end; fewer only at the end."""
        left = max(0, self.size - self._position)
        content = self._at(self._position, left if size is None or size < 0 else min(size, left))
        self._position += len(content)
        return content

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer."""
        room = memoryview(buffer).cast("B")
        content = self.read(len(room))
        room[: len(content)] = content
        return len(content)

    def readall(self) -> bytes:
        """Read to the end."""
        return self.read()

    def peek(self, start: int, length: int) -> bytes:
        """Read somewhere without moving."""
        return self._at(start, max(0, min(length, self.size - start)))

    def view(self) -> memoryview:
        """Give the whole file at once, for decoders that want it so."""
        raise NotImplementedError

    def _at(self, start: int, length: int) -> bytes:
        raise NotImplementedError


class MemoryFile(SourceFile):
    """A file in a sealed memfd, or in bytes of our own. The memfd's own position is shared and never used."""

    def __init__(self, content: bytes | mmap.mmap) -> None:
        super().__init__(len(content))
        self._content = memoryview(content)

    @classmethod
    def of(cls, descriptor: int, size: int) -> MemoryFile:
        """Map a memfd."""
        return cls(mmap.mmap(descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ) if size else b"")

    def view(self) -> memoryview:
        """Give the whole file, not copied."""
        return self._content

    def _at(self, start: int, length: int) -> bytes:
        return bytes(self._content[start : start + length])


class RangeFile(SourceFile):
    """A file that the parent is asked for, a MiB at a time."""

    def __init__(self, wire: Wire, size: int, most_held: int) -> None:
        super().__init__(size)
        self._wire = wire
        self._most_held = most_held
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def view(self) -> memoryview:
        """Give the whole file, if it may be held."""
        if self.size > self._most_held:
            message = f"a file of {self.size} bytes is too large for this decoder"
            raise LimitExceeded(message)
        return memoryview(self._at(0, self.size))

    def _at(self, start: int, length: int) -> bytes:
        parts: list[bytes] = []
        while length > 0:
            number, offset = divmod(start, BLOCK_BYTES)
            parts.append(self._block(number)[offset : offset + length])
            start += len(parts[-1])
            length -= len(parts[-1])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _block(self, number: int) -> bytes:
        held = self._blocks.get(number)
        if held is None:
            start = number * BLOCK_BYTES
            self._wire.send(Kind.WANT, RANGE.pack(start, min(BLOCK_BYTES, self.size - start)))
            held = self._blocks[number] = self._wire.receive(Kind.BYTES)
            if len(self._blocks) > _HELD_BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(number)
        return held
