"""Where the lines of all programs go: the terminal, and one rotated file with a single writer."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES, _FILES = 10_000_000, 5


class _File(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the base class's name
        """Go on: a log that cannot be written (a full disk, say) must not stop the service."""


class _Own(logging.Handler):
    """Takes what the supervising process itself logs; the terminal has that already."""

    def __init__(self, lines: Lines, name: str) -> None:
        super().__init__()
        self._lines, self._program = lines, name

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.write(self._program, self.format(record), quiet=True)


class Lines:
    """Writes lines."""

    def __init__(self, file: Path | None) -> None:
        self._handler = _File(file, maxBytes=_BYTES, backupCount=_FILES, delay=True) if file else None
        if self._handler:
            self._handler.setFormatter(logging.Formatter("%(message)s"))

    def take_own_log(self, program: str) -> None:
        """Write this process's log into the file, too: why a program was restarted is said here only."""
        root = logging.getLogger()
        own = _Own(self, program)
        own.setFormatter(next((handler.formatter for handler in root.handlers), None))
        root.addHandler(own)

    def write(self, program: str, line: str, *, quiet: bool = False) -> None:
        """Write one line of one program."""
        marked = f"{program:<10} {line}"
        if not quiet:
            _show(marked)
        if self._handler:
            self._handler.emit(logging.LogRecord(program, logging.INFO, "", 0, marked, None, None))


def _show(line: str) -> None:
    # A terminal that was closed, or a pipe nobody reads any more, must not stop the service.
    terminal = sys.stderr
    if terminal:
        with suppress(OSError, ValueError):
            terminal.write(line + "\n")
            terminal.flush()
