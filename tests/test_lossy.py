"""Lossy copies: the score that was asked for, measured; everything that a picture carries; or a refusal in words."""

from __future__ import annotations

import io
import struct
from collections.abc import AsyncIterator, Callable

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from archive.media.file import MemoryFile
from archive.media.lossy import tiles
from archive.media.lossy.keeping import picture_end, upright
from archive.media.lossy.making import rate, squeeze
from archive.media.lossy.ssimulacra2 import Reference, score
from archive.media.lossy.target import CODECS, Squeezed, Target
from archive.media.metadata.describe import packets_of
from archive.media.metadata.reading import Reader
from archive.media.sandbox import Sandbox
from archive.media.source import memory_source
from archive.media.verdict import Corrupt, LimitExceeded, Refused, Unsupported
from tests.support.photos import heic, saved, scene
from tests.support.pictures import jpeg

# What another implementation (ssimulacra2 0.3.0 on PyPI) says of these copies; it continues a picture beyond its sides
# where libjxl and this one have nothing.
OTHERS = {95: 78.549, 85: 66.698, 60: 49.930, 30: 28.096, 10: -31.321}


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as made:
        yield made


async def squeezed(sandbox: Sandbox, content: bytes, target: Target) -> Squeezed:
    with await memory_source(content) as source:
        return await squeeze(sandbox, source, target)


def copy(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(saved(image, "JPEG", quality=quality))).convert("RGB")


# The metric


def test_scores_agree_with_another_implementation() -> None:
    image = scene(768, 576)
    for quality, other in OTHERS.items():
        ours = score(np.asarray(image), np.asarray(copy(image, quality)))
        assert ours == pytest.approx(other, abs=0.03 * (100 - other))


def test_a_picture_is_itself_and_nothing_else_scores_as_high() -> None:
    pixels = np.asarray(scene(320, 240))
    assert score(pixels, pixels) > 99.9, "but for rounding"
    other = pixels.copy()
    other[100:110, 100:110] ^= 15
    assert score(pixels, other) < 99.9


def test_tiles_that_cover_a_picture_score_like_the_whole() -> None:
    image = scene(1024, 1024)
    one, other = np.asarray(image), np.asarray(copy(image, 50))
    where = [(slice(y, y + 512), slice(x, x + 512)) for y in (0, 512) for x in (0, 512)]
    parts = Reference(tiles.tiles(one, where)).score(tiles.tiles(other, where))
    assert parts == pytest.approx(score(one, other), abs=2)


def test_tiles_lie_within_and_are_as_busy_as_the_picture() -> None:
    calm, busy = np.full((2048, 1024, 3), 90, np.uint8), np.asarray(scene(1024, 2048, seed=2))
    pixels = np.concatenate([calm, busy], axis=1)
    chosen = tiles.tiles(pixels, tiles.places(pixels))
    assert [part.shape for part in chosen] == [(512, 512, 3)] * 4
    assert sum(part.std() < 1 for part in chosen) == 2, "half of the picture is calm"
    assert all(np.array_equal(*both) for both in zip(chosen, tiles.parted(tiles.joined(chosen), chosen), strict=True))


# Copies


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("wanted", [60.0, 80.0])
async def test_a_copy_reaches_its_score_and_no_coarser_one_would(sandbox: Sandbox, codec: str, wanted: float) -> None:
    original = saved(scene(900, 700), "JPEG", quality=97)
    made = await squeezed(sandbox, original, Target(codec, wanted))  # type: ignore[arg-type]
    assert (made.width, made.height) == (900, 700)
    assert made.score >= wanted
    assert made.score < wanted + 8, "it would do with less"
    assert await rate(sandbox, original, made.content) == pytest.approx(made.score, abs=0.01)
    assert len(made.content) < len(original)


async def test_a_higher_score_costs_more(sandbox: Sandbox) -> None:
    original = saved(scene(900, 700), "PNG")
    sizes = [len((await squeezed(sandbox, original, Target("jxl", wanted))).content) for wanted in (60, 75, 90)]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3


async def test_a_large_photo_is_scored_by_tiles_and_the_whole_is_near(sandbox: Sandbox) -> None:
    image = scene(2400, 1800)
    made = await squeezed(sandbox, saved(image, "JPEG", quality=96), Target("jxl", 75))
    whole = imagecodecs.jpegxl_decode(made.content)
    original = np.asarray(copy(image, 96))
    assert score(original, whole) == pytest.approx(made.score, abs=4)


async def test_a_cap_on_pixels_keeps_the_proportions(sandbox: Sandbox) -> None:
    made = await squeezed(sandbox, saved(scene(900, 600), "PNG"), Target("webp", 70, cap_pixels=135_000))
    assert (made.width, made.height) == (450, 300)
    assert await rate(sandbox, saved(scene(900, 600), "PNG"), made.content) >= 70


@pytest.mark.parametrize("codec", CODECS)
async def test_a_turned_photo_is_upright_in_its_copy_and_keeps_its_exif(sandbox: Sandbox, codec: str) -> None:
    turned = jpeg(scene(640, 480), make="Canon", model="R5", orientation=6, position=(48.1, 11.5))
    made = await squeezed(sandbox, turned, Target(codec, 60))  # type: ignore[arg-type]
    assert (made.width, made.height) == (480, 640)
    assert "exif" in made.kept
    before, after = (packets_of(Reader(MemoryFile(one))).exif for one in (turned, made.content))
    assert after == upright(before)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


