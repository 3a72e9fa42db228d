"""Metadata: what a file says of itself is read as it is meant, and what is broken in it harms nothing."""

# ruff: noqa: RUF001  # wall clocks have no zone; Russian is written in Cyrillic
from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from archive.media.facts import Exposure, Facts, Kind, Motion, Person, Position, Probe, Taken
from archive.media.metadata import iptc, xmp
from archive.media.metadata.cameras import camera_name
from archive.media.metadata.dates import taken_from_name
from archive.media.metadata.describe import read
from archive.media.metadata.positions import from_iso6709
from archive.media.metadata.raw import VALUE_BYTES, WHOLE_BYTES, bounded
from archive.media.metadata.videos import from_video_tags

ROOT = Path(__file__).resolve().parents[1]
PROBE = Probe("jpeg", "image/jpeg", "photo", 40, 30)
EXIF, GPS = 0x8769, 0x8825
SPACES = " ".join(
    f'xmlns:{prefix}="{xmp.namespace(prefix)}"'
    for prefix in (
        *("dc", "xmp", "exif", "tiff", "photoshop", "lr", "MP", "MPRI", "MPReg", "mwg-rs", "stArea", "xmpNote"),
        *("GCamera", "Container", "Item"),
    )
)
FILM = struct.pack(">I4s4sI", 16, b"ftyp", b"mp42", 0) + bytes(4000)


def packet(attributes: str = "", body: str = "") -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {SPACES} {attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def exif(
    main: dict[int, Any] | None = None, photo: dict[int, Any] | None = None, gps: dict[int, Any] | None = None
) -> Image.Exif:
    found = Image.Exif()
    found.update(main or {})
    found.get_ifd(EXIF).update(photo or {})
    found.get_ifd(GPS).update(gps or {})
    return found


def picture(kind: str = "JPEG", **more: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(file, kind, **more)
    return file.getvalue()


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    packed = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return jpeg[:2] + packed + jpeg[2:]


def with_xmp(content: bytes) -> bytes:
    return with_segments(picture(), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + content))


def with_extended(whole: bytes, attributes: str = "") -> bytes:
    """Put a packet into as many segments as it needs, out of order, named by a short one."""
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid + struct.pack(">I", len(whole))
    parts = [(0xE1, head + struct.pack(">I", at) + whole[at : at + 60_000]) for at in range(0, len(whole), 60_000)]
    main = packet(f'{attributes} xmpNote:HasExtendedXMP="{guid.decode()}"')
    return with_segments(picture(), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + main), *reversed(parts))


def facts(content: bytes, probe: Probe = PROBE) -> Facts:
    return read(io.BytesIO(content), probe)


def box(name: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", len(body) + 8, name) + body


def dms(degrees: int, minutes: int, seconds: float) -> tuple[IFDRational, ...]:
    return tuple(IFDRational(round(part * 100), 100) for part in (degrees, minutes, seconds))


# A picture of a camera


CAMERA = exif(
    {
        0x010F: "Canon",
        0x0110: "Canon EOS R5",
        0x0112: 6,
        0x0131: "Firmware 1.0",
        0x013B: "Анна".encode(),
        0x8298: "© Анна".encode(),
    },
    {
        0x9003: "2024:05:01 12:03:04",
        0x9291: "170",
        0x9011: "+03:00",
        0xA431: "0123",
        0xA434: "RF50mm F1.2 L USM",
        0x829A: IFDRational(1, 250),
        0x829D: IFDRational(28, 10),
        0x8827: 400,
        0x920A: IFDRational(50, 1),
        0xA405: 50,
        0x9209: 1,
        0x9204: IFDRational(-1, 3),
        0x8822: 3,
        0x9207: 5,
    },
    {1: "N", 2: dms(55, 45, 21), 3: "E", 4: dms(37, 37, 2.28), 5: b"\1", 6: IFDRational(123, 10), 17: IFDRational(90)},
)
TAKEN = Taken(datetime(2024, 5, 1, 12, 3, 4, 170000), "exif", 180, "170")


@cache
def heif() -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 64))).save(file, exif=CAMERA.tobytes(), xmp=packet('xmp:Rating="4"'))
    return file.getvalue()


def jxl() -> bytes:
    head = bytes.fromhex("0000000c4a584c200d0a870a") + box(b"ftyp", b"jxl ", bytes(4), b"jxl ")
    return head + box(b"Exif", bytes(4), CAMERA.tobytes()[6:]) + box(b"xml ", packet('xmp:Rating="4"'))


def canon_raw() -> bytes:
    """Write what of a CR3 bears metadata: TIFFs of one directory each."""
    main = exif({0x010F: "Canon", 0x0110: "Canon EOS R5", 0x0112: 6}).tobytes()[6:]
    photo = Image.Exif()
    photo.update({key: CAMERA.get_ifd(EXIF)[key] for key in CAMERA.get_ifd(EXIF)})
    canon = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
    moov = box(b"moov", box(b"uuid", canon, box(b"CMT1", main), box(b"CMT2", photo.tobytes()[6:])))
    return box(b"ftyp", b"crx ", bytes(4), b"crx isom") + moov + box(b"mdat", bytes(5000))


