"""Files made to do harm: small ones with huge pictures, broken, deep and endless ones, and ones that are two things.

``python -m tests.support.hostile FOLDER`` writes them all.
"""

from __future__ import annotations

import random
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

from tests.support.headers import ASCII, LONG, SHORT, dng, ftyp, tiff
from tests.support.photos import heic, saved, scene

SIDE = 16_000
_ENOUGH = 32 << 20
_FLIPS, _SEED = 12, 20240501


def chunk(kind: bytes, content: bytes) -> bytes:
    """Write a PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, data: bytes, *more: bytes, depth: int = 8, colours: int = 2) -> bytes:
    """Write a PNG that says it is so large."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    return b"".join([*parts, packer.compress(bytes(count & 0xFFFFF)), packer.flush()])


def png_bomb(side: int = SIDE) -> bytes:
    return png(side, side, _zeros(_ENOUGH))


def png_text_bomb() -> bytes:
    text = chunk(b"zTXt", b"Comment\0\0" + _zeros(80 << 20))
    profile = chunk(b"iCCP", b"profile\0\0" + _zeros(80 << 20))
    return png(8, 8, zlib.compress(bytes(8 * 25)), text, profile)


def jpeg_bomb(side: int = SIDE, *, progressive: bool) -> bytes:
    """Take a small one-colour JPEG, tell it another size, and give it as many blocks."""
    small = saved(Image.new("RGB", (16, 16), (90, 90, 90)), "JPEG", progressive=progressive, quality=50)
    place = small.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    head = small[: place + 5] + struct.pack(">HH", side, side) + small[place + 9 :]
    return head[:-2] + bytes(1 << 20) + b"\xff\xd9"


