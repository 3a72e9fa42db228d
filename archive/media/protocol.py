"""What parent and child say to each other over their socket: frames of a kind, a length and a payload.

The parent takes nothing on trust. Who has taken over a decoder can say what they like: frames are bounded, JSON is
bounded, and what makes no sense ends the child.
"""

from __future__ import annotations

import json
import os
import struct
from enum import IntEnum
from typing import Any

HEADER = struct.Struct(">BI")
RANGE = struct.Struct(">QI")
PIECE_BYTES = 1 << 18
FRAME_BYTES = 1 << 20
JSON_BYTES = 4 << 20
NAME_BYTES = 64


class Kind(IntEnum):
    """What a frame is; up to RESULT the child sends them, then the parent."""

    PROGRESS = 1
    BLOB = 2
    DATA = 3
    END = 4
    WANT = 5
    RESULT = 6
    TASK = 7
    BYTES = 8


_BOUNDS = {
    Kind.PROGRESS: 64,
    Kind.BLOB: NAME_BYTES,
    Kind.DATA: FRAME_BYTES,
    Kind.END: 0,
    Kind.WANT: RANGE.size,
    Kind.RESULT: JSON_BYTES,
}


class Nonsense(Exception):
    """The other side said what it never says."""


def parse_header(header: bytes) -> tuple[Kind, int]:
    """Read the head of a frame that the child has sent."""
    number, size = HEADER.unpack(header)
    bound = _BOUNDS.get(number)
    if bound is None or size > bound:
        message = f"a frame of kind {number} with {size} bytes"
        raise Nonsense(message)
    return Kind(number), size


def parse_json(payload: bytes) -> Any:  # noqa: ANN401 - JSON
    """Read JSON of the child's."""
    try:
        return json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Nonsense("broken JSON") from error


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    """Make a small frame."""
    return HEADER.pack(kind, len(payload)) + payload


def json_frame(kind: Kind, document: object) -> bytes:
    """Make a frame of JSON."""
    return frame(kind, json.dumps(document, allow_nan=False, separators=(",", ":")).encode())


class Wire:
    """The child's end: blocking, on a bare descriptor, with no call but read and write."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, kind: Kind, payload: bytes | memoryview = b"") -> None:
        """Send a frame; waits while the parent has no room."""
        self._write(HEADER.pack(kind, len(payload)))
        self._write(payload)

    def send_json(self, kind: Kind, document: object) -> None:
        """Send a frame of JSON."""
        self._write(json_frame(kind, document))

    def receive(self, kind: Kind) -> bytes:
        """Wait for a frame of this kind."""
        number, size = HEADER.unpack(self._read(HEADER.size))
        if number != kind:
            message = f"a frame of kind {number} instead of {kind}"
            raise Nonsense(message)
        return self._read(size)

    def _write(self, payload: bytes | memoryview) -> None:
        left = memoryview(payload)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def _read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = os.read(self._descriptor, size)
            if not part:
                raise Nonsense("the parent has gone")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _no_constant(name: str) -> None:
    message = f"{name} is no JSON"
    raise ValueError(message)