def test_all_that_a_camera_writes_is_read() -> None:
    found = facts(picture(exif=CAMERA))
    assert (found.width, found.height, found.orientation) == (30, 40, 6)
    assert found.taken == TAKEN
    assert (found.camera, found.camera_make, found.camera_model) == ("Canon EOS R5", "Canon", "Canon EOS R5")
    assert (found.lens, found.camera_serial, found.software) == ("RF50mm F1.2 L USM", "0123", "Firmware 1.0")
    assert found.exposure == Exposure(2.8, "1/250", 0.004, 400, 50.0, 50.0, True, -0.33, "aperture", "pattern")
    assert found.position == Position(55.7558333, 37.6173, -12.3, 90.0)
    assert (found.creator, found.copyright) == ("Анна", "© Анна")
    assert found.raw["Exif.Photo.ISOSpeedRatings"] == 400
    assert found.raw["Exif.Photo.ExposureTime"] == "1/250"
    assert found.shot_key


CONTAINERS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: picture(exif=CAMERA),
    "PNG": lambda: picture("PNG", exif=CAMERA),
    "WebP": lambda: picture("WEBP", exif=CAMERA),
    "TIFF": lambda: CAMERA.tobytes()[6:],
    "AVIF": lambda: picture("AVIF", exif=CAMERA),
    "HEIF": heif,
    "JPEG XL": jxl,
    "CR3": canon_raw,
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_exif_is_found_in_every_container(name: str) -> None:
    found = facts(CONTAINERS[name](), replace(PROBE, oriented=True))
    assert (found.taken, found.camera) == (TAKEN, "Canon EOS R5")
    assert (found.width, found.height) == (40, 30)


RATED: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: with_xmp(packet('xmp:Rating="4"')),
    "JPEG whose mark a service spoilt": lambda: with_segments(
        picture(), (0xE1, b"XMP\0://ns.adobe.com/xap/1.0/\0" + packet('xmp:Rating="4"'))
    ),
    "PNG": lambda: picture("PNG", pnginfo=png_text(packet('xmp:Rating="4"'))),
    "WebP": lambda: picture("WEBP", xmp=packet('xmp:Rating="4"')),
    "TIFF": lambda: picture("TIFF", tiffinfo={700: packet('xmp:Rating="4"')}),
    "HEIF": heif,
    "JPEG XL": jxl,
}


def png_text(content: bytes) -> Any:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", content.decode())
    return text


@pytest.mark.parametrize("name", RATED)
def test_xmp_is_found_in_every_container(name: str) -> None:
    assert facts(RATED[name]()).rating == 4


def test_a_large_file_is_not_read_whole() -> None:
    class Watched(io.BytesIO):
        given = 0

        def read(self, size: int | None = -1, /) -> bytes:
            some = super().read(size)
            self.given += len(some)
            return some

    file = Watched(picture(exif=CAMERA) + bytes(50_000_000))
    assert read(file, PROBE).taken == TAKEN
    assert file.given < 2_000_000


# Dates


ORIGINAL, DIGITIZED, CHANGED = "2001:01:01 01:00:00", "2002:02:02 02:00:00", "2003:03:03 03:00:00"
DATED_XMP = 'photoshop:DateCreated="2004-04-04T04:00:00+04:00" xmp:CreateDate="2005-05-05T05:00:00"'
DATED_IPTC = b"".join(
    struct.pack(">BBBH", 0x1C, 2, k, len(v)) + v for k, v in ((55, b"20060606"), (60, b"060000+0600"))
)


def dated(main: dict[int, Any], photo: dict[int, Any], *segments: tuple[int, bytes]) -> Taken | None:
    return facts(with_segments(picture(exif=exif({0x0110: "Phone", **main}, photo)), *segments)).taken


def test_the_best_of_many_dates_counts() -> None:
    with_packet = (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet(DATED_XMP))
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(DATED_IPTC)) + DATED_IPTC
    with_iptc = (0xED, b"Photoshop 3.0\0" + resource + b"\0" * (len(resource) % 2))
    all_of_exif = {0x9003: ORIGINAL, 0x9004: DIGITIZED}
    assert dated({0x0132: CHANGED}, all_of_exif, with_packet, with_iptc) == Taken(datetime(2001, 1, 1, 1), "exif")
    assert dated({0x0132: CHANGED}, {0x9004: DIGITIZED}, with_packet) == Taken(datetime(2002, 2, 2, 2), "exif")
    assert dated({0x0132: CHANGED}, {}, with_packet, with_iptc) == Taken(datetime(2004, 4, 4, 4), "xmp", 240)
    assert dated({0x0132: CHANGED}, {}, with_iptc) == Taken(datetime(2006, 6, 6, 6), "iptc", 360)
    assert dated({0x0132: CHANGED}, {}) == Taken(datetime(2003, 3, 3, 3), "exif")
    assert dated({}, {}) is None


