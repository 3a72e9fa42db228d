"""A store in a folder. An object appears whole or not at all: it is written beside, synced, then linked to its name."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.base import CHUNK, ObjectExists, ObjectMissing, Stat, StoreUnavailable, checked_key, gathered

_PARTS = ".parts"


class LocalStore:
    """Keeps objects as files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = folder / _PARTS
        with _refusals():
            self._parts.mkdir(parents=True, exist_ok=True)

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Write to a temporary file, sync it, give it its name, sync the folder: in this order, or a crash loses it."""
        target = self._folder / checked_key(key)
        part = self._parts / secrets.token_hex(16)
        try:
            with _refusals():
                with part.open("xb") as file:
                    async for piece in body:
                        await asyncio.to_thread(file.write, piece)
                    file.flush()
                    await asyncio.to_thread(os.fsync, file.fileno())
                    size = file.tell()
                await asyncio.to_thread(self._publish, part, target)
        except FileExistsError as error:
            raise ObjectExists(key) from error
        finally:
            part.unlink(missing_ok=True)
        return size

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Read part of a file."""
        with _refusals(key), (self._folder / checked_key(key)).open("rb") as file:
            file.seek(start)
            left = length
            while left is None or left > 0:
                piece = await asyncio.to_thread(file.read, CHUNK if left is None else min(CHUNK, left))
                if not piece:
                    return
                yield piece
                left = None if left is None else left - len(piece)

    async def read(self, key: str) -> bytes:
        """Read a file whole."""
        return await gathered(self.read_range(key))

    async def stat(self, key: str) -> Stat:
        """Describe a file."""
        with _refusals(key):
            return Stat(key, (await asyncio.to_thread((self._folder / checked_key(key)).stat)).st_size)

    async def delete(self, key: str) -> None:
        """Delete a file, and make that last."""
        path = self._folder / checked_key(key)
        with _refusals():
            await asyncio.to_thread(_remove, path)

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Walk the folders in the order of keys."""
        walk = self._walk(self._folder, "", prefix)
        while (found := await asyncio.to_thread(next, walk, None)) is not None:
            yield found

    async def ping(self) -> None:
        """Fail unless the folder can be written to."""
        with _refusals():
            probe = self._parts / secrets.token_hex(16)
            await asyncio.to_thread(probe.touch)
            await asyncio.to_thread(probe.unlink)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _publish(self, part: Path, target: Path) -> None:
        made = _make_folders(target.parent)
        os.link(part, target)  # unlike rename, never replaces what is there
        for folder in [target.parent, *made]:
            _sync_folder(folder)

    def _walk(self, folder: Path, path: str, prefix: str) -> Iterator[Stat]:
        # A folder sorts as its name with '/': the order of the keys below it, as in every other store.
        entries = [(entry.name + "/" if entry.is_dir() else entry.name, entry) for entry in os.scandir(folder)]
        for name, entry in sorted(entries):
            key = path + name
            if name == _PARTS + "/" or not (key.startswith(prefix) or prefix.startswith(key)):
                continue
            if name.endswith("/"):
                yield from self._walk(Path(entry.path), key, prefix)
            else:
                yield Stat(key, entry.stat().st_size)


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; gives the folders that thereby got a new name to be synced."""
    missing = [folder, *folder.parents]
    missing = missing[: next(index for index, path in enumerate(missing) if path.exists())]
    folder.mkdir(parents=True, exist_ok=True)
    return [path.parent for path in missing]


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except FileNotFoundError:
        return
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _refusals(key: str | None = None) -> Iterator[None]:
    """Name what the operating system refuses in the words of a store."""
    try:
        yield
    except FileNotFoundError as error:
        if key is not None:
            raise ObjectMissing(key) from error
        raise StoreUnavailable(str(error)) from error
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreUnavailable(str(error)) from error
