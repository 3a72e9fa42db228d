"""Reading parts of a file: few large reads, because each may be a question to another process."""

from __future__ import annotations

import os
from typing import Protocol

_BLOCK = 256 * 1024


class Seekable(Protocol):
    """What metadata is read from."""

    def read(self, size: int, /) -> bytes:
        """Give up to so many bytes."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move, and say where to."""
        ...


class Reader:
    """Gives any range of a file, and nothing behind its end."""

    def __init__(self, file: Seekable) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        self._start = 0
        self._block = b""

    def at(self, offset: int, length: int) -> bytes:
        """Give up to ``length`` bytes from ``offset``."""
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        end = min(offset + length, self.size)
        if not (self._start <= offset and end <= self._start + len(self._block)):
            self._start, self._block = offset, self._read(offset, max(end - offset, _BLOCK))
        return self._block[offset - self._start : end - self._start]

    def _read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        parts: list[bytes] = []
        while length > 0 and (part := self._file.read(length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)
