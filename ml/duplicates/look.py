"""What is kept of one picture or film for comparing it with others; made once, some twenty KiB."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.duplicates import hashes
from ml.duplicates.marks import Marks, marks
from ml.duplicates.pixels import reduced

Preview = NDArray[np.uint8]

# The longer side of a preview; what is written needs more of it.
PREVIEW_SIDE, PAGE_SIDE = 192, 640
# Below this there is nothing to tell pictures by.
_LEAST_SIDE, _LEAST_SPREAD = 16, 3.0
_RECORD = struct.Struct("<IHHHBB")
_FRACTION = 64


@dataclass(frozen=True, slots=True)
class Look:
    """A picture as comparisons see it: upright, grey, small."""

    width: int
    height: int
    # The 64-bit hash in all eight orientations, and the 256-bit hash as it is.
    hashes: tuple[int, ...]
    large: bytes
    preview: Preview
    marks: Marks
    # Text or a screen: a word makes it another one.
    page: bool = False
    frames: int = 1
    duration_ms: int | None = None
    # Of a film: hashes of frames at equal steps, 0 where there is nothing to see.
    film: tuple[int, ...] = ()

    @property
    def telling(self) -> bool:
        """Whether it shows enough to be told from others: no single colour, and more than a few pixels."""
        if min(self.width, self.height) < _LEAST_SIDE:
            return False
        return float(self.preview.std()) >= _LEAST_SPREAD


def look(
    size: tuple[int, int],
    square: Preview,
    large_square: Preview,
    preview: Preview,
    *,
    page: bool = False,
    frames: int = 1,
) -> Look:
    """Look at a picture: its size, grey squares of 32 and 64 pixels as ImageHash makes them, and its preview."""
    return Look(
        *size,
        hashes.phashes(square),
        hashes.phash_large(large_square),
        preview,
        marks(_small(preview)),
        page=page,
        frames=frames,
    )


def _small(preview: Preview) -> Preview:
    """Give what marks are looked for in: a page's preview is larger than that."""
    factor = max(preview.shape) / PREVIEW_SIDE
    return preview if factor <= 1 else reduced(preview, factor).round().astype(np.uint8)


def pack_marks(found: Marks) -> bytes:
    """Write marks, twelve bytes each."""
    rows = zip(found.keys, found.x, found.y, found.size, found.orientation, strict=True)
    return b"".join(
        _RECORD.pack(int(key), *(_fixed(one) for one in (x, y, size)), int(orientation), 0)
        for key, x, y, size, orientation in rows
    )


def unpack_marks(content: bytes) -> Marks:
    """Read marks; ValueError where these are none."""
    if len(content) % _RECORD.size:
        raise ValueError("a piece of a mark")
    rows = np.array(list(_RECORD.iter_unpack(content)), np.float64).reshape(-1, 6)
    if len(rows) and rows[:, 4].max() >= hashes.ORIENTATIONS:
        raise ValueError("an orientation that is none")
    x, y, size = (rows[:, column].astype(np.float32) / _FRACTION for column in (1, 2, 3))
    return Marks(rows[:, 0].astype(np.uint32), x, y, size, rows[:, 4].astype(np.uint8))


def _fixed(value: float) -> int:
    return min(0xFFFF, max(0, round(float(value) * _FRACTION)))
