"""A store in a folder. An object appears whole or not at all: it is written beside, synced, then linked to its name."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from storage.base import CHUNK, ObjectExists, ObjectMissing, Stat, StoreUnavailable, checked_key, gathered, is_key

T = TypeVar("T")
_PARTS = ".parts"
# A part that nothing was written to for so long was left by a crash.
_ABANDONED = 24 * 3600
_PAGE = 500


class LocalStore:
    """Keeps objects as files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = folder / _PARTS
        with _refusals():
            # Nobody else's business, even sealed; a folder that is there already keeps the rights its owner gave it.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._parts.mkdir(exist_ok=True)
            _sweep(self._parts)

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Write to a temporary file, sync it, give it its name, sync the folder: in this order, or a crash loses it."""
        target = self._folder / checked_key(key)
        part = self._parts / secrets.token_hex(16)
        file = await _call(_create, part)
        try:
            async for piece in body:
                await _call(file.write, piece)
            size = await _call(_finish, file)
            with _refusals():
                try:
                    await asyncio.to_thread(self._publish, part, target)
                except (FileExistsError, NotADirectoryError) as error:
                    raise ObjectExists(key) from error
        finally:
            await asyncio.to_thread(_discard, file, part)
        return size

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Read part of a file."""
        file = await self._find(key, _open_at, start)
        try:
            left = length
            while left is None or left > 0:
                piece = await _call(file.read, CHUNK if left is None else min(CHUNK, left))
                if not piece:
                    return
                yield piece
                left = None if left is None else left - len(piece)
        finally:
            file.close()

    async def read(self, key: str) -> bytes:
        """Read a file whole."""
        return await gathered(self.read_range(key))

    async def stat(self, key: str) -> Stat:
        """Describe a file."""
        return Stat(key, await self._find(key, _size))

    async def delete(self, key: str) -> None:
        """Delete a file, and make that last."""
        with suppress(ObjectMissing):
            await self._find(key, _remove)

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Walk the folders in the order of keys, some hundred files at a time."""
        walk = self._walk(self._folder, "", prefix)
        while page := await _call(lambda: tuple(islice(walk, _PAGE))):
            for found in page:
                yield found

    async def ping(self) -> None:
        """Fail unless the folder can be written to."""
        await _call(_touch, self._parts / secrets.token_hex(16))

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _find(self, key: str, function: Callable[..., T], *arguments: object) -> T:
        """Do something with an object's file; tell a missing object from a folder that is not mounted."""
        path = self._folder / checked_key(key)
        with _refusals():
            try:
                return await asyncio.to_thread(function, path, *arguments)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                if not await asyncio.to_thread(self._parts.is_dir):
                    message = f"the folder {self._folder} is gone"
                    raise StoreUnavailable(message) from error
                raise ObjectMissing(key) from error

    def _publish(self, part: Path, target: Path) -> None:
        made = _make_folders(target.parent)
        os.link(part, target)  # unlike rename, never replaces what is there
        for folder in [target.parent, *made]:
            _sync_folder(folder)

    def _walk(self, folder: Path, path: str, prefix: str) -> Iterator[Stat]:
        # A folder sorts as its name with '/': the order of the keys below it, as in every other store.
        with os.scandir(folder) as found:
            entries = sorted((entry.name + "/" if entry.is_dir() else entry.name, entry.path) for entry in found)
        for name, place in entries:
            key = path + name
            with suppress(FileNotFoundError):  # deleted meanwhile
                if name.endswith("/") and is_key(key[:-1]) and (key.startswith(prefix) or prefix.startswith(key)):
                    yield from self._walk(Path(place), key, prefix)
                elif is_key(key) and key.startswith(prefix):
                    yield Stat(key, _size(Path(place)))


async def _call(function: Callable[..., T], *arguments: object) -> T:
    """Call in a thread, for a disk may be slow, and name what the system refuses in the words of a store."""
    with _refusals():
        return await asyncio.to_thread(function, *arguments)


def _create(part: Path) -> BinaryIO:
    return part.open("xb")


def _finish(file: BinaryIO) -> int:
    file.flush()
    os.fsync(file.fileno())
    return file.tell()


def _discard(file: BinaryIO, part: Path) -> None:
    # On a full disk closing fails too, and the file is closed nevertheless.
    with suppress(OSError):
        file.close()
    with suppress(OSError):
        part.unlink(missing_ok=True)


def _open_at(path: Path, start: int) -> BinaryIO:
    file = path.open("rb", buffering=0)
    file.seek(start)
    return file


def _size(path: Path) -> int:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError(path)
    return found.st_size


def _touch(path: Path) -> None:
    path.touch()
    path.unlink()


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; gives the folders that thereby got a new name to be synced."""
    missing = [folder, *folder.parents]
    missing = missing[: next(index for index, path in enumerate(missing) if path.exists())]
    folder.mkdir(parents=True, exist_ok=True)
    return [path.parent for path in missing]


def _remove(path: Path) -> None:
    _size(path)  # a folder is no object
    path.unlink()
    _sync_folder(path.parent)


def _sweep(parts: Path) -> None:
    for part in parts.iterdir():
        with suppress(FileNotFoundError):
            if part.stat().st_mtime < time.time() - _ABANDONED:
                part.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _refusals() -> Iterator[None]:
    """Name what the operating system refuses in the words of a store."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(str(error)) from error
