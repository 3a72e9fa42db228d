"""XMP sidecars: what is written is read back the same, here and by others, and counts more than the file's own."""

# ruff: noqa: RUF001  # wall clocks have no zone; Russian is written in Cyrillic
from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import exiv2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.media.facts import Exposure, Facts, Person, Position, Taken
from archive.media.metadata.describe import read_sidecar
from archive.media.sidecar import Corrections, merge, write_sidecar

WHOLE = Corrections(
    title='Дом <&> "у моря" \']]>',
    description="First line\nsecond\r\nthird",
    rating=4,
    keywords=("places/Russia/Moscow", "sea", "a & b"),
    taken=Taken(datetime(2024, 5, 1, 12, 3, 4, 170000), "xmp", -210, "17"),
    position=Position(-55.7558123, 37.6173, -12.3, 90.5, 4.0),
    people=(Person("Анна & Борис", 0.1, 0.2, 0.3, 0.4), Person("Others", 0.5, 0.5, 0.25, 0.25)),
)


def properties(content: bytes) -> dict[str, str]:
    image = exiv2.ImageFactory.open(content)
    image.readMetadata()
    return {datum.key(): datum.toString() for datum in image.xmpData()}


def test_what_is_written_is_read_back() -> None:
    found = read_sidecar(write_sidecar(WHOLE))
    assert (found.kind, found.format) == ("sidecar", "xmp")
    for name in ("title", "description", "rating", "keywords", "taken", "position"):
        assert getattr(found, name) == getattr(WHOLE, name), name
    assert [person.name for person in found.people] == ["Анна & Борис", "Others"]
    for one, other in zip(found.people, WHOLE.people or (), strict=True):
        assert (one.left, one.top, one.width, one.height) == pytest.approx(
            (other.left, other.top, other.width, other.height), abs=2e-6
        )


def test_others_read_it_by_the_standards_names() -> None:
    found = properties(write_sidecar(replace(WHOLE, width=4000, height=3000)))
    assert found["Xmp.dc.title"] == 'lang="x-default" Дом <&> "у моря" \']]>'
    assert found["Xmp.dc.subject"] == "Moscow, sea, a & b"
    assert found["Xmp.lr.hierarchicalSubject"] == "places|Russia|Moscow"
    assert found["Xmp.xmp.Rating"] == "4"
    assert found["Xmp.exif.DateTimeOriginal"] == found["Xmp.photoshop.DateCreated"] == "2024-05-01T12:03:04.17-03:30"
    assert found["Xmp.exif.GPSLatitude"] == "55,45.3487380S"
    assert found["Xmp.exif.GPSLongitude"] == "37,37.0380000E"
    assert (found["Xmp.exif.GPSAltitude"], found["Xmp.exif.GPSAltitudeRef"]) == ("1230/100", "1")
    assert found["Xmp.iptcExt.PersonInImage"] == "Анна & Борис, Others"
    region = "Xmp.mwg-rs.Regions/mwg-rs:RegionList[1]/mwg-rs:"
    assert (found[region + "Name"], found[region + "Type"]) == ("Анна & Борис", "Face")
    assert found["Xmp.mwg-rs.Regions/mwg-rs:AppliedToDimensions/stDim:w"] == "4000"


def test_what_nobody_touched_is_not_written() -> None:
    assert properties(write_sidecar(Corrections())) == {}
    taken_away = properties(write_sidecar(Corrections(title="", keywords=(), people=())))
    assert re.search("dc.title", " ".join(taken_away))
    assert read_sidecar(write_sidecar(Corrections(title="", keywords=(), people=()))).title is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_faces_are_written_as_the_picture_is_stored(orientation: int) -> None:
    corrections = Corrections(people=(Person("Anna", 0.1, 0.2, 0.3, 0.4),), orientation=orientation)
    facts = Facts("jpeg", "image/jpeg", "photo", orientation=orientation)
    (person,) = merge(facts, read_sidecar(write_sidecar(corrections))).people
    assert (person.left, person.top, person.width, person.height) == pytest.approx((0.1, 0.2, 0.3, 0.4), abs=2e-6)


OWN = Facts(
    "jpeg",
    "image/jpeg",
    "photo",
    width=40,
    height=30,
    orientation=6,
    taken=Taken(datetime(2001, 1, 1), "exif"),
    camera_make="Canon",
    camera_model="Canon EOS R5",
    camera="Canon EOS R5",
    exposure=Exposure(iso=100),
    rating=1,
    title="Own",
    keywords=("own",),
    raw={"Exif.Image.Make": "Canon"},
)


def test_a_sidecar_counts_field_by_field() -> None:
    found = merge(OWN, read_sidecar(write_sidecar(Corrections(rating=5, taken=WHOLE.taken))))
    assert found == replace(OWN, rating=5, taken=WHOLE.taken)
    assert merge(OWN, read_sidecar(b"no XMP")) == OWN


def test_a_sidecar_of_a_raw_file_says_all_that_editors_write() -> None:
    content = b"""<?xml version="1.0" encoding="UTF-8"?>
    <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
      xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" tiff:Make="NIKON CORPORATION" tiff:Model="NIKON D750"
      exif:ExposureTime="1/250" exif:FNumber="28/10" exif:FocalLength="500/10" aux:Lens="50.0 mm f/1.8"
      aux:SerialNumber="3206777" exif:DateTimeOriginal="2024-05-01T12:03:04.17">
      <exif:ISOSpeedRatings><rdf:Seq><rdf:li>400</rdf:li></rdf:Seq></exif:ISOSpeedRatings>
      <exif:Flash exif:Fired="False"/>
    </rdf:Description></rdf:RDF></x:xmpmeta>"""
    found = read_sidecar(content)
    assert (found.camera, found.lens, found.camera_serial) == ("Nikon D750", "50.0 mm f/1.8", "3206777")
    assert found.exposure == Exposure(2.8, "1/250", 0.004, 400, 50.0, flash=False)
    assert found.taken == Taken(datetime(2024, 5, 1, 12, 3, 4, 170000), "xmp", None, "17")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000) | st.text(max_size=1000).map(lambda text: text.encode("utf-16", "replace")))
def test_anything_may_call_itself_a_sidecar(content: bytes) -> None:
    assert read_sidecar(content).kind == "sidecar"
    assert merge(OWN, read_sidecar(content)).kind == "photo"


def visible(text: str) -> str:
    return re.sub("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]", "", text).strip()


@settings(max_examples=150, deadline=None)
@given(
    title=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50),
    keywords=st.lists(st.text("абв <>&'\"\\]-", min_size=1, max_size=8), max_size=4),
    rating=st.none() | st.integers(-1, 5),
    taken=st.none()
    | st.builds(
        lambda local, offset: Taken(local.replace(microsecond=0), "xmp", offset),
        st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
        st.none() | st.integers(-839, 839),
    ),
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
)
def test_any_correction_survives_the_way_there_and_back(
    title: str, keywords: list[str], rating: int | None, taken: Taken | None, latitude: float, longitude: float
) -> None:
    position = Position(latitude, longitude)
    content = write_sidecar(Corrections(title, None, rating, tuple(keywords), taken, position))
    ET.fromstring(content)
    found = read_sidecar(content)
    assert (found.title or "") == visible(title)
    assert found.rating == rating
    said: dict[str, Any] = {visible(one).casefold(): 1 for one in keywords if visible(one)}
    assert {one.casefold() for one in found.keywords} == said.keys()
    if found.taken is not None:
        assert found.taken == taken
    if found.position is not None:
        assert (found.position.latitude, found.position.longitude) == pytest.approx((latitude, longitude), abs=1e-7)
