"""The steps there are: which kind of job does each, and which way of doing it is the present one."""

from __future__ import annotations

from dataclasses import dataclass

from archive.queue import kinds
from archive.queue.kinds import Kind


@dataclass(frozen=True, slots=True)
class Work:
    """One step as it is done now. A release that does it better raises the version."""

    name: str
    kind: Kind
    version: int
    # Whether an asset is ready without it: nobody waits, and no tile changes when it is done.
    quiet: bool = False


DESCRIBE = Work("describe", kinds.DESCRIBE, 1)
RENDER = Work("render", kinds.RENDER, 1)
PLAY = Work("play", kinds.PLAY, 1)
LOOK = Work("look", kinds.LOOK, 1, quiet=True)
ALL = {work.name: work for work in (DESCRIBE, RENDER, PLAY, LOOK)}
QUIET = tuple(name for name, work in ALL.items() if work.quiet)
