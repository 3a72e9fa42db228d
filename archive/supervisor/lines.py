"""Where the lines of all programs go: the terminal, and one rotated file with a single writer."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES, _FILES = 10_000_000, 5


class Lines:
    """Writes lines. A log that cannot be written must not stop the service, so its own errors are swallowed."""

    def __init__(self, file: Path | None) -> None:
        self._handler = RotatingFileHandler(file, maxBytes=_BYTES, backupCount=_FILES, delay=True) if file else None
        if self._handler:
            self._handler.handleError = lambda _record: None  # type: ignore[method-assign]
            self._handler.setFormatter(logging.Formatter("%(message)s"))

    def write(self, program: str, line: str, *, quiet: bool = False) -> None:
        """Write one line of one program."""
        marked = f"{program:<10} {line}"
        if not quiet:
            print(marked, file=sys.stderr, flush=True)
        if self._handler:
            self._handler.emit(logging.LogRecord(program, logging.INFO, "", 0, marked, None, None))
