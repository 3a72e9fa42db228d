"""Where the lines of all programs go: the terminal, and one rotated file with a single writer."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES, _FILES = 10_000_000, 5


class _File(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the base class's name
        """Go on: a log that cannot be written (a full disk, say) must not stop the service."""


class Lines:
    """Writes lines."""

    def __init__(self, file: Path | None) -> None:
        self._handler = _File(file, maxBytes=_BYTES, backupCount=_FILES, delay=True) if file else None
        if self._handler:
            self._handler.setFormatter(logging.Formatter("%(message)s"))

    def write(self, program: str, line: str, *, quiet: bool = False) -> None:
        """Write one line of one program."""
        marked = f"{program:<10} {line}"
        if not quiet:
            sys.stderr.write(marked + "\n")
            sys.stderr.flush()
        if self._handler:
            self._handler.emit(logging.LogRecord(program, logging.INFO, "", 0, marked, None, None))
