"""What is kept of one picture or film for comparing it with others; made once, some twenty KiB."""

from __future__ import annotations

import struct
import zlib
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
VERSION = 1
_HEAD = struct.Struct("<BBBBIIIqHHH")
_RECORD = struct.Struct("<IHHHBB")
_LARGE = 32
_LEVEL = 6
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


def pack(seen: Look) -> bytes:
    """Write a look, to be kept; the preview is by far the most of it."""
    marks_ = _pack_marks(seen.marks)
    preview = zlib.compress(np.ascontiguousarray(seen.preview).tobytes(), _LEVEL)
    head = _HEAD.pack(
        VERSION, seen.page, len(seen.film), len(seen.hashes), seen.width, seen.height, seen.frames,
        -1 if seen.duration_ms is None else seen.duration_ms, *seen.preview.shape, len(marks_),
    )  # fmt: skip
    numbers = struct.pack(f"<{len(seen.hashes) + len(seen.film)}Q", *seen.hashes, *seen.film)
    return b"".join((head, numbers, seen.large, marks_, preview))


def unpack(content: bytes) -> Look:
    """Read a look; ValueError where it is none. Whatever wrote it is not believed."""
    try:
        (version, page, films, count, width, height, frames, duration, rows, columns, size) = _HEAD.unpack_from(content)
        place = _HEAD.size
        numbers = struct.unpack_from(f"<{count + films}Q", content, place)
    except struct.error as error:
        raise ValueError("a look that ends too soon") from error
    place += 8 * len(numbers)
    large, found = content[place : place + _LARGE], content[place + _LARGE : place + _LARGE + size]
    if (
        version != VERSION
        or count != hashes.ORIENTATIONS
        or not 0 < max(rows, columns) <= PAGE_SIDE
        or not rows * columns
    ):
        raise ValueError("a look of another version, or none")
    if len(large) != _LARGE or len(found) != size or min(width, height, frames) < 1:
        raise ValueError("a look that cannot be")
    preview = _pixels(content[place + _LARGE + size :], rows * columns).reshape(rows, columns)
    return Look(
        width, height, numbers[:count], large, preview, _unpack_marks(found), page=bool(page), frames=frames,
        duration_ms=None if duration < 0 else duration, film=numbers[count:],
    )  # fmt: skip


def _pixels(content: bytes, size: int) -> Preview:
    try:
        pixels = zlib.decompressobj().decompress(content, size + 1)
    except zlib.error as error:
        raise ValueError("a preview that cannot be read") from error
    if len(pixels) != size:
        raise ValueError("a preview of another size")
    return np.frombuffer(pixels, np.uint8)


def _pack_marks(found: Marks) -> bytes:
    """Write marks, twelve bytes each."""
    rows = zip(found.keys, found.x, found.y, found.size, found.orientation, strict=True)
    return b"".join(
        _RECORD.pack(int(key), *(_fixed(one) for one in (x, y, size)), int(orientation), 0)
        for key, x, y, size, orientation in rows
    )


def _unpack_marks(content: bytes) -> Marks:
    """Read marks; ValueError where these are none."""
    if len(content) % _RECORD.size:
        raise ValueError("a piece of a mark")
    rows = np.array(list(_RECORD.iter_unpack(content)), np.float64).reshape(-1, 6)
    if len(rows) and rows[:, 4].max() >= hashes.ORIENTATIONS:
        raise ValueError("an orientation that is none")
    x, y, size = ((rows[:, column] / _FRACTION).astype(np.float32) for column in (1, 2, 3))
    return Marks(rows[:, 0].astype(np.uint32), x, y, size, rows[:, 4].astype(np.uint8))


def _fixed(value: float) -> int:
    return min(0xFFFF, max(0, round(float(value) * _FRACTION)))