def jpeg_of_many_scans(scans: int = 2000, side: int = 4000) -> bytes:
    """Repeat the last scan of a progressive JPEG over and over."""
    whole = saved(Image.new("RGB", (side, side), (90, 90, 90)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * scans + whole[-2:]


def gif_bomb(side: int = 65_000, frames: int = 1) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6) + frame * frames + b";"


def endless_gif() -> bytes:
    return gif_bomb(2, 500_000)


def tiff_bomb(side: int = SIDE) -> bytes:
    tags = {256: (LONG, side), 257: (LONG, side), 258: (SHORT, (8, 8, 8)), 259: (SHORT, 8), 262: (SHORT, 2),
            277: (SHORT, 3), 278: (LONG, side)}  # fmt: skip
    return tiff(tags, _zeros(_ENOUGH))


def tiff_of_circles() -> bytes:
    """Say that the next directory is the first one."""
    one = tiff(
        {256: (LONG, 8), 257: (LONG, 8), 258: (SHORT, 8), 259: (SHORT, 1), 262: (SHORT, 1), 330: (LONG, 8)}, bytes(64)
    )
    place = struct.unpack("<I", one[4:8])[0]
    count = struct.unpack("<H", one[place : place + 2])[0]
    following = place + 2 + 12 * count
    return one[:following] + struct.pack("<I", place) + one[following + 4 :]


def webp_bomb() -> bytes:
    """Say the most that a lossless WebP can say."""
    small = saved(Image.new("RGB", (16, 16)), "WEBP", lossless=True)
    return small[:21] + (0x0FFFFFFF).to_bytes(4, "little") + small[25:]


def heic_of_size(side: int) -> bytes:
    """Tell a HEIC another size in its box of properties."""
    content = bytearray(heic(Image.new("RGB", (64, 64))))
    place = content.index(b"ispe")
    content[place + 8 : place + 16] = struct.pack(">II", side, side)
    return bytes(content)


def heic_of_boxes(depth: int = 20_000) -> bytes:
    """Put boxes into boxes into boxes."""
    content = b""
    for _ in range(depth):
        content = struct.pack(">I", 8 + len(content)) + b"iprp" + content
        if len(content) > 1 << 20:
            break
    meta = struct.pack(">I", 12 + len(content)) + b"meta" + bytes(4) + content
    return ftyp(b"heic", b"mif1", b"heic")[:24] + meta


def jxl_of_size() -> bytes:
    """Say 2^30 pixels a side, in the few bits that takes."""
    bits = "0" + "11" + f"{(1 << 30) - 1:030b}"[::-1] + "100" + "1"
    return b"\xff\x0a" + int(bits[::-1], 2).to_bytes(8, "little") + bytes(100)


def with_segments(marker: int, head: bytes, count: int) -> bytes:
    """Stuff a JPEG with segments as long as they can be."""
    whole = saved(scene(64, 48), "JPEG")
    content = (head + bytes(65_533))[:65_533]
    return whole[:2] + (struct.pack(">BBH", 0xFF, marker, 65_535) + content) * count + whole[2:]


def with_entities() -> bytes:
    """Put entities that unfold a billion times into an XMP packet."""
    entities = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
    declared = f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'
    packet = f'<?xpacket begin=""?>{declared}<x:xmpmeta xmlns:x="adobe:ns:meta/">&l9;</x:xmpmeta>'
    segment = b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()
    whole = saved(scene(64, 48), "JPEG")
    return whole[:2] + struct.pack(">BBH", 0xFF, 0xE1, len(segment) + 2) + segment + whole[2:]


def two_things() -> bytes:
    """Be a JPEG for one reader, and a page and an archive for others."""
    return saved(scene(64, 48), "JPEG") + b"<html><script>alert(1)</script></html>PK\3\4" + bytes(30)


def good() -> dict[str, bytes]:
    """Give one honest file of each format, to be broken."""
    image = scene(320, 240)
    pixels = np.asarray(image)
    return {
        "jpeg": saved(image, "JPEG"), "progressive": saved(image, "JPEG", progressive=True), "png": saved(image, "PNG"),
        "gif": saved(image, "GIF"), "webp": saved(image, "WEBP"), "tiff": saved(image, "TIFF", compression="tiff_lzw"),
        "bmp": saved(image, "BMP"), "avif": saved(image, "AVIF", speed=10), "heic": heic(image),
        "jp2": saved(image.resize((80, 60)), "JPEG2000"), "jxl": bytes(imagecodecs.jpegxl_encode(pixels, effort=1)),
        "dng": dng(),
    }  # fmt: skip


BOMBS: dict[str, Callable[[], bytes]] = {
    "png bomb": png_bomb,
    "png of 65000": lambda: png(65_000, 65_000, b""),
    "png of 2^31": lambda: png((1 << 31) - 1, (1 << 31) - 1, b""),
    "png of nothing": lambda: png(0, 0, b""),
    "png text bomb": png_text_bomb,
    "jpeg bomb": lambda: jpeg_bomb(progressive=False),
    "progressive bomb": lambda: jpeg_bomb(progressive=True),
    "jpeg of 65000": lambda: jpeg_bomb(65_000, progressive=False),
    "jpeg of nothing": lambda: jpeg_bomb(0, progressive=False),
    "jpeg of many scans": jpeg_of_many_scans,
    "gif bomb": gif_bomb,
    "endless gif": endless_gif,
    "tiff bomb": tiff_bomb,
    "tiff of 65000": lambda: tiff_bomb(65_000),
    "tiff of circles": tiff_of_circles,
    "webp bomb": webp_bomb,
    "heic of 65000": lambda: heic_of_size(65_000),
    "heic of 30000": lambda: heic_of_size(30_000),
    "heic of boxes": heic_of_boxes,
    "jxl of 2^30": jxl_of_size,
    "huge exif": lambda: with_segments(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff", 60),
    "huge icc": lambda: with_segments(0xE2, b"ICC_PROFILE\0\x01\xff", 200),
    "huge xmp": lambda: with_segments(0xE1, b"http://ns.adobe.com/xmp/extension/\0", 200),
    "entities": with_entities,
    "two things": two_things,
    "nothing": bytes,
    "zeros": lambda: bytes(1 << 20),
    "text": lambda: b"hello" * 1000,
    "empty tiff": lambda: b"II*\0\xff\xff\xff\xff",
    "maker's nonsense": lambda: tiff({271: (ASCII, "NIKON CORPORATION"), 330: (LONG, 8), 256: (LONG, 65_000)}),
}


def broken() -> Iterator[tuple[str, bytes]]:
    """Give honest files cut at every tenth, and with bits flipped."""
    for name, whole in good().items():
        for tenth in range(1, 10):
            yield f"{name} cut at {tenth}", whole[: len(whole) * tenth // 10]
        generator = random.Random(f"{_SEED}{name}")
        for number in range(_FLIPS):
            damaged = bytearray(whole)
            # The beginning has what decoders trust.
            reach = len(whole) if number % 2 else min(len(whole), 600)
            for _ in range(1 + number):
                damaged[generator.randrange(reach)] ^= 1 << generator.randrange(8)
            yield f"{name} flipped {number}", bytes(damaged)


def main() -> None:
    """Write them all."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in [*((name, make()) for name, make in BOMBS.items()), *broken()]:
        (folder / name.replace(" ", "-")).write_bytes(content)


if __name__ == "__main__":
    main()
