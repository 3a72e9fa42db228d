"""Decoders that lie: what they give back is wrong in one byte, or in its length. Imported by the zygote of a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from archive.media.child import Work
from archive.media.exact.container import Codec, Segment
from archive.media.exact.unpacking import unpack
from archive.media.sandbox import Result, Sandbox
from archive.media.source import Source

Twist = Callable[[bytearray], object]


def _flip(place: Callable[[int], int]) -> Twist:
    def twist(content: bytearray) -> None:
        content[place(len(content))] ^= 1

    return twist


TWISTS: dict[str, Twist] = {
    "first": _flip(lambda _: 0),
    "middle": _flip(lambda size: size // 2),
    "last": _flip(lambda size: size - 1),
    "short": lambda content: content.pop(),
    "long": lambda content: content.append(0),
    "nothing": lambda content: content.clear(),
    "exchanged": lambda content: content.reverse(),
}


def _lie(twist: Twist) -> Callable[[Work], dict[str, Any]]:
    def task(work: Work) -> dict[str, Any]:
        content = bytearray()
        asked = work.args["segments"]
        segments = [Segment(Codec(codec), offset, stored, 0, plain, b"") for codec, offset, stored, plain in asked]
        unpack(work.file, segments, content.extend)
        twist(content)
        work.emit("content", bytes(content))
        return {}

    return task


TASKS = {f"lie_{name}": _lie(twist) for name, twist in TWISTS.items()}


def warm_up() -> None:
    """Nothing is loaded late."""


@dataclass
class Liar(Sandbox):
    """A sandbox whose decoders tell the truth until they are told a way to lie."""

    way: str | None = None

    def __post_init__(self) -> None:
        super().__init__(plugins=(__name__,))

    async def run(self, task: str, args: dict[str, Any], source: Source, **more: Any) -> Result:
        lies = self.way is not None and task == "unpack"
        return await super().run(f"lie_{self.way}" if lies else task, args, source, **more)
