"""A result on its way into a file: beside its place until it is whole, so that nobody ever finds half of one."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class Written:
    """A file that is being written under another name."""

    def __init__(self, descriptor: int, hidden: Path, target: Path, *, force: bool) -> None:
        self._descriptor = descriptor
        self._hidden = hidden
        self._target = target
        self._force = force
        self.size = 0

    async def take(self, pieces: AsyncIterator[bytes]) -> None:
        """Write what comes."""
        async for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[await asyncio.to_thread(os.write, self._descriptor, left) :]
            self.size += len(piece)

    async def keep(self) -> None:
        """Give it its name, once its bytes are on disk."""
        await asyncio.to_thread(self._keep)

    def _keep(self) -> None:
        os.fsync(self._descriptor)
        if self._force:
            self._hidden.replace(self._target)
        else:
            os.link(self._hidden, self._target)  # unlike a rename, this never replaces


@asynccontextmanager
async def written(target: Path, *, force: bool) -> AsyncIterator[Written]:
    """Open a place for a result; what is not kept is gone when this ends."""
    descriptor, hidden = await asyncio.to_thread(_begun, target, force=force)
    try:
        yield Written(descriptor, hidden, target, force=force)
    finally:
        os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(hidden)  # noqa: PTH108 - a moment's work


def _begun(target: Path, *, force: bool) -> tuple[int, Path]:
    if not force and target.exists():
        raise FileExistsError(errno.EEXIST, "it is there already; --force writes over it", str(target))
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.fchmod(descriptor, 0o666 & ~_umask())
    return descriptor, Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