@pytest.mark.parametrize(
    "unset",
    ["0000:00:00 00:00:00", "    :  :     :  :  ", "1970:01:01 03:00:00", "1904:01:01 00:00:00", "1980:01:01 00:00:00",
     "2000:01:01 00:00:00", "2024:13:01 00:00:00", "2024:02:30 00:00:00", "0001:01:01 00:00:00", "yesterday", ""],
)  # fmt: skip
def test_a_clock_that_was_never_set_says_nothing(unset: str) -> None:
    assert dated({}, {0x9003: unset}) is None
    assert dated({}, {0x9003: unset, 0x9004: DIGITIZED}) == Taken(datetime(2002, 2, 2, 2), "exif")


@pytest.mark.parametrize(
    ("utc", "offset"),
    [((9, 3, 4), 180), ((9, 5, 0), 180), ((6, 33, 0), 330), ((6, 18, 0), 345), ((12, 33, 4), None), ((9, 10, 0), None),
     ((9, 18, 0), None), ((12, 3, 4), 0)],
)  # fmt: skip
def test_the_satellites_clock_tells_the_zone(utc: tuple[int, int, int], offset: int | None) -> None:
    tags = exif({}, {0x9003: "2024:05:01 12:03:04"}, {7: tuple(map(IFDRational, utc)), 29: "2024:05:01"})
    assert facts(picture(exif=tags)).taken == Taken(datetime(2024, 5, 1, 12, 3, 4), "exif", offset)


def test_a_zone_that_is_written_is_not_derived() -> None:
    tags = exif({}, {0x9003: "2024:05:01 12:03:04", 0x9011: "-05:00"}, {7: dms(9, 3, 4), 29: "2024:05:01"})
    assert facts(picture(exif=tags)).taken == Taken(datetime(2024, 5, 1, 12, 3, 4), "exif", -300)


def test_where_only_the_satellites_know_it_is_their_time() -> None:
    tags = exif({}, {}, {7: dms(9, 3, 4), 29: "2024:05:01"})
    assert facts(picture(exif=tags)).taken == Taken(datetime(2024, 5, 1, 9, 3, 4), "exif", 0)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("IMG_20240501_120304.jpg", Taken(datetime(2024, 5, 1, 12, 3, 4), "name")),
        ("PXL_20240501_120304123.MP.jpg", Taken(datetime(2024, 5, 1, 12, 3, 4, 123000), "name", 0, "123")),
        ("VID-20240501-120304.mp4", Taken(datetime(2024, 5, 1, 12, 3, 4), "name")),
        ("Screenshot_20240501-120304_Chrome.png", Taken(datetime(2024, 5, 1, 12, 3, 4), "name")),
        ("Screenshot 2024-05-01 at 12.03.04.png", Taken(datetime(2024, 5, 1, 12, 3, 4), "name")),
        ("photo_2024-05-01_12-03-04.jpg", Taken(datetime(2024, 5, 1, 12, 3, 4), "name")),
        ("IMG-20240501-WA0001.jpg", Taken(datetime(2024, 5, 1), "name")),
        ("20240501_120304(1).jpg", Taken(datetime(2024, 5, 1, 12, 3, 4), "name")),
        ("IMG_1234.JPG", None),
        ("DSC_20241399_120304.jpg", None),
        ("1234567890123456789012.jpg", None),
        ("79990000000_20240501_999999.jpg", None),
        ("", None),
    ],
)
def test_names_of_files_say_dates(name: str, taken: Taken | None) -> None:
    assert taken_from_name(name) == taken


# Places


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: dms(0, 0, 0), 3: "E", 4: dms(0, 0, 0)},
        {1: "N", 2: dms(91, 0, 0), 3: "E", 4: dms(10, 0, 0)},
        {1: "N", 2: dms(50, 0, 0), 3: "E", 4: dms(181, 0, 0)},
        {1: "N", 2: (IFDRational(50, 0),) * 3, 3: "E", 4: dms(10, 0, 0)},
        {1: "N", 2: dms(50, 0, 0)},
        {1: "N", 2: dms(50, 0, 0), 3: "E", 4: dms(10, 0, 0), 9: "V"},
    ],
)
def test_a_place_that_cannot_be_is_none(gps: dict[int, Any]) -> None:
    assert facts(picture(exif=exif({}, {}, gps))).position is None


@pytest.mark.parametrize(
    ("written", "position"),
    [
        ("+55.7558+037.6173+150.5/", Position(55.7558, 37.6173, 150.5)),
        ("-33.8568+151.2153/", Position(-33.8568, 151.2153)),
        ("+5545.35+03737.04/", Position(55.7558333, 37.6173333)),
        ("+554521.0-0373702.3+10CRSWGS_84/", Position(55.7558333, -37.6173056, 10.0)),
        ("+00.0000+000.0000/", None),
        ("+95.0000+000.0000/", None),
        ("somewhere", None),
        ("", None),
    ],
)
def test_positions_of_films_are_read(written: str, position: Position | None) -> None:
    assert from_iso6709(written) == position


# Words


