"""Where a JPEG ends, and what about it cannot be transcoded: found by its markers alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

START = b"\xff\xd8\xff"
# A marker inside of coded data is neither a stuffed zero nor a restart.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_EOI, _SOS, _COMPONENTS_CMYK = 0xD9, 0xDA, 4
_ARITHMETIC = frozenset({0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True, slots=True)
class Found:
    """A JPEG at the beginning of some bytes."""

    # Behind its end-of-image marker; none where there is no such marker.
    end: int | None
    # Why it cannot be transcoded, in words.
    refusal: str | None


def find(data: memoryview) -> Found:
    """Find where the JPEG ends that these bytes begin with."""
    position, refusal = 2, None
    while (marked := _MARKER.match(data, position)) is not None:
        marker, position = marked[1][0], marked.end()
        if marker == _EOI:
            return Found(position, refusal)
        if marker in _ALONE:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2:  # noqa: PLR2004  # the length counts itself
            break
        refusal = refusal or _refusal(marker, bytes(data[position + 2 : position + length]))
        position += length
        if marker == _SOS:
            following = _MARKER.search(data, position)
            if following is None:
                break
            position = following.start()
    return Found(None, "this JPEG has no end: it was cut off")


def _refusal(marker: int, body: bytes) -> str | None:
    if marker in _ARITHMETIC:
        return "this JPEG uses arithmetic coding, which cannot be transcoded"
    if marker in _FRAMES and body[5:6] == bytes([_COMPONENTS_CMYK]):
        return "this JPEG has four colour channels (CMYK), which cannot be transcoded"
    return None