async def test_xmp_and_iptc_come_along_where_the_codec_can(sandbox: Sandbox) -> None:
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>a sentence</x:xmpmeta>"
    plain = saved(scene(640, 480), "JPEG", quality=95, xmp=xmp)
    for codec in CODECS:
        made = await squeezed(sandbox, plain, Target(codec, 60))
        assert packets_of(Reader(MemoryFile(made.content))).xmp == [xmp]
    iptc = b"\x1c\x02\x78\x00\x05hello"
    resource = b"Photoshop 3.0\x008BIM" + struct.pack(">HHI", 0x0404, 0, len(iptc)) + iptc
    said = plain[:2] + struct.pack(">BBH", 0xFF, 0xED, 2 + len(resource)) + resource + plain[2:]
    made = await squeezed(sandbox, said, Target("jpeg", 60))
    assert packets_of(Reader(MemoryFile(made.content))).iptc == iptc
    with pytest.raises(Unsupported, match="iptc cannot be carried by jxl"):
        await squeezed(sandbox, said, Target("jxl", 60))


async def test_wide_colours_keep_their_profile_or_are_refused(sandbox: Sandbox) -> None:
    profile = wide_profile()
    wide = saved(scene(640, 480), "JPEG", quality=95, icc_profile=profile)
    for codec in ("avif", "webp", "jpeg"):
        made = await squeezed(sandbox, wide, Target(codec, 60))
        assert Image.open(io.BytesIO(made.content)).info["icc_profile"] == profile
    with pytest.raises(Unsupported, match="profile cannot be carried by jxl"):
        await squeezed(sandbox, wide, Target("jxl", 60))


def wide_profile() -> bytes:
    """sRGB under another name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))


# Refusals


def _motion() -> bytes:
    return jpeg(scene(640, 480)) + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 8


def _with_gain_map() -> bytes:
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/' hdrgm:Version='1.0'/>"
    return saved(scene(640, 480), "JPEG", xmp=xmp)


REFUSED: dict[str, tuple[Callable[[], bytes], type[Refused], str]] = {
    "no picture": (lambda: b"not a picture at all", Unsupported, "no picture"),
    "cut off": (lambda: saved(scene(640, 480), "JPEG")[:20_000], Corrupt, "end"),
    "transparent": (lambda: saved(scene(640, 480).convert("RGBA"), "PNG"), Unsupported, "transparent"),
    "small": (lambda: saved(scene(64, 63), "PNG"), LimitExceeded, "smaller"),
    "deep": (
        lambda: saved(Image.fromarray(np.arange(65_536, dtype=np.uint16).reshape(256, 256)), "PNG"),
        Unsupported,
        "16 bits",
    ),
    "pages": (
        lambda: saved(scene(640, 480), "TIFF", save_all=True, append_images=[scene(640, 480, 2)]),
        Unsupported,
        "more than one",
    ),
    "moving": (
        lambda: saved(scene(640, 480), "WEBP", save_all=True, append_images=[scene(640, 480, 2)]),
        Unsupported,
        "more than one",
    ),
    "motion photo": (_motion, Unsupported, "behind its picture"),
    "gain map": (_with_gain_map, Unsupported, "gain map"),
    "heic": (lambda: heic(scene(640, 480)), Unsupported, "small already"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_a_copy_would_harm_is_refused_in_words(sandbox: Sandbox, name: str) -> None:
    made, kind, words = REFUSED[name]
    with pytest.raises(Refused, match=words) as raised:
        await squeezed(sandbox, made(), Target("jxl", 90))
    assert type(raised.value) is kind


async def test_a_copy_that_saves_little_is_refused(sandbox: Sandbox) -> None:
    original = saved(scene(640, 480), "JPEG", quality=50)
    with pytest.raises(Unsupported, match="not worth the loss"):
        await squeezed(sandbox, original, Target("jxl", 90, against=len(original)))


async def test_a_score_out_of_reach_is_refused(sandbox: Sandbox) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (400, 400, 3), np.uint8)
    with pytest.raises(Unsupported, match="does not reach"):
        await squeezed(sandbox, saved(Image.fromarray(noise), "PNG"), Target("webp", 95))


@pytest.mark.parametrize(("codec", "wanted"), [("jxl", 96), ("jxl", 20), ("gif", 80)])
def test_targets_that_mean_nothing_are_refused(codec: str, wanted: float) -> None:
    with pytest.raises(ValueError, match=r"score|codec"):
        Target(codec, wanted)  # type: ignore[arg-type]


def test_the_end_of_a_jpeg_is_found_behind_its_scans() -> None:
    for progressive in (False, True):
        content = saved(scene(300, 200), "JPEG", progressive=progressive)
        assert picture_end(content + b"tail \xff\xd9") == len(content)
    assert picture_end(content[:-2]) == len(content) - 2


@pytest.mark.parametrize("broken", [b"", b"II*\0", b"MM\0*\0\0\0\x08\0\x09", b"II*\0\xff\xff\xff\xff" + bytes(20)])
def test_broken_exif_is_left_as_it_is(broken: bytes) -> None:
    assert upright(broken) == broken