def test_texts_of_old_programs_are_decoded_as_what_they_look_like() -> None:
    tags = exif({0x010E: "Вечер у моря".encode("cp1251"), 0x013B: "José Núñez".encode("cp1252")})
    found = facts(picture(exif=tags))
    assert (found.description, found.creator) == ("Вечер у моря", "José Núñez")
    windows = exif({0x9C9B: "Заголовок".encode("utf-16le"), 0x9C9E: "дом;дача".encode("utf-16le")})
    found = facts(picture(exif=windows))
    assert (found.title, found.keywords) == ("Заголовок", ("дом", "дача"))


def test_what_cameras_write_for_a_description_is_none() -> None:
    for junk in ("OLYMPUS DIGITAL CAMERA         ", "SONY DSC", "DCF 1.0", "cof", "Exif_JPEG_PICTURE", "   "):
        assert facts(picture(exif=exif({0x010E: junk}))).description is None, junk
    for words in ("Sony and me", "Digital art", "Cofounders"):
        assert facts(picture(exif=exif({0x010E: words}))).description == words


def test_xmp_words_go_before_those_of_exif_and_one_language_is_chosen() -> None:
    body = (
        '<dc:title><rdf:Alt><rdf:li xml:lang="de">Haus</rdf:li><rdf:li xml:lang="x-default">Дом</rdf:li></rdf:Alt>'
        "</dc:title>"
        "<dc:description><rdf:Alt><rdf:li xml:lang='en'>A house</rdf:li></rdf:Alt></dc:description>"
        "<dc:creator><rdf:Seq><rdf:li>Anna</rdf:li><rdf:li>Boris</rdf:li></rdf:Seq></dc:creator>"
        "<dc:subject><rdf:Bag><rdf:li>dog</rdf:li><rdf:li>sea</rdf:li><rdf:li>Dog</rdf:li></rdf:Bag></dc:subject>"
        "<lr:hierarchicalSubject><rdf:Bag><rdf:li>animals</rdf:li><rdf:li>animals|dog</rdf:li></rdf:Bag>"
        "</lr:hierarchicalSubject>"
    )
    found = facts(with_xmp(packet('xmp:Rating="-1"', body)))
    assert (found.title, found.description, found.creator) == ("Дом", "A house", "Anna, Boris")
    assert (found.keywords, found.rating) == (("animals/dog", "sea"), -1)


def test_iptc_words_are_read_in_what_they_are_written_in() -> None:
    def dataset(number: int, body: bytes, record: int = 2) -> bytes:
        return struct.pack(">BBBH", 0x1C, record, number, len(body)) + body

    assert iptc.parse(dataset(90, b"\x1b%G", 1) + dataset(120, "Дом".encode())) == {"Caption": ["Дом"]}
    assert iptc.parse(dataset(25, b"caf\xe9") + dataset(25, b"b")) == {"Keywords": ["café", "b"]}
    assert iptc.parse(dataset(25, "Лето на даче".encode("cp1251"))) == {"Keywords": ["Лето на даче"]}
    assert iptc.parse(dataset(25, b"whole") + dataset(25, b"cut")[:-1]) == {"Keywords": ["whole", "cu"]}


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON D750", "Nikon D750"),
        ("NIKON", "COOLPIX P900", "Nikon COOLPIX P900"),
        ("OLYMPUS IMAGING CORP.  ", "E-M10", "Olympus E-M10"),
        ("SONY", "ILCE-7M3", "Sony ILCE-7M3"),
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("samsung", "SM-S906U", "Samsung SM-S906U"),
        ("RICOH IMAGING COMPANY, LTD.", "PENTAX K-1", "Pentax K-1"),
        ("PENTAX Corporation", "PENTAX K10D", "Pentax K10D"),
        ("EASTMAN KODAK COMPANY", "KODAK Z612 ZOOM DIGITAL CAMERA", "Kodak Z612"),
        ("LEICA CAMERA AG", "LEICA Q2", "Leica Q2"),
        ("Xiaomi", "Xiaomi", "Xiaomi Xiaomi"),
        ("HUAWEI", None, "Huawei"),
        (None, "Scanner", "Scanner"),
        (None, None, None),
    ],
)
def test_cameras_are_named_as_people_name_them(make: str | None, model: str | None, name: str | None) -> None:
    assert camera_name(make, model) == name


def test_a_lens_that_is_none_is_not_named() -> None:
    for nothing in ("----", "0.0 mm f/0.0", "", "n/a"):
        tags = exif(
            {}, {0xA434: nothing, 0xA432: (IFDRational(24), IFDRational(70), IFDRational(28, 10), IFDRational(4))}
        )
        assert facts(picture(exif=tags)).lens == "24-70mm f/2.8-4"


# People


