"""Pictures named on the command line: decoded in the sandbox, since whoever sent them is not known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from archive.media.sandbox import Sandbox
from archive.media.seen import Seen, see
from archive.media.source import memory_source
from archive.media.verdict import Refused


class Pictures:
    """Opens pictures one after the other, for code that is not asynchronous. Use it in a ``with``."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._sandbox: Sandbox | None = None

    def __enter__(self) -> Self:
        self._runner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sandbox is not None:
            self._runner.run(self._sandbox.close())
        self._runner.__exit__(kind, error, trace)

    def open(self, file: Path) -> Seen:
        """Decode a picture; ``Refused`` if it is none, ``OSError`` if it cannot be read."""
        return self._runner.run(self._open(file))

    def pixels(self, file: Path) -> NDArray[np.uint8]:
        """Decode a picture whose original's size does not matter."""
        return self.open(file).pixels

    async def _open(self, file: Path) -> Seen:
        if self._sandbox is None:
            self._sandbox = Sandbox()
        content = await asyncio.to_thread(file.read_bytes)
        with await memory_source(content) as source:
            return await see(self._sandbox, source)


def opened(pictures: Pictures, files: Iterable[Path], told: Callable[[Path, str], None]) -> Iterable[tuple[Path, Seen]]:
    """Open pictures, and tell about those that cannot be."""
    for file in files:
        try:
            yield file, pictures.open(file)
        except Refused as error:
            told(file, error.detail)
        except OSError as error:
            told(file, error.strerror or str(error))
