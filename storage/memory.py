"""A store in memory: for tests and trials; it keeps every promise but durability."""

from __future__ import annotations

from collections.abc import AsyncIterator

from storage.base import CHUNK, ObjectExists, ObjectMissing, Stat, checked_key, gathered


class MemoryStore:
    """Keeps objects in a dictionary."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Write an object once it was received whole."""
        checked_key(key)
        content = await gathered(body)
        if key in self._objects:
            raise ObjectExists(key)
        self._objects[key] = content
        return len(content)

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Read part of an object."""
        content = self._find(key)
        end = len(content) if length is None else min(start + length, len(content))
        for offset in range(start, end, CHUNK):
            yield content[offset : min(offset + CHUNK, end)]

    async def read(self, key: str) -> bytes:
        """Read an object whole."""
        return self._find(key)

    async def stat(self, key: str) -> Stat:
        """Describe an object."""
        return Stat(key, len(self._find(key)))

    async def delete(self, key: str) -> None:
        """Delete an object."""
        self._objects.pop(checked_key(key), None)

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Go through the objects in order."""
        for key in sorted(key for key in self._objects if key.startswith(prefix)):
            yield Stat(key, len(self._objects[key]))

    async def ping(self) -> None:
        """Memory is always there."""

    async def close(self) -> None:
        """Nothing to let go of."""

    def _find(self, key: str) -> bytes:
        try:
            return self._objects[checked_key(key)]
        except KeyError as error:
            raise ObjectMissing(key) from error