def regions(*faces: tuple[str, float, float, float, float]) -> str:
    members = "".join(
        f'<rdf:li mwg-rs:Name="{name}" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="{x}" stArea:y="{y}" stArea:w="{w}"'
        f' stArea:h="{h}" stArea:unit="normalized"/></rdf:li>'
        for name, x, y, w, h in faces
    )
    return (
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        f"{members}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def test_faces_with_names_are_people() -> None:
    found = facts(
        with_xmp(packet(body=regions(("Анна", 0.5, 0.4, 0.2, 0.2), ("", 0.1, 0.1, 0.1, 0.1), ("Out", 2, 2, 1, 1))))
    )
    assert found.people == (Person("Анна", 0.4, 0.3, 0.2, 0.2),)


def test_microsofts_faces_are_people() -> None:
    body = (
        '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li rdf:parseType="Resource">'
        "<MPReg:Rectangle>0.25, 0.5, 0.25, 0.125</MPReg:Rectangle>"
        "<MPReg:PersonDisplayName>Anna</MPReg:PersonDisplayName>"
        "</rdf:li></rdf:Bag></MPRI:Regions></MP:RegionInfo>"
    )
    assert facts(with_xmp(packet(body=body))).people == (Person("Anna", 0.25, 0.5, 0.25, 0.125),)


@pytest.mark.parametrize(
    ("orientation", "box"),
    [(1, (0.1, 0.2, 0.3, 0.1)), (2, (0.6, 0.2, 0.3, 0.1)), (3, (0.6, 0.7, 0.3, 0.1)), (4, (0.1, 0.7, 0.3, 0.1)),
     (5, (0.2, 0.1, 0.1, 0.3)), (6, (0.7, 0.1, 0.1, 0.3)), (7, (0.7, 0.6, 0.1, 0.3)), (8, (0.2, 0.6, 0.1, 0.3))],
)  # fmt: skip
def test_faces_turn_with_the_picture(orientation: int, box: tuple[float, ...]) -> None:
    content = packet(f'tiff:Orientation="{orientation}"', regions(("Anna", 0.25, 0.25, 0.3, 0.1)))
    (person,) = facts(with_xmp(content)).people
    assert (person.left, person.top, person.width, person.height) == pytest.approx(box)


# What belongs together


def apple_note(identifier: bytes) -> bytes:
    value = identifier + b"\0"
    entry = struct.pack(">HHII", 0x11, 2, len(value), 14 + 2 + 12 + 4)
    return b"Apple iOS\0\0\1MM" + struct.pack(">H", 1) + entry + bytes(4) + value


def test_a_live_photo_and_its_film_bear_the_same_identifier() -> None:
    identifier = "0123ABCD-0123-4567-89AB-0123456789AB"
    still = facts(picture(exif=exif({0x010F: "Apple"}, {0x927C: apple_note(identifier.encode())})))
    film = from_video_tags(VIDEO, {"com.apple.quicktime.content.identifier": identifier.lower()})
    assert still.live_id == film.live_id == identifier
    assert (
        facts(picture(exif=exif({0x010F: "Apple"}, {0x927C: apple_note(b"something else, of some length")}))).live_id
        is None
    )


def shot(**changed: Any) -> str | None:
    photo = {
        0x9003: "2024:05:01 12:03:04",
        0x9291: "17",
        0xA431: "0123",
        **{int(k[1:], 16): v for k, v in changed.items()},
    }
    return facts(picture(exif=exif({0x010F: "Canon", 0x0110: "EOS"}, {k: v for k, v in photo.items() if v}))).shot_key


def test_two_files_of_one_shot_have_one_key_and_others_have_others() -> None:
    assert shot() == shot() is not None
    assert len({shot(), shot(x9003="2024:05:01 12:03:05"), shot(x9291="18"), shot(xa431="0124")}) == 4


def test_a_second_alone_is_no_shot() -> None:
    assert shot(x9291=None) is None
    assert shot(x9291="00") is None
    assert shot(x9291=None, xa420="9f3c7a10bb") is not None
    assert shot(x9003=None) is None


GOOGLE = (
    '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" '
    'Item:Semantic="Primary" Item:Length="0"/></rdf:li><rdf:li rdf:parseType="Resource"><Container:Item '
    f'Item:Mime="video/mp4" Item:Semantic="MotionPhoto" Item:Length="{len(FILM)}"/></rdf:li></rdf:Seq>'
    "</Container:Directory>"
)


def samsung(still: bytes) -> bytes:
    name = b"MotionPhoto_Data"
    block = struct.pack("<HHI", 0, 0x0A30, len(name)) + name + FILM
    directory = b"SEFH" + struct.pack("<II", 106, 1) + struct.pack("<HHII", 0, 0x0A30, len(block), len(block))
    return still + block + directory + struct.pack("<I", len(directory)) + b"SEFT"


MOVING: dict[str, bytes] = {
    "Google's first": with_xmp(packet(f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(FILM)}"')) + FILM,
    "Google's": with_xmp(packet('GCamera:MotionPhoto="1"', GOOGLE)) + FILM,
    "Samsung's": samsung(picture()),
    "a HEIF with a film": heif() + box(b"mpvd", FILM),
}


@pytest.mark.parametrize("name", MOVING)
def test_a_film_inside_a_photo_is_found(name: str) -> None:
    content = MOVING[name]
    assert facts(content).motion == Motion(content.index(FILM), len(FILM))


@pytest.mark.parametrize("name", MOVING)
def test_what_is_no_film_is_not_taken_for_one(name: str) -> None:
    assert facts(MOVING[name].replace(b"ftyp" + b"mp42", b"free" + b"mp42")).motion is None
    assert facts(MOVING[name][:-100]).motion is None


# Films

VIDEO = Probe("mov", "video/quicktime", "video", 1920, 1080, 60, 2000, oriented=True)


def test_a_films_tags_are_read() -> None:
    found = from_video_tags(
        VIDEO,
        {
            "com.apple.quicktime.creationdate": "2024-05-01T12:03:04+0300",
            "creation_time": "2024-05-01T09:03:09.000000Z",
            "com.apple.quicktime.make": "Apple",
            "com.apple.quicktime.model": "iPhone 15 Pro",
            "com.apple.quicktime.software": "17.4",
            "com.apple.quicktime.location.ISO6709": "+55.7558+037.6173+150.500/",
            "com.apple.quicktime.location.accuracy.horizontal": "4.7",
            "major_brand": "qt  ",
        },
    )
    assert found.taken == Taken(datetime(2024, 5, 1, 12, 3, 4), "video", 180)
    assert found.position == Position(55.7558, 37.6173, 150.5, None, 4.7)
    assert (found.camera, found.software) == ("Apple iPhone 15 Pro", "17.4")
    assert (found.width, found.height, found.duration_ms, found.kind) == (1920, 1080, 2000, "video")
    assert found.raw["Video.major_brand"] == "qt"


@pytest.mark.parametrize(
    ("tags", "taken", "camera"),
    [
        (
            {"creation_time": "2024-05-01T09:03:09.000000Z"},
            Taken(datetime(2024, 5, 1, 9, 3, 9), "video", 0, "000000"),
            None,
        ),
        ({"creation_time": "1904-01-01T00:00:00.000000Z"}, None, None),
        ({"creation_time": "1970-01-01T00:00:00.000000Z"}, None, None),
        ({"com.android.manufacturer": "samsung", "com.android.model": "SM-G998B"}, None, "Samsung SM-G998B"),
        ({"handler_name": "\tGoPro AVC", "firmware": "HD8.01"}, None, "GoPro"),
        ({"encoder": "DJI Mavic", "model": "FC3170"}, None, "DJI FC3170"),
        ({"date": "2024"}, Taken(datetime(2024, 1, 1), "video"), None),
        (
            {"date": "2024", "creation_time": "2024-05-01T09:03:09Z"},
            Taken(datetime(2024, 5, 1, 9, 3, 9), "video", 0),
            None,
        ),
        ({"date": "2024-05-01T12:03:04+03:00"}, Taken(datetime(2024, 5, 1, 12, 3, 4), "video", 180), None),
        ({b"bytes": 1, "a": None, "b": [1], "make": b"\xff\0x"}, None, "\ufffdx"),
    ],
)
def test_films_of_many_devices_are_read(tags: dict[Any, Any], taken: Taken | None, camera: str | None) -> None:
    found = from_video_tags(VIDEO, tags)
    assert (found.taken, found.camera) == (taken, camera)


def test_the_location_of_android_is_read() -> None:
    assert from_video_tags(VIDEO, {"location": "+55.7558+037.6173/"}).position == Position(55.7558, 37.6173)


def test_texts_without_end_do_not_stop_the_reader() -> None:
    for endless in (" ", "1", "dsc1", "- ", "2020-", "1/", "a|", "(1)"):
        long = endless * (200_000 // len(endless)) + "x"
        names = ("exif:DateTimeOriginal", "exif:GPSLatitude", "xmp:Rating", "dc:description", "dc:title", "tiff:Model")
        found = facts(with_extended(packet(body="".join(f"<{name}>{long}</{name}>" for name in names))))
        assert (found.taken, found.position, found.rating) == (None, None, None)
        assert len(found.description or "") <= 16 * 1024
        assert from_video_tags(VIDEO, {"date": long, "location": long, "model": long}).taken is None


def test_numbers_without_end_are_none() -> None:
    for endless in ("1e999999999", "9" * 400, "1/0", "nan", "inf", "-1e400"):
        tags = exif({}, {0xA431: "1"}, {1: "N", 3: "E", 29: endless})
        content = picture(exif=tags)
        found = facts(with_xmp(packet(f'exif:FNumber="{endless}" exif:GPSLatitude="{endless}" xmp:Rating="{endless}"')))
        assert (found.exposure, found.position, found.rating) == (None, None, None)
        assert facts(content).taken is None


# XMP


def test_properties_are_read_however_they_are_written() -> None:
    ways = [
        packet('xmp:Rating="3"'),
        packet(body="<xmp:Rating>3</xmp:Rating>"),
        packet(body="<xmp:Rating rdf:parseType='Resource'><rdf:value>3</rdf:value></xmp:Rating>"),
        packet(body="<xmp:Rating><rdf:Description><rdf:value>3</rdf:value></rdf:Description></xmp:Rating>"),
        packet('xmp:Rating="3"').replace(b"xmp:", b"other:").replace(b":xmp=", b":other="),
        b'<?xml version="1.0"?>\n' + packet('xmp:Rating="3"'),
        b"\xef\xbb\xbf<?xpacket begin='\xef\xbb\xbf'?>" + packet('xmp:Rating="3"') + b"<?xpacket end='w'?>\0\0\0",
        packet('xmp:Rating="3"').decode().encode("utf-16"),
    ]
    for way in ways:
        assert xmp.text(xmp.parse(way).get("xmp:Rating")) == "3", way


def test_what_stands_before_a_break_is_read() -> None:
    content = packet('xmp:Rating="3"', "<dc:source>here</dc:source><dc:identifier>cut off</dc:identifier>")
    found = xmp.parse(content[: content.index(b"cut off") + 3])
    assert found == {"xmp:Rating": "3", "dc:source": "here"}


def test_entities_are_not_expanded() -> None:
    entities = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    bomb = f'<!DOCTYPE x [<!ENTITY a "{"a" * 100}">{entities}<!ENTITY file SYSTEM "file:///etc/passwd">]>'.encode()
    for body in ("&i;", "&file;"):
        assert xmp.parse(bomb + packet(body=f"<dc:source>{body}</dc:source>")) == {}
        assert xmp.parse(b"<?xml version='1.0'?>" + bomb + packet(body=f"<dc:source>{body}</dc:source>")) == {}


def test_depth_numbers_and_size_have_ends() -> None:
    deep = "<dc:source rdf:parseType='Resource'>" * 50_000 + "</dc:source>" * 50_000
    assert len(str(xmp.parse(packet('xmp:Rating="3"', deep)))) < 10_000
    many = "<dc:subject><rdf:Bag>" + "<rdf:li>a</rdf:li>" * 100_000 + "</rdf:Bag></dc:subject>"
    assert len(xmp.texts(xmp.parse(packet(body=many)).get("dc:subject"))) <= 50_000
    assert xmp.parse(packet(body=f"<dc:source>{'a' * (5 << 20)}</dc:source>")) == {}


def test_what_editors_write_by_the_megabyte_hides_nothing() -> None:
    many = (
        "<photoshop:DocumentAncestors><rdf:Bag>"
        + "<rdf:li>a</rdf:li>" * 100_000
        + "</rdf:Bag></photoshop:DocumentAncestors>"
    )
    assert xmp.parse(packet(body=many + "<xmp:Rating>3</xmp:Rating>")) == {"xmp:Rating": "3"}


def test_the_extension_of_a_packet_is_put_together() -> None:
    found = facts(with_extended(packet(body=f"<dc:source>{'long ' * 20_000}</dc:source>"), 'xmp:Rating="3"'))
    assert found.rating == 3
    assert found.raw["Xmp.dc.source"].startswith("long long")


# Nothing breaks it


NOISE: dict[str, bytes] = {
    "nothing": b"",
    "JPEG": picture(exif=CAMERA)[:800],
    "PNG": picture("PNG", exif=CAMERA)[:300],
    "WebP": picture("WEBP", exif=CAMERA),
    "TIFF": CAMERA.tobytes()[6:],
    "HEIF": heif()[:3000],
    "JPEG XL": jxl(),
    "CR3": canon_raw()[:1500],
}


@pytest.mark.parametrize("name", NOISE)
@settings(max_examples=40, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 3000), st.binary(min_size=1, max_size=8)), max_size=20),
    cut=st.integers(0, 4000),
    kind=st.sampled_from(["photo", "video", "other"]),
)
def test_broken_metadata_is_less_metadata(name: str, changes: list[tuple[int, bytes]], cut: int, kind: Kind) -> None:
    content = bytearray(NOISE[name])
    for place, some in changes:
        if content:
            at = place % len(content)
            content[at : at + len(some)] = some
    found = facts(bytes(content[: len(content) - cut % (len(content) + 1)]), replace(PROBE, kind=kind))
    assert Facts.from_json(json.loads(json.dumps(found.to_json()))) == found


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes_can_be_given_to_any_parser(content: bytes) -> None:
    assert isinstance(xmp.parse(content), dict)
    assert isinstance(xmp.parse(packet(body=content.decode("latin-1"))), dict)
    assert isinstance(iptc.parse(content), dict)
    assert isinstance(taken_from_name(content.decode("latin-1")), Taken | None)
    for begin in (b"", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x10ftyp"):
        assert facts(begin + content).format == "jpeg"


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=30), st.text(max_size=200) | st.integers() | st.binary(max_size=20)))
def test_any_tags_of_a_film_can_be_stored(tags: dict[str, Any]) -> None:
    found = from_video_tags(VIDEO, {**tags, "date": str(tags), "location": str(tags)})
    assert Facts.from_json(json.loads(json.dumps(found.to_json()))) == found


