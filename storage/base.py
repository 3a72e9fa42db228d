"""What a store is: obligations, stated once, that every store meets and one test suite proves.

StoreError
├── ObjectMissing       no object has this key
├── ObjectExists        objects are written once and never changed
└── StoreUnavailable    the store cannot be reached, or is full; trying later may help
    └── StoreRefused    it was reached and says no; nothing changes before somebody acts
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Protocol

CHUNK = 1 << 20
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
_KEY_LENGTH = 200


class StoreError(Exception):
    """Base of every error of a store."""


class ObjectMissing(StoreError):
    """No object has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no object {key}")


class ObjectExists(StoreError):
    """An object with this key was written before."""

    def __init__(self, key: str) -> None:
        super().__init__(f"object {key} exists already")


class StoreUnavailable(StoreError):
    """The store cannot be used now."""


class StoreRefused(StoreUnavailable):
    """The store was reached and refuses us: no right, no bucket, no trust. Asking again gets the same answer."""


@dataclass(frozen=True, slots=True)
class Stat:
    """What a store knows of an object without reading it."""

    key: str
    size: int


class Store(Protocol):
    """Keeps bytes under keys. Keys are lower-case words of letters, digits, '-' and '_', joined by '/'.

    No key is the folder of another: beside ``a/b`` there is no ``a``, and a store may refuse it as ObjectExists.
    A store that is away says StoreUnavailable, never ObjectMissing: nobody shall take an unmounted disk for a loss.
    """

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Write an object, whole or not at all, and durably before returning its size. An existing key is refused.

        What the body raises comes out as it is, and leaves nothing behind.
        """
        ...

    def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Read part of an object in pieces; a range behind the end gives fewer bytes, never an error."""
        ...

    async def read(self, key: str) -> bytes:
        """Read a small object whole."""
        ...

    async def stat(self, key: str) -> Stat:
        """Describe an object."""
        ...

    async def delete(self, key: str) -> None:
        """Delete an object; one that is gone already is no error."""
        ...

    def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Go through the objects whose keys begin so, in the order of their keys."""
        ...

    async def ping(self) -> None:
        """Fail unless the store can be reached."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads. Nothing is asked of the store afterwards."""
        ...


def checked_key(key: str) -> str:
    """Refuse keys that could leave a folder or differ between stores."""
    if not is_key(key):
        message = f"not a key: {key[:80]!r}"
        raise ValueError(message)
    return key


def is_key(key: str) -> bool:
    """Tell keys from what else may lie in a folder or a bucket."""
    return len(key) <= _KEY_LENGTH and _KEY.fullmatch(key) is not None


async def gathered(pieces: AsyncIterator[bytes]) -> bytes:
    """Join the pieces of a small object."""
    return b"".join([piece async for piece in pieces])


async def blocks(pieces: AsyncIterator[bytes], size: int) -> AsyncGenerator[bytearray]:
    """Cut a stream anew: every block has this size but the last, which is shorter and never empty."""
    held = bytearray()
    async for piece in pieces:
        rest = memoryview(piece)
        while len(held) + len(rest) >= size:
            cut = size - len(held)
            held += rest[:cut]
            rest = rest[cut:]
            # Given away, not copied: a store keeps one block while the next is gathered, and no third.
            full, held = held, bytearray()
            yield full
            del full
        held += rest
    if held:
        yield held
