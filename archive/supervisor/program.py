"""What a supervised program is."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """Give what a child does before it becomes a program, so that it stops when whoever started it is killed.

    Otherwise a killed service would leave its servers, its port and its workers in the next one's way. Linux only.
    """
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def enter() -> None:
        if libc is None:
            return
        libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:  # it was killed before we asked
            os.kill(os.getpid(), stop_signal)

    return enter


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a program, tell that it is ready, and stop it."""

    name: str
    argv: tuple[str, ...]
    stop_signal: signal.Signals = signal.SIGTERM
    # Seconds between asking it to stop and killing it.
    grace: float = 10
    # Run in the child just before it becomes the program; the default is to die with us.
    enter: Callable[[], None] | None = None
    ready: Callable[[], Awaitable[bool]] | None = None
    # Its lines go to the file, not to the terminal.
    quiet: bool = False
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()
    # Names each start anew; the program is told by ``--name``. Process ids are used again, in containers at once.
    new_name: Callable[[], str] | None = None
    # Told the name of the start, and whether we asked for it, each time the program ends.
    ended: Callable[[str, bool], Awaitable[None]] | None = None
