"""Conversions of pictures: any that can be read, in every format, as large and as good as was asked for."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from archive.media.converting.asking import convert
from archive.media.converting.conversion import PICTURES, Conversion, Converted
from archive.media.file import MemoryFile
from archive.media.lossy.keeping import upright
from archive.media.lossy.making import rate
from archive.media.metadata.describe import packets_of
from archive.media.metadata.reading import Reader
from archive.media.sandbox import Sandbox
from archive.media.sniff import sniff
from archive.media.source import memory_source
from archive.media.verdict import Refused, Unsupported
from tests.support import hostile
from tests.support.photos import heic, saved, scene
from tests.support.pictures import jpeg, picture

PAGES = ("pdf",)


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as made:
        yield made


async def converted(sandbox: Sandbox, *contents: bytes, **wanted: Any) -> tuple[bytes, Converted]:
    gathered = bytearray()

    async def take(pieces: AsyncIterator[bytes]) -> None:
        async for piece in pieces:
            gathered.extend(piece)

    sizes = [len(content) for content in contents] if len(contents) > 1 else None
    with await memory_source(b"".join(contents)) as source:
        made = await convert(sandbox, source, Conversion(**wanted), take, sizes=sizes)
    return bytes(gathered), made


def opened(content: bytes) -> Image.Image:
    """Read a picture by libraries alone."""
    name = sniff(MemoryFile(content)).name
    if name == "jxl":
        return Image.fromarray(imagecodecs.jpegxl_decode(content))
    if name == "heic":
        return pillow_heif.open_heif(content).to_pillow()
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


SOURCES = {
    "jpeg": lambda: saved(scene(400, 300), "JPEG", quality=92),
    "png": lambda: saved(scene(400, 300), "PNG"),
    "transparent": lambda: saved(scene(400, 300).convert("RGBA"), "PNG"),
    "grey": lambda: saved(scene(400, 300).convert("L"), "TIFF"),
    "deep": lambda: saved(Image.fromarray(np.arange(65_536, dtype=np.uint16).reshape(256, 256)), "PNG"),
    "palette": lambda: saved(scene(400, 300).convert("P"), "GIF"),
    "cmyk": lambda: saved(scene(400, 300).convert("CMYK"), "JPEG"),
    "webp": lambda: saved(scene(400, 300), "WEBP"),
    "avif": lambda: saved(scene(400, 300), "AVIF"),
    "heic": lambda: heic(scene(400, 300)),
    "jxl": lambda: bytes(imagecodecs.jpegxl_encode(np.asarray(scene(400, 300)))),
    "bmp": lambda: saved(scene(400, 300), "BMP"),
}


@pytest.mark.parametrize("to", PICTURES)
@pytest.mark.parametrize("source", SOURCES)
async def test_whatever_can_be_read_becomes_whatever_is_asked_for(sandbox: Sandbox, source: str, to: str) -> None:
    content, made = await converted(sandbox, SOURCES[source](), to=to)
    assert (made.width, made.height) == ((256, 256) if source == "deep" else (400, 300))
    assert made.pages == 1
    if to == "pdf":
        assert content.startswith(b"%PDF-")
        assert content.rstrip().endswith(b"%%EOF")
        return
    assert sniff(MemoryFile(content)).name == to
    assert opened(content).size == (made.width, made.height)


@pytest.mark.parametrize("to", [to for to in PICTURES if to not in PAGES])
async def test_the_colours_and_the_way_up_stay(sandbox: Sandbox, to: str) -> None:
    content, made = await converted(sandbox, jpeg(picture(), orientation=6), to=to, quality=90)
    assert (made.width, made.height) == (480, 640)
    shown = np.asarray(opened(content).convert("RGB")).astype(int)
    expected = np.asarray(picture().transpose(Image.Transpose.ROTATE_270))
    for place in ((100, 100), (100, 380), (540, 100), (540, 380)):
        assert np.allclose(shown[place], expected[place], atol=12), place


async def test_a_picture_fits_into_its_box_and_is_never_enlarged(sandbox: Sandbox) -> None:
    content = saved(scene(400, 300), "JPEG")
    for box, size in (
        ({"width": 200}, (200, 150)),
        ({"height": 30}, (40, 30)),
        ({"width": 200, "height": 60}, (80, 60)),
        ({"width": 5000}, (400, 300)),
        ({"width": 1}, (1, 1)),
    ):
        _, made = await converted(sandbox, content, to="webp", **box)
        assert (made.width, made.height) == size


@pytest.mark.parametrize("to", ["jpeg", "webp", "avif", "jxl", "heic"])
async def test_more_quality_is_more_bytes(sandbox: Sandbox, to: str) -> None:
    source = saved(scene(400, 300), "PNG")
    sizes = [len((await converted(sandbox, source, to=to, quality=quality))[0]) for quality in (10, 50, 95)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("to", ["png", "tiff"])
async def test_what_loses_nothing_loses_nothing(sandbox: Sandbox, to: str) -> None:
    content, _ = await converted(sandbox, saved(scene(400, 300), "BMP"), to=to)
    assert np.array_equal(np.asarray(opened(content)), np.asarray(scene(400, 300)))


async def test_a_score_is_reached(sandbox: Sandbox) -> None:
    source = saved(scene(640, 480), "PNG")
    for to in ("jpeg", "jxl"):
        content, made = await converted(sandbox, source, to=to, score=75)
        assert made.score is not None
        assert made.score >= 75
        assert await rate(sandbox, source, content) == pytest.approx(made.score, abs=0.01)


@pytest.mark.parametrize("to", [to for to in PICTURES if to not in PAGES])
async def test_metadata_is_kept_only_where_it_is_asked_for(sandbox: Sandbox, to: str) -> None:
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>words</x:xmpmeta>"
    tags = packets_of(Reader(MemoryFile(jpeg(make="Canon", orientation=6)))).exif
    source = saved(scene(400, 300), "JPEG", exif=b"Exif\0\0" + tags, xmp=xmp)
    stripped, _ = await converted(sandbox, source, to=to)
    assert b"Canon" not in stripped
    assert b"xmpmeta" not in stripped
    kept, made = await converted(sandbox, source, to=to, metadata="keep")
    assert made.lost == ()
    assert xmp in kept
    assert b"Canon" in kept
    if to != "tiff":
        assert packets_of(Reader(MemoryFile(kept))).exif == upright(tags)


async def test_metadata_that_the_format_cannot_carry_is_named(sandbox: Sandbox) -> None:
    iptc = b"\x1c\x02\x78\x00\x05hello"
    resource = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(iptc).to_bytes(4) + iptc
    plain = saved(scene(400, 300), "JPEG")
    source = plain[:2] + b"\xff\xed" + (2 + len(resource)).to_bytes(2) + resource + plain[2:]
    assert (await converted(sandbox, source, to="webp", metadata="keep"))[1].lost == ("iptc",)
    assert (await converted(sandbox, source, to="jpeg", metadata="keep"))[1].lost == ()


async def test_a_watermark_is_laid_over_the_corner_and_nowhere_else(sandbox: Sandbox) -> None:
    source = saved(Image.new("RGB", (600, 400), (90, 120, 150)), "PNG")
    content, _ = await converted(sandbox, source, to="png", watermark="(c) A. Person 2026")
    shown = np.asarray(opened(content)).astype(int)
    changed = np.abs(shown - (90, 120, 150)).sum(axis=2) > 0
    assert changed[350:, 300:].any()
    assert not changed[:340].any()
    assert not changed[:, :250].any()
    with pytest.raises(Unsupported, match="only with Latin"):
        await converted(sandbox, source, to="png", watermark="中文")


async def test_what_is_transparent_stays_so_or_lies_on_white(sandbox: Sandbox) -> None:
    source = saved(Image.new("RGBA", (64, 64), (200, 0, 0, 0)), "PNG")
    for to in ("png", "webp", "tiff", "avif", "jxl"):
        assert np.asarray(opened((await converted(sandbox, source, to=to))[0]))[9, 9, 3] == 0, to
    for to in ("jpeg", "heic"):
        assert np.asarray(opened((await converted(sandbox, source, to=to))[0]))[9, 9].min() > 250, to


async def test_several_pictures_are_the_pages_of_a_pdf(sandbox: Sandbox) -> None:
    book = saved(scene(300, 200), "TIFF", save_all=True, append_images=[scene(200, 300, 2), scene(100, 100, 3)])
    content, made = await converted(sandbox, jpeg(), book, heic(scene(400, 300)), to="pdf")
    assert made.pages == 5
    assert content.count(b"/Type /Page\n") == 5 or content.count(b"/Type /Page ") == 5 or b"/Count 5" in content


# Refusals


@pytest.mark.parametrize(
    "wanted",
    [
        {"to": "bmp"}, {"to": "webp", "width": 0}, {"to": "webp", "height": 70_000}, {"to": "webp", "quality": 0},
        {"to": "webp", "quality": 80, "score": 80.0}, {"to": "png", "score": 80.0}, {"to": "webp", "score": 99.0},
        {"to": "webp", "watermark": ""}, {"to": "webp", "watermark": "two\nlines"},
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_in_words(wanted: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"[a-z]+ .*\."):
        Conversion(**wanted)


def test_a_conversion_has_one_name_and_no_other_has_it() -> None:
    same = [Conversion("webp", width=100), Conversion("webp", width=100)]
    others = [Conversion("webp"), Conversion("webp", height=100), Conversion("avif", width=100)]
    assert len({one.key for one in same}) == 1
    assert len({one.key for one in (*same, *others)}) == 4


async def test_a_side_longer_than_the_format_has_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(Unsupported, match="at most 16383 pixels"):
        await converted(sandbox, saved(Image.new("RGB", (16_400, 8)), "PNG"), to="webp")


async def test_what_is_no_picture_is_refused(sandbox: Sandbox) -> None:
    for content in (b"", b"text", b"\0\0\0\x18ftypmp42"):
        with pytest.raises(Refused, match="no picture"):
            await converted(sandbox, content, to="jpeg")


HOSTILE = hostile.BOMBS | {name: partial(bytes, content) for name, content in [*hostile.broken()][::6]}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_files_become_a_picture_or_a_refusal(sandbox: Sandbox, name: str) -> None:
    content = HOSTILE[name]()
    result: bytes | str
    try:
        result, _ = await converted(sandbox, content, to="jpeg", width=64)
    except Refused as refused:
        result = refused.detail
    assert isinstance(result, str) or max(opened(result).size) <= hostile.SIDE
    assert result
