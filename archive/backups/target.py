"""Where backups go: a store of its own, and the names of what lies there. See docs/storage-format.md."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from blake3 import blake3

from archive.errors import BackupFailed, Invalid
from archive.settings import masked
from storage import ObjectMissing, StoreError, check_url, open_store
from storage.cobblestone import SealBroken, opened_size
from storage.sealed import open_range

if TYPE_CHECKING:
    from storage import Store

T = TypeVar("T")
OBJECTS, BACKUPS = "objects/", "backups/"
COMPLETE, MANIFEST, TOMBSTONES, KEYS, DATABASE = "complete", "manifest", "tombstones", "keys", "database"
_ID = re.compile(r"\d{8}t\d{6}z")


@dataclass(frozen=True, slots=True)
class Target:
    """A place for backups; its name shows no password."""

    store: Store
    name: str


def url_of(text: str) -> str:
    """Take a folder or a URL for a target."""
    url = text if "://" in text else Path(text).absolute().as_uri()
    try:
        check_url(url)
    except ValueError as error:
        message = f"{masked(text)} is no place for backups: {error}."
        raise Invalid(message) from error
    return url


@asynccontextmanager
async def opened(text: str, *, apart_from: Sequence[str] = (), must_exist: bool = False) -> AsyncIterator[Target]:
    """Open a target. One that lies in a store of the archive is refused: there its objects would be strays."""
    url = url_of(text)
    for store_url in apart_from:
        if _within(url, store_url):
            message = (
                f"{masked(url)} lies in the store {masked(store_url)}. Keep backups apart from it, on another disk."
            )
            raise Invalid(message)
    folder = _folder(url)
    if must_exist and folder is not None and not folder.is_dir():
        message = f"There is no folder {folder}. Is its disk mounted, and the path right?"
        raise Invalid(message)
    name = masked(url)
    with failures(name):
        store = open_store(url)
        try:
            await store.ping()
            yield Target(store, name)
        finally:
            await store.close()


@contextmanager
def failures(name: str) -> Iterator[None]:
    """Say of which target something is wrong."""
    try:
        yield
    except StoreError as error:
        message = f"A store cannot be used while the backups in {name} are: {error}. Mend it and run this again."
        raise BackupFailed(message) from error


def _folder(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _within(url: str, store_url: str) -> bool:
    inner, outer = _folder(url), _folder(store_url)
    if inner is not None and outer is not None:
        return inner.resolve().is_relative_to(outer.resolve())
    one, other = urlsplit(url), urlsplit(store_url)
    if (one.scheme, one.hostname, one.port) != (other.scheme, other.hostname, other.port):
        return False
    return (one.path.strip("/") + "/").startswith(other.path.strip("/") + "/")


def place(backup_id: str, *names: str) -> str:
    """Name what belongs to a backup."""
    return BACKUPS + "/".join([backup_id, *names])


async def found(target: Target) -> dict[str, set[str]]:
    """List the backups of a target, the oldest first, with what each has."""
    backups: dict[str, set[str]] = {}
    async with aclosing(closable(target.store.list(BACKUPS))) as entries:
        async for entry in entries:
            backup_id, _, name = entry.key.removeprefix(BACKUPS).partition("/")
            if _ID.fullmatch(backup_id):
                backups.setdefault(backup_id, set()).add(name)
    return backups


async def forget(target: Target, backup_id: str, names: set[str]) -> None:
    """Delete what belongs to a backup; first what makes it one, last what says what it needed."""
    for name in sorted(names, key=lambda name: (name != COMPLETE, name == MANIFEST, name)):
        await target.store.delete(place(backup_id, name))


async def write(target: Target, key: str, content: bytes) -> str:
    """Write something small; gives its BLAKE3."""
    await target.store.put(key, once(content))
    return blake3(content).hexdigest()


async def digest_of(target: Target, key: str) -> str | None:
    """Give the BLAKE3 of what is there; none when nothing is."""
    digest = blake3()
    try:
        async with aclosing(closable(target.store.read_range(key))) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(digest.update, piece)
    except ObjectMissing:
        return None
    return digest.hexdigest()


async def unsealed(target: Target, key: str, secret: bytes, context: bytes) -> AsyncGenerator[bytes, None]:
    """Give what was sealed there."""
    try:
        size = opened_size((await target.store.stat(key)).size)
        async with aclosing(open_range(target.store, key, secret, context, size)) as pieces:
            async for piece in pieces:
                yield piece
    except (SealBroken, ObjectMissing) as error:
        message = f"{key} in {target.name} is damaged or missing: {error}."
        raise BackupFailed(message) from error


async def lines(target: Target, key: str) -> AsyncGenerator[str, None]:
    """Give the lines of a list, a MiB at a time: nothing is held open for the days that copying may take."""
    start, rest = 0, b""
    while True:
        piece = b"".join([part async for part in target.store.read_range(key, start, 1 << 20)])
        start += len(piece)
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode("ascii", errors="replace")
        if not piece:
            if rest:
                yield rest.decode("ascii", errors="replace")
            return


class Held:
    """Walks a target's objects beside a list of keys in the same order: says which are there, and how large."""

    def __init__(self, target: Target) -> None:
        self._entries = closable(target.store.list(OBJECTS))
        self._key, self._size = "", 0

    async def size_of(self, key: str) -> int | None:
        """Say how large the object is; none when it is not there. Keys are asked for in their order."""
        while self._key < key:
            entry = await anext(self._entries, None)
            if entry is None:
                return None
            self._key, self._size = entry.key, entry.size
        return self._size if self._key == key else None

    async def close(self) -> None:
        """Let go of the list."""
        await self._entries.aclose()


async def each(items: AsyncIterator[T], act: Callable[[T], Awaitable[None]], at_once: int = 4) -> None:
    """Do something with each item, some at once; the first failure ends the others."""
    running: set[asyncio.Future[None]] = set()
    try:
        async for item in items:
            if len(running) >= at_once:
                ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for one in ended:
                    one.result()
            running.add(asyncio.ensure_future(act(item)))
        await asyncio.gather(*running)
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def once(content: bytes) -> AsyncIterator[bytes]:
    """Give bytes as a stream."""
    yield content


def closable(stream: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Take a stream for what can be closed: the protocol of stores does not say that it is."""
    return cast("AsyncGenerator[T, None]", stream)
