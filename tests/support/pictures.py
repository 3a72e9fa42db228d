"""Small photos, made by the tests."""

from __future__ import annotations

import io
import struct
import uuid
from typing import Any

from PIL import Image, ImageDraw

_COLOURS = ("#d04030", "#40a050", "#3050c0", "#e0c040")


def picture(width: int = 640, height: int = 480, seed: int = 0) -> Image.Image:
    """Four quarters, each of another colour: what turns them shows."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for number in range(4):
        left, top = (number % 2) * width // 2, (number // 2) * height // 2
        colour = _COLOURS[(number + seed) % 4]
        draw.rectangle((left, top, left + width // 2, top + height // 2), fill=colour)
    return image


def jpeg(image: Image.Image | None = None, **tags: Any) -> bytes:
    """Write a JPEG that nobody else has, with EXIF tags by their names."""
    image = image or picture()
    exif = Image.Exif()
    names = {"make": 0x010F, "model": 0x0110, "orientation": 0x0112, "artist": 0x013B}
    inner = {"taken": 0x9003, "offset": 0x9011, "subsecond": 0x9291, "serial": 0xA431, "lens": 0xA434}
    for name, value in tags.items():
        if name in names:
            exif[names[name]] = value
        elif name in inner:
            exif.get_ifd(0x8769)[inner[name]] = value
        elif name == "live_id":
            exif.get_ifd(0x8769)[0x927C] = _apple_note(value.encode())
        elif name == "position":
            exif.get_ifd(0x8825).update(_gps(*value))
    exif.get_ifd(0x8769)[0xA420] = uuid.uuid4().hex
    written = io.BytesIO()
    image.save(written, "JPEG", quality=90, exif=exif)
    return written.getvalue()


def _apple_note(identifier: bytes) -> bytes:
    """A maker's note with one entry: the content identifier, which lies behind the directory."""
    value = identifier + b"\0"
    entry = struct.pack(">HHII", 0x11, 2, len(value), 16 + 12 + 4)
    return b"Apple iOS\0\0\1MM" + struct.pack(">H", 1) + entry + bytes(4) + value


def _gps(latitude: float, longitude: float) -> dict[int, Any]:
    def degrees(value: float) -> tuple[float, float, float]:
        value = abs(value)
        return (int(value), int(value * 60 % 60), value * 3600 % 60)

    return {
        1: "N" if latitude >= 0 else "S",
        2: degrees(latitude),
        3: "E" if longitude >= 0 else "W",
        4: degrees(longitude),
    }
