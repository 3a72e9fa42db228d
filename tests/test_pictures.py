"""Pictures: whatever the format, what comes out is oriented, sRGB and no larger than asked for."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from archive.media.child import Work
from archive.media.file import MemoryFile
from archive.media.limits import DEFAULT, Limits
from archive.media.pictures import Picture, arrays, colour, known_header, picture, scaling, smaller
from archive.media.renditions import render_image
from archive.media.sniff import MediaKind, sniff
from archive.media.tasks import render
from archive.media.verdict import Corrupt, LimitExceeded, Refused, Unsupported
from tests.support.headers import LONG, SHORT, dng, tiff
from tests.support.photos import heic, saved, scene

RED, BLUE, GREEN, WHITE = (220, 30, 20), (20, 40, 210), (30, 200, 40), (250, 250, 250)
WIDTH, HEIGHT = 96, 64
# By EXIF orientation, where the corner that belongs at the upper left is stored: (right, lower).
CORNERS = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def corners() -> Image.Image:
    """Paint red upper left, blue upper right, green lower left, white lower right."""
    image = Image.new("RGB", (WIDTH, HEIGHT), RED)
    for colour_, right, lower in ((BLUE, 1, 0), (GREEN, 0, 1), (WHITE, 1, 1)):
        image.paste(colour_, (right * WIDTH // 2, lower * HEIGHT // 2, WIDTH, HEIGHT if lower else HEIGHT // 2))
    return image


def stored(orientation: int) -> Image.Image:
    """Turn the picture away, as a camera that was held so has stored it."""
    turn = _TURNS.get(orientation)
    return corners().transpose(turn) if turn is not None else corners()


def shown(content: bytes, fit: int | None = None, limits: Limits = DEFAULT) -> Picture:
    file = MemoryFile(content)
    return picture(file, sniff(file), limits, fit=fit)


def facts(content: bytes) -> dict[str, Any]:
    file = MemoryFile(content)
    found = sniff(file)
    known = {"format": found.name, "media_type": found.media_type, "kind": found.kind}
    if found.kind is not MediaKind.PHOTO:
        return known
    try:
        head = known_header(file, found, DEFAULT, None)
    except Refused as refused:
        return known | {"refused": refused.verdict, "detail": refused.detail}
    width, height = head.displayed()
    return known | {"width": width, "height": height, "frames": head.frames, "depth": head.depth}


def near(image: Image.Image, place: tuple[float, float], expected: tuple[int, ...], within: int = 24) -> bool:
    at = (int(place[0] * image.width), int(place[1] * image.height))
    got = image.convert("RGBA" if len(expected) == 4 else "RGB").getpixel(at)
    assert isinstance(got, tuple)
    return all(abs(one - other) <= within for one, other in zip(got, expected, strict=True))


def as_painted(image: Image.Image, within: int = 24) -> bool:
    assert image.width > image.height
    return all(
        near(image, place, expected, within)
        for place, expected in (((0.2, 0.2), RED), ((0.8, 0.2), BLUE), ((0.2, 0.8), GREEN), ((0.8, 0.8), WHITE))
    )


# Formats


def sixteen_bits() -> np.ndarray[Any, Any]:
    return np.asarray(corners()).astype(np.uint16) * 257


def tiff_of_sixteen_bits() -> bytes:
    tags: dict[int, tuple[int, object]] = {
        256: (LONG, WIDTH), 257: (LONG, HEIGHT), 258: (SHORT, (16, 16, 16)), 259: (SHORT, 1), 262: (SHORT, 2),
        277: (SHORT, 3), 278: (LONG, HEIGHT),
    }  # fmt: skip
    return tiff(tags, sixteen_bits().tobytes())


def psd(image: Image.Image, depth: int = 8) -> bytes:
    """Write a flattened Photoshop file."""
    planes = np.moveaxis(np.asarray(image), 2, 0)
    raw = planes.tobytes() if depth == 8 else (planes.astype(">u2") * 257).tobytes()
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, image.height, image.width, depth, 3)
    return head + bytes(12) + struct.pack(">H", 0) + raw


FILES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved(corners(), "JPEG", quality=95),
    "progressive jpeg": lambda: saved(corners(), "JPEG", quality=95, progressive=True),
    "mpo": lambda: saved(corners(), "MPO", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))]),
    "png": lambda: saved(corners(), "PNG"),
    "palette png": lambda: saved(corners().quantize(8), "PNG"),
    "apng": lambda: saved(corners(), "PNG", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))]),
    "gif": lambda: saved(corners(), "GIF"),
    "animated gif": lambda: saved(corners(), "GIF", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))]),
    "webp": lambda: saved(corners(), "WEBP", quality=95),
    "lossless webp": lambda: saved(corners(), "WEBP", lossless=True),
    "animated webp": lambda: saved(
        corners(), "WEBP", save_all=True, lossless=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))]
    ),
    "tiff": lambda: saved(corners(), "TIFF"),
    "lzw tiff": lambda: saved(corners(), "TIFF", compression="tiff_lzw"),
    "jpeg tiff": lambda: saved(corners(), "TIFF", compression="jpeg", quality=95),
    "tiff of two": lambda: saved(corners(), "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))]),
    "16 bit tiff": tiff_of_sixteen_bits,
    "16 bit png": lambda: bytes(imagecodecs.png_encode(sixteen_bits())),
    "bmp": lambda: saved(corners(), "BMP"),
    "avif": lambda: saved(corners(), "AVIF", quality=90),
    "heic": lambda: heic(corners(), quality=90),
    "jxl": lambda: bytes(imagecodecs.jpegxl_encode(np.asarray(corners()), lossless=True)),
    "jxl in boxes": lambda: bytes(imagecodecs.jpegxl_encode(np.asarray(corners()), lossless=True, usecontainer=True)),
    "16 bit jxl": lambda: bytes(imagecodecs.jpegxl_encode(sixteen_bits(), lossless=True)),
    "jp2": lambda: saved(corners(), "JPEG2000"),
    "j2k": lambda: bytes(imagecodecs.jpeg2k_encode(np.asarray(corners()), codecformat="j2k")),
    "psd": lambda: psd(corners()),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_shows_what_was_painted(name: str) -> None:
    content = FILES[name]()
    found = shown(content)
    assert found.image.size == (WIDTH, HEIGHT)
    assert found.image.mode in ("RGB", "RGBA")
    assert as_painted(found.image)
    assert not found.damaged
    assert as_painted(shown(content, fit=48).image, within=40)
    assert shown(content, fit=48).image.size == (48, 32)
    said = facts(content)
    assert (said["width"], said["height"], said["kind"]) == (WIDTH, HEIGHT, "photo")
    assert said["depth"] == (16 if "16" in name else 8)
    assert said["frames"] == (2 if name in ("apng", "animated gif", "animated webp") else 1)


def test_photoshops_sixteen_bits_are_read_by_the_second_decoder() -> None:
    found = shown(psd(corners(), depth=16))
    assert as_painted(found.image)
    assert facts(psd(corners(), depth=16))["depth"] == 16


def test_a_raw_is_developed_and_turned() -> None:
    said = facts(dng(64, 48))
    assert (said["format"], said["width"], said["height"]) == ("dng", 48, 64)
    image = shown(dng(64, 48), fit=1440).image
    assert image.size == (24, 32)  # half of the sensor's pixels, which is plenty of a photo
    right, left = image.getpixel((20, 16)), image.getpixel((3, 16))
    assert isinstance(right, tuple)
    assert isinstance(left, tuple)
    assert right[0] > right[2], "what the sensor saw above is on the right when the camera is upright"
    assert left[2] > left[0]


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_turned_as_its_metadata_says(name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(stored(orientation), name, exif=exif, quality=95)
    assert as_painted(shown(content).image)
    assert shown(content, fit=48).image.size == (48, 32)
    assert (facts(content)["width"], facts(content)["height"]) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_and_avif_are_turned_once(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for content in (
        heic(stored(orientation), quality=95, exif=exif.tobytes()),
        saved(stored(orientation), "AVIF", quality=95, exif=exif),
    ):
        assert as_painted(shown(content).image, within=40)
        assert (facts(content)["width"], facts(content)["height"]) == (WIDTH, HEIGHT)


def test_absurd_orientations_turn_nothing() -> None:
    for value in (0, 9, 255):
        exif = Image.Exif()
        exif[0x0112] = value
        assert as_painted(shown(saved(corners(), "JPEG", exif=exif, quality=95)).image)


def test_the_corners_of_this_test_are_the_standards() -> None:
    for orientation, (right, lower) in CORNERS.items():
        image = stored(orientation)
        assert near(image, (0.2 + 0.6 * right, 0.2 + 0.6 * lower), RED)


# Colours


def test_grey_stays_grey_and_alpha_stays() -> None:
    assert shown(saved(Image.new("L", (20, 10), 77), "JPEG")).image.mode == "L"
    clear = Image.new("RGBA", (40, 30), (200, 10, 10, 0))
    clear.paste((10, 200, 10, 255), (0, 0, 20, 30))
    for name in ("PNG", "WEBP"):
        image = shown(saved(clear, name, lossless=True), fit=20).image
        assert image.mode == "RGBA"
        assert near(image, (0.2, 0.5), (10, 200, 10, 255))
        assert near(image, (0.9, 0.5), (0, 0, 0, 0), within=255 - 1)
        alpha = image.getpixel((19, 5))
        assert isinstance(alpha, tuple)
        assert alpha[3] == 0


@pytest.mark.parametrize("size", [(1440, 1080), (1439, 1077), (333, 250), (33, 40)])
@pytest.mark.parametrize("kind", ["scene", "noise", "tiles"])
def test_smaller_is_what_pillow_would_have_made(size: tuple[int, int], kind: str) -> None:
    random = np.random.default_rng(1)
    width, height = round(size[0] * 1.7), round(size[1] * 1.7)
    images = {
        "scene": scene(width, height),
        "noise": Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)),
        "tiles": Image.fromarray(random.choice([0, 255], (9, 9, 3)).astype(np.uint8)).resize((width, height), 0),
    }
    made = np.asarray(scaling.scaled(images[kind], size), dtype=float)
    pillows = np.asarray(images[kind].resize(size, Image.Resampling.BICUBIC), dtype=float)
    error = np.sqrt(((made - pillows) ** 2).mean())
    assert made.shape == pillows.shape
    assert error < (3 if kind == "noise" else 1.5)  # of 255


def test_one_colour_stays_that_colour() -> None:
    for colour_ in ((255, 255, 255), (0, 0, 0), (255, 0, 0), (1, 2, 3), (200, 30, 31)):
        made = scaling.scaled(Image.new("RGB", (200, 150), colour_), (144, 108))
        assert made.getextrema() == tuple((part, part) for part in colour_)


def test_what_cannot_be_seen_does_not_bleed_when_it_is_made_smaller() -> None:
    image = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    image.paste((0, 255, 0, 255), (0, 0, 45, 100))
    edge = np.asarray(smaller(image, 10))
    assert edge[:, :, 0][edge[:, :, 3] > 8].max() < 8


def test_a_transparent_colour_of_a_palette_is_transparent() -> None:
    image = corners().quantize(8)
    content = saved(image, "GIF", transparency=image.getpixel((2, 2)))
    assert shown(content).image.mode == "RGBA"
    assert near(shown(content).image, (0.2, 0.2), (*RED, 0))


@pytest.mark.parametrize("name", ["JPEG", "TIFF"])
def test_inks_become_light(name: str) -> None:
    content = saved(corners().convert("CMYK"), name, **({"quality": 95} if name == "JPEG" else {}))
    assert shown(content).image.mode == "RGB"
    assert as_painted(shown(content).image)


def test_inks_that_adobe_wrote_upside_down_are_the_same() -> None:
    content = saved(corners().convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in content
    assert as_painted(shown(content, fit=48).image, within=40)


def test_a_profile_is_followed() -> None:
    swapped = _profile_with_red_and_green_swapped()
    red, green = Image.new("RGB", (16, 16), (255, 0, 0)), (0, 255, 0)
    assert near(shown(saved(red, "PNG", icc_profile=swapped)).image, (0.5, 0.5), green, within=4)
    assert near(shown(saved(red, "TIFF", icc_profile=swapped)).image, (0.5, 0.5), green, within=4)
    grey = Image.new("L", (16, 16), 100)
    assert shown(saved(grey, "PNG", icc_profile=swapped)).image.getpixel((3, 3)) == 100, "a profile for other colours"


@pytest.mark.parametrize("profile", [b"x", b"x" * 200, bytes(5 << 20)])
def test_a_broken_or_absurd_profile_is_none(profile: bytes) -> None:
    assert as_painted(shown(saved(corners(), "TIFF", icc_profile=profile)).image)


def test_numbers_of_any_size_become_eight_bits() -> None:
    assert arrays.eight_bits(np.array([0, 256, 65535], np.uint16)).tolist() == [0, 1, 255]
    assert arrays.eight_bits(np.array([0.0, 0.5, 1.0], np.float32)).tolist() == [0, 128, 255]
    assert arrays.eight_bits(np.array([-1.0, 1.0, 3.0, np.nan])).tolist() == [0, 128, 255, 64]
    assert arrays.eight_bits(np.array([False, True])).tolist() == [0, 255]
    for mode in ("I;16", "I", "F", "1", "LA", "YCbCr", "HSV", "LAB", "PA", "RGBa", "La", "RGBX"):
        image = colour.to_srgb(colour.plain(Image.new(mode, (4, 4))), None)
        assert image.mode in ("L", "RGB", "RGBA"), mode


def test_floating_tiffs_are_shown() -> None:
    ramp = Image.fromarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8))
    image = shown(saved(ramp, "TIFF")).image
    assert (image.getpixel((0, 0)), image.getpixel((7, 7))) == (0, 255)


# Limits


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    small = replace(DEFAULT, pixels=WIDTH * HEIGHT - 1)
    for make in FILES.values():
        with pytest.raises(LimitExceeded, match="pixels"):
            shown(make(), limits=small)


def test_a_progressive_jpeg_has_limits_of_its_own() -> None:
    content = FILES["progressive jpeg"]()
    assert as_painted(shown(FILES["jpeg"](), limits=replace(DEFAULT, progressive_pixels=100)).image)
    with pytest.raises(LimitExceeded, match="at most 100 "):
        shown(content, limits=replace(DEFAULT, progressive_pixels=100))
    with pytest.raises(LimitExceeded, match="scans"):
        shown(content, limits=replace(DEFAULT, progressive_scans=3))
    with pytest.raises(LimitExceeded, match="memory"):
        shown(content, limits=replace(DEFAULT, memory=20_000))


@pytest.mark.parametrize("name", ["apng", "animated gif", "animated webp"])
def test_too_many_frames_are_refused(name: str) -> None:
    with pytest.raises(LimitExceeded, match="frames"):
        shown(FILES[name](), limits=replace(DEFAULT, frames=1))


def test_absurd_metadata_is_passed_over() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    exif[0x9286] = b"x" * 3000
    content = saved(corners(), "PNG", exif=exif)
    assert as_painted(shown(content, limits=replace(DEFAULT, exif_bytes=1000)).image), "not turned"
    assert as_painted(shown(content).image.transpose(Image.Transpose.ROTATE_180))


# Damage


def test_half_a_photo_is_shown_and_said_to_be_damaged() -> None:
    content = saved(scene(800, 600), "JPEG")
    found = shown(content[: len(content) // 2], fit=400)
    assert found.damaged
    assert found.image.size == (400, 300)


def test_what_no_decoder_reads_is_corrupt() -> None:
    content = saved(scene(800, 600), "PNG")
    with pytest.raises(Corrupt):
        shown(content[:41] + bytes(len(content) - 41))
    with pytest.raises(Refused):
        shown(b"\xff\xd8\xff" + bytes(500))


def test_what_one_of_two_decoders_reads_is_shown() -> None:
    content = bytearray(
        saved(corners(), "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    )
    place = content.index(b"IDAT")
    size = struct.unpack(">I", content[place - 4 : place])[0]
    content[place + 4 + size] ^= 1  # its checksum
    assert as_painted(shown(bytes(content)).image)


def test_what_is_no_picture_is_unsupported() -> None:
    with pytest.raises(Unsupported):
        shown(b"<?xpacket begin=''?>")
    with pytest.raises(Unsupported):
        shown(b"hello")


# Renditions


def rendered(content: bytes) -> tuple[dict[str, Any], dict[str, Image.Image]]:
    blobs: dict[str, bytes] = {}

    class Kept(Work):
        __slots__ = ()

        def emit(self, name: str, content: bytes | memoryview) -> None:
            blobs[name] = bytes(content)

    said = render(Kept(MemoryFile(content), {}, DEFAULT))
    return said, {name: Image.open(io.BytesIO(blob)) for name, blob in blobs.items()}


@pytest.mark.parametrize(
    ("size", "preview", "thumb"),
    [
        ((4000, 3000), (1440, 1080), (333, 250)),
        ((3000, 4000), (1080, 1440), (250, 333)),
        ((1440, 1440), (1440, 1440), (250, 250)),
        ((6000, 1000), (1440, 240), (1000, 167)),
        ((600, 300), (600, 300), (500, 250)),
        ((100, 80), (100, 80), (100, 80)),
        ((1, 1), (1, 1), (1, 1)),
        ((5000, 2), (1440, 1), (1000, 1)),
    ],
)
def test_renditions_have_the_sizes_that_were_promised(
    size: tuple[int, int], preview: tuple[int, int], thumb: tuple[int, int]
) -> None:
    said, images = rendered(saved(Image.new("RGB", size, RED), "JPEG", exif=_dated()))
    assert (images["preview"].size, images["thumb"].size) == (preview, thumb)
    assert (said["preview"], said["thumb"]) == (list(preview), list(thumb))
    assert (said["width"], said["height"], said["damaged"]) == (*size, False)
    assert 5 <= len(bytes.fromhex(said["thumbhash"])) <= 25
    for image in images.values():
        assert image.format == "WEBP"
        assert not {"exif", "icc_profile", "xmp"} & image.info.keys()


def test_renditions_of_what_is_partly_clear_are_partly_clear() -> None:
    image = corners().convert("RGBA")
    image.putalpha(0)
    _, images = rendered(saved(image, "PNG"))
    assert {one.mode for one in images.values()} == {"RGBA"}


def test_a_film_may_hand_over_a_frame() -> None:
    given: dict[str, bytes] = {}
    said = render_image(scene(1920, 1080), given.__setitem__)
    assert given.keys() == {"preview", "thumb"}
    assert said["preview"] == [1440, 810]


def _dated() -> Image.Exif:
    exif = Image.Exif()
    exif[306] = "2024:05:01 12:00:00"
    return exif


def _profile_with_red_and_green_swapped() -> bytes:
    """Take sRGB's own profile, and let red's and green's tags point at each other's colours."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ", 128), profile.index(b"gXYZ", 128)
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace(b"s\0R\0G\0B", b"o\0t\0h\0e").replace(b"sRGB built-in", b"other")
