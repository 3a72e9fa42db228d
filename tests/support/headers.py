"""Beginnings of files by which formats are told apart, made by hand where no library here writes them."""

from __future__ import annotations

import struct

ASCII, SHORT, LONG, BYTE = 2, 3, 4, 1


def tiff(entries: dict[int, tuple[int, object]], strip: bytes = b"", order: str = "<", magic: bytes = b"") -> bytes:
    """Write a TIFF with one directory; a tag's value is a number, numbers or text. ``strip`` follows the header."""
    entries = dict(sorted({**entries, **({273: (LONG, 8), 279: (LONG, len(strip))} if strip else {})}.items()))
    place = 8 + len(strip)
    behind = place + 2 + 12 * len(entries) + 4
    table, extra = b"", b""
    for tag, (kind, value) in entries.items():
        count, content = _packed(order, kind, value)
        if len(content) > 4:
            table += struct.pack(order + "HHII", tag, kind, count, behind + len(extra))
            extra += content
        else:
            table += struct.pack(order + "HHI", tag, kind, count) + content.ljust(4, b"\0")
    head = magic or (b"II*\0" if order == "<" else b"MM\0*")
    directory = struct.pack(order + "H", len(entries)) + table + bytes(4)
    return head + struct.pack(order + "I", place) + strip + directory + extra


def dng(width: int = 64, height: int = 48) -> bytes:
    """Write a small RAW: a sensor's sixteen bits in the usual pattern, reddish above and bluish below."""
    rows = b"".join(
        struct.pack(f"<{width}H", *(_sensor(column, row, height) for column in range(width))) for row in range(height)
    )
    return tiff(
        {
            254: (LONG, 0), 256: (LONG, width), 257: (LONG, height), 258: (SHORT, 16), 259: (SHORT, 1),
            262: (SHORT, 32803), 271: (ASCII, "Tagphoto"), 272: (ASCII, "Pinhole"), 274: (SHORT, 6),
            277: (SHORT, 1), 278: (LONG, height), 33421: (SHORT, (2, 2)), 33422: (BYTE, (0, 1, 1, 2)),
            50706: (BYTE, (1, 4, 0, 0)), 50708: (ASCII, "Tagphoto Pinhole"),
            50717: (LONG, 65535), 50721: (10, ((1, 1), (0, 1), (0, 1), (0, 1), (1, 1), (0, 1), (0, 1), (0, 1), (1, 1))),
            50728: (5, ((1, 1), (1, 1), (1, 1))), 50778: (SHORT, 21),
        },
        rows,
    )  # fmt: skip


def _sensor(column: int, row: int, height: int) -> int:
    colour = (row % 2) + (column % 2)  # red, green, green, blue
    bright, dark = 40000, 6000
    upper = row < height // 2
    return {0: bright if upper else dark, 1: dark, 2: dark if upper else bright}[colour]


def _packed(order: str, kind: int, value: object) -> tuple[int, bytes]:
    if isinstance(value, str):
        return len(value) + 1, value.encode() + b"\0"
    values = value if isinstance(value, tuple) else (value,)
    if kind in (5, 10):
        flat = [number for pair in values for number in pair]
        return len(values), struct.pack(order + f"{len(flat)}{'I' if kind == 5 else 'i'}", *flat)
    return len(values), struct.pack(order + str(len(values)) + {BYTE: "B", SHORT: "H", LONG: "I"}[kind], *values)


def ftyp(brand: bytes, *compatible: bytes) -> bytes:
    """Write the box by which ISO files say what they are."""
    size = 16 + 4 * len(compatible)
    return struct.pack(">I", size) + b"ftyp" + brand + bytes(4) + b"".join(compatible) + bytes(64)
