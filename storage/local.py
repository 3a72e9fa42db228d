"""A store in a folder. An object appears whole or not at all: it is written beside, synced, then linked to its name."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from storage.base import (
    CHUNK,
    ObjectExists,
    ObjectMissing,
    Stat,
    StoreUnavailable,
    blocks,
    checked_key,
    gathered,
    is_key,
)
from storage.threads import Threads

T = TypeVar("T")
_PARTS = ".parts"
# A part that nothing was written to for so long was left by a crash.
_ABANDONED = 24 * 3600
_PAGE = 500
_THREADS = 8

# What people can do about the errors they meet; the system's own words follow.
_REMEDIES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than the limit of this process or disk (ulimit -f)",
    errno.EIO: "the disk fails to read or write; look at the system's log",
    errno.EROFS: "the disk is mounted read-only",
}
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


class LocalStore:
    """Keeps objects as files below a folder, whose file system has to know hard links."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = folder / _PARTS
        self._threads = Threads(_THREADS)
        # Folders whose names are known to outlast a crash.
        self._lasting: set[Path] = set()
        with _refusals():
            _make_lasting_root(folder)
            self._parts.mkdir(exist_ok=True)
            _sweep(self._parts)

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Write to a temporary file, sync it, give it its name, sync the folder: in this order, or a crash loses it."""
        target = self._folder / checked_key(key)
        part = self._parts / secrets.token_hex(16)
        file = await self._call(_create, part, undo=lambda made: _discard(made, part))
        try:
            async with aclosing(blocks(body, CHUNK)) as pieces:
                async for piece in pieces:
                    await self._call(file.write, piece)
            return await self._call(self._publish, file, part, target, key, undo=lambda _: _remove(target))
        except BaseException:
            await self._threads.call(_discard, file, part)
            raise

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Read part of a file."""
        file = await self._find(key, _open_at, start, undo=BinaryIO.close)
        try:
            left = length
            while left is None or left > 0:
                piece = await self._call(file.read, CHUNK if left is None else min(CHUNK, left))
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
        while page := await self._call(lambda: tuple(islice(walk, _PAGE))):
            for found in page:
                yield found

    async def ping(self) -> None:
        """Fail unless the folder can be written to."""
        await self._call(_touch, self._parts / secrets.token_hex(16))

    async def close(self) -> None:
        """Let the threads end."""
        self._threads.close()

    async def _call(
        self, function: Callable[..., T], *arguments: object, undo: Callable[[T], object] | None = None
    ) -> T:
        """Call in a thread, for a disk may be slow, and name what the system refuses in the words of a store."""
        with _refusals():
            return await self._threads.call(function, *arguments, undo=undo)

    async def _find(
        self, key: str, function: Callable[..., T], *arguments: object, undo: Callable[[T], object] | None = None
    ) -> T:
        """Do something with an object's file; tell a missing object from a folder that is not mounted."""
        path = self._folder / checked_key(key)
        with _refusals():
            try:
                return await self._threads.call(function, path, *arguments, undo=undo)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                if not await self._threads.call(self._parts.is_dir):
                    message = f"the folder {self._folder} is gone"
                    raise StoreUnavailable(message) from error
                raise ObjectMissing(key) from error

    def _publish(self, file: BinaryIO, part: Path, target: Path, key: str) -> int:
        """Make what was written last, and then visible."""
        file.flush()
        os.fsync(file.fileno())
        try:
            self._make_lasting(target.parent)
            _link(part, target)
        except (FileExistsError, NotADirectoryError) as error:
            raise ObjectExists(key) from error
        try:
            _sync_folder(target.parent)
        except OSError:
            # It might be gone after a crash, so it was not written. Nobody else can have it: it was linked just now.
            target.unlink()
            raise
        size = file.tell()
        _discard(file, part)
        return size

    def _make_lasting(self, folder: Path) -> None:
        """Make a folder whose name outlasts a crash.

        That it exists does not prove that: another process may have made it and not synced it yet.
        """
        if folder == self._folder or (folder in self._lasting and folder.is_dir()):
            return
        self._make_lasting(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)
        self._lasting.add(folder)

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


def _create(part: Path) -> BinaryIO:
    return part.open("xb")


def _link(part: Path, target: Path) -> None:
    """Give a file its name; unlike renaming, linking never replaces what is there."""
    try:
        os.link(part, target)
    except OSError as error:
        if error.errno in _NO_LINKS and os.access(target.parent, os.W_OK):
            message = f"the file system of {target.parent} knows no hard links; keep the store on one that does"
            raise StoreUnavailable(message) from error
        raise


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


def _remove(path: Path) -> None:
    _size(path)  # a folder is no object
    path.unlink()
    _sync_folder(path.parent)


def _make_lasting_root(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    # Nobody else's business, even sealed; a folder that is there already keeps the rights its owner gave it.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in missing:
        with suppress(PermissionError):  # one may write into a folder and yet not open it
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
        remedy = _REMEDIES.get(error.errno or 0)
        raise StoreUnavailable(f"{remedy}: {error}" if remedy else str(error)) from error
