"""What a supervised program is."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a program, tell that it is ready, and stop it."""

    name: str
    argv: tuple[str, ...]
    stop_signal: signal.Signals = signal.SIGTERM
    # Seconds between asking it to stop and killing it.
    grace: float = 10
    # Run in the child just before it becomes the program.
    enter: Callable[[], None] | None = None
    ready: Callable[[], Awaitable[bool]] | None = None
    # Its lines go to the file, not to the terminal.
    quiet: bool = False
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()
    # Told the process id, and whether we asked for it, each time the program ends.
    ended: Callable[[int, bool], Awaitable[None]] | None = None