CLOSED = """
import io, resource, sys
from archive.media.facts import Probe
from archive.media.metadata.describe import read
contents = [open(path, "rb").read() for path in sys.argv[1:]]
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
for content in contents:
    for some in (content, content[:-50], content[::-1]):
        found = read(io.BytesIO(some), Probe("jpeg", "image/jpeg", "photo"))
        found.from_json(found.to_json())
    found = read(io.BytesIO(content), Probe("jpeg", "image/jpeg", "photo"))
    print(found.title, found.description, found.creator)
"""


def test_a_child_that_can_open_nothing_reads_all_the_same(tmp_path: Path) -> None:
    old = {0x010E: "Вечер у моря".encode("cp1251"), 0x013B: "José".encode("cp1252")}
    contents = [
        picture(exif=exif({**old, 0x9C9B: "Окно".encode("utf-16le")})),
        with_xmp(packet(body="<dc:title>Ночь</dc:title>").decode().encode("utf-16")),
        heif(),
    ]
    paths = [tmp_path / str(number) for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", CLOSED, *map(str, paths)], cwd=ROOT, capture_output=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["Окно Вечер у моря José", "Ночь None None"]


# JSON

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
ANY_FACTS = st.builds(
    Facts,
    format=TEXTS,
    media_type=TEXTS,
    kind=st.sampled_from(["photo", "video", "sidecar", "other"]),
    width=st.none() | st.integers(0, 2**31 - 1),
    taken=st.none()
    | st.builds(
        Taken,
        st.datetimes(),
        st.sampled_from(["exif", "xmp", "iptc", "video", "name"]),
        st.none() | st.integers(-840, 840),
        st.none() | TEXTS,
    ),
    exposure=st.none() | st.builds(Exposure, NUMBERS, TEXTS, NUMBERS, st.integers(0, 2**31), flash=st.booleans()),
    position=st.none() | st.builds(Position, st.floats(-90, 90), st.floats(-180, 180), st.none() | NUMBERS),
    rating=st.none() | st.integers(-1, 5),
    title=st.none() | TEXTS,
    keywords=st.lists(TEXTS, max_size=3).map(tuple),
    people=st.lists(st.builds(Person, TEXTS, NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=3).map(tuple),
    motion=st.none() | st.builds(Motion, st.integers(1, 2**62), st.integers(1, 2**62)),
    raw=st.dictionaries(TEXTS, JSON, max_size=4),
)


@settings(max_examples=200, deadline=None)
@given(ANY_FACTS)
def test_facts_come_back_from_json_as_they_were(whole: Facts) -> None:
    assert Facts.from_json(json.loads(json.dumps(whole.to_json()))) == whole


BASE = {"format": "jpeg", "media_type": "image/jpeg", "kind": "photo"}


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        None,
        {},
        {"format": "jpeg"},
        {**BASE, "kind": "song"},
        {**BASE, "width": "40"},
        {**BASE, "width": True},
        {**BASE, "width": 1 << 70},
        {**BASE, "width": 1 << 31},
        {**BASE, "height": -1},
        {**BASE, "orientation": 9},
        {**BASE, "rating": 6},
        {**BASE, "unknown": 1},
        {**BASE, "position": {"latitude": 91.0, "longitude": 0.0}},
        {**BASE, "motion": {"offset": -1, "length": 5}},
        {**BASE, "taken": {"local": "2024-05-01T12:03:04", "source": "exif", "offset": 900}},
        {**BASE, "taken": {"local": "2024-05-01T12:03:04Z", "source": "exif"}},
        {**BASE, "title": "a\0b"},
        {**BASE, "title": "a\ud800"},
        {**BASE, "title": "a" * 100_000},
        {**BASE, "position": {"latitude": float("nan"), "longitude": 0}},
        {**BASE, "position": {"latitude": 1.0}},
        {**BASE, "taken": {"local": "soon", "source": "exif"}},
        {**BASE, "people": [1]},
        {**BASE, "raw": {"a": "\0"}},
        {**BASE, "raw": []},
    ],
)
def test_json_that_a_child_could_not_have_meant_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the one error, with many texts
        Facts.from_json(wrong)


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def test_json_too_deep_is_refused() -> None:
    with pytest.raises(ValueError, match="deep"):
        Facts.from_json({**BASE, "raw": {"a": nested(100)}})


def test_raw_tags_are_cut_to_what_a_row_should_hold() -> None:
    def size(value: Any) -> int:
        return len(json.dumps(value, ensure_ascii=False).encode())

    tags: Iterable[tuple[str, Any]] = ((f"tag{number}", "ы" * 5000) for number in range(1000))
    kept = bounded({**dict(tags), "list": list(range(5000))})
    assert size(kept) <= WHOLE_BYTES
    assert all(size(value) <= VALUE_BYTES for value in kept.values())
    assert len(kept) > 50
    assert bounded({"a": b"12345", "b": "\0x\ud800", "c": ["\0"]}) == {"a": "(5 bytes)", "b": "x", "c": [""]}
    assert size(bounded({"a": "\x01" * 5000})) <= VALUE_BYTES + 20
