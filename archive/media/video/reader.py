"""The file as FFmpeg sees it: nameless, for a name takes part in guessing the format, and never failing inside C."""

from __future__ import annotations

from typing import Protocol


class SeekableFile(Protocol):
    """What a film is read from."""

    def read(self, size: int, /) -> bytes:
        """Give up to as many bytes; none at the end."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move, and say where to."""
        ...

    def tell(self) -> int:
        """Say where it stands."""
        ...


class Reader:
    """Reads a file for FFmpeg. An error ends the file for it and is kept: FFmpeg would try again and hide it."""

    def __init__(self, file: SeekableFile) -> None:
        self._file = file
        self._left: int | None = None
        self.failure: Exception | None = None

    @property
    def exhausted(self) -> bool:
        """Whether the file seemed to end because the allowance did."""
        return self._left == 0

    def allow(self, size: int | None) -> None:
        """From here on, give so many bytes and then seem to end; none means no bound."""
        self._left = size

    def read(self, size: int) -> bytes:
        """Give bytes, or seem to end."""
        if self.failure is not None or self.exhausted:
            return b""
        try:
            content = self._file.read(size if self._left is None else min(size, self._left))
        except Exception as error:  # noqa: BLE001 - it is raised again when FFmpeg has let go
            self.failure = error
            return b""
        if self._left is not None:
            self._left -= len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move. Where that is impossible, FFmpeg is told so by a negative number."""
        if self.failure is not None:
            return -1
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -1  # a hostile offset, before the start for example
        except Exception as error:  # noqa: BLE001 - see read
            self.failure = error
            return -1

    def tell(self) -> int:
        """Say where the file stands."""
        return self._file.tell()
