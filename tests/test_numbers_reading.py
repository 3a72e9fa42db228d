"""Reading whole pictures that are drawn here: what is found, told apart, refused, and how certain it is."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ml.numbers.errors import ModelDamaged
from ml.numbers.geometry import alike, around, box, cut, grown, overlap, size
from ml.numbers.grammar import chosen
from ml.numbers.pipeline import NumberReader, Options
from ml.numbers.reading import Kind, Reading
from ml.numbers.regions import regions
from ml.numbers.sessions import WEIGHTS
from ml.numbers.text_lines import TextLine
from ml.training.generate.glyphs import FAMILIES
from ml.training.generate.lettering import Face, line

Picture = NDArray[np.uint8]


@cache
def reader() -> NumberReader:
    return NumberReader()


def scene(*rows: str, family: str = "din", tall: int = 48, size_: tuple[int, int] = (480, 640)) -> Picture:
    """A light plate with rows of characters on a dark, slightly noisy ground."""
    random = np.random.default_rng(1)
    picture = random.integers(70, 90, (*size_, 3)).astype(np.uint8)
    masks = [line(row.split(), Face(FAMILIES[family]), tall, 0.3)[0] for row in rows]
    wide, high = max(mask.shape[1] for mask in masks) + 40, len(rows) * (tall + 14) + 22
    top, left = (size_[0] - high) // 2, (size_[1] - wide) // 2
    picture[top : top + high, left : left + wide] = 232
    for place, mask in enumerate(masks):
        y, x = top + 16 + place * (tall + 14), left + (wide - mask.shape[1]) // 2
        part = picture[y : y + tall, x : x + mask.shape[1]]
        part[mask > 127] = 25
    blurred = cv2.GaussianBlur(picture, (0, 0), 0.8)
    return np.asarray(blurred, np.uint8)


def texts(readings: list[Reading]) -> list[str]:
    return [reading.text for reading in readings]


def test_a_plate_is_read_with_its_place_and_its_characters() -> None:
    [reading] = reader().read(scene("AB 123 CD"))
    assert reading.text == "AB123CD"
    assert reading.kind is Kind.PLATE
    assert reading.country in {"FR", "IT", "AR", "SK", "HR", "SI"}
    assert overlap(reading.corners, box(220, 200, 200, 80)) > 0.5
    assert "".join(one.character for one in reading.characters) == reading.text
    assert all(0 < one.confidence <= 1 for one in reading.characters)
    assert json.loads(json.dumps(reading.document()))["text"] == "AB123CD"


def test_corners_are_told_in_pixels_of_the_original() -> None:
    [reading] = reader().read(scene("AB 123 CD"))
    once, twice = reading.document(), reading.document(scale=2.0)
    assert twice["corners"][0][0] == pytest.approx(2 * once["corners"][0][0], abs=0.2)


def test_two_rows_are_one_number() -> None:
    found = reader().read(scene("51F", "12345", tall=56), Options(countries=("VN",), kinds=frozenset({Kind.PLATE})))
    assert "51F12345" in texts(found)
    assert found[0].rows == 2


def test_digits_are_a_bib() -> None:
    found = reader().read(scene("1478", family="sans", tall=70))
    assert texts(found)[:1] == ["1478"]
    assert found[0].kind is Kind.BIB
    assert found[0].country is None
    plates = reader().read(scene("1478", family="sans", tall=70), Options(kinds=frozenset({Kind.PLATE})))
    assert all(reading.kind is Kind.PLATE for reading in plates)


def test_a_country_that_is_expected_decides_what_is_alike() -> None:
    picture = scene("BA 1O3 AB")
    expected = reader().read(picture, Options(countries=("SK",), kinds=frozenset({Kind.PLATE})))
    assert texts(expected)[:1] == ["BA103AB"]


def test_a_crop_is_read_alone() -> None:
    whole = scene("AB 123 CD")
    crop = cut(whole, grown(box(205, 200, 230, 80), 4, 4))
    reading = reader().read_crop(crop)
    assert reading is not None
    assert reading.text == "AB123CD"


@pytest.mark.parametrize("text", ["12 34", "HOTEL", "CAFE"])
def test_words_are_never_accepted_unseen(text: str) -> None:
    assert not any(reading.accepted for reading in reader().read(scene(text, family="sans")) if reading.text != "1234")


def test_each_part_can_be_left_out() -> None:
    picture = scene("AB 123 CD")
    for options in (Options(own=False), Options(general=False), Options(grammar=False), Options(zoom=False)):
        assert all(reading.text for reading in reader().read(picture, options))


# Bad input


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((480, 640, 3), np.uint8),
        np.full((480, 640, 3), 255, np.uint8),
        np.zeros((20, 20, 3), np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((3, 900, 3), np.uint8),
        np.random.default_rng(1).integers(0, 255, (200, 300, 3)).astype(np.uint8),
    ],
    ids=["black", "white", "20 px", "one pixel", "a thread", "noise"],
)
def test_where_there_is_no_number_none_is_accepted(picture: Picture) -> None:
    assert not any(reading.accepted for reading in reader().read(picture))


@pytest.mark.parametrize("turn", ["mirrored", "upside down"])
def test_what_is_mirrored_or_upside_down_is_not_taken_for_certain(turn: str) -> None:
    picture = scene("AB 123 CD")
    wrong = np.ascontiguousarray(picture[:, ::-1] if turn == "mirrored" else picture[::-1, ::-1])
    assert not any(reading.accepted for reading in reader().read(wrong))


def test_a_page_of_text_gives_nothing_certain() -> None:
    page = np.full((700, 520, 3), 245, np.uint8)
    for row in range(20):
        cv2.putText(
            page, "the runner with the number on the road", (20, 40 + row * 32), 0, 0.7, (20, 20, 20), 1, cv2.LINE_AA
        )
    assert not any(reading.accepted for reading in reader().read(page))


def damaged(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    return folder


def test_weights_that_are_not_those_of_their_record_are_refused(tmp_path: Path) -> None:
    folder = damaged(tmp_path)
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(ModelDamaged, match="is not the model of its record"):
        NumberReader(folder)


@pytest.mark.parametrize("name", ["model.onnx", "record.json"])
def test_weights_that_are_missing_are_named(tmp_path: Path, name: str) -> None:
    folder = damaged(tmp_path)
    (folder / name).unlink()
    with pytest.raises(ModelDamaged, match=name):
        NumberReader(folder)


def test_a_record_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    folder = damaged(tmp_path)
    (folder / "record.json").write_text("{")
    with pytest.raises(ModelDamaged, match=r"record\.json"):
        NumberReader(folder)


def test_the_weights_that_come_along_are_small_and_recorded() -> None:
    record = json.loads((WEIGHTS / "record.json").read_text())
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) < 12 << 20
    assert {"sha256", "data", "training", "licence", "parameters", "kinds"} <= record.keys()
    assert set(record["kinds"]) >= {country.code for country in chosen(["DE", "RU", "US", "BR"])} | {"bib", "none"}


# Regions


def lines(*boxes: tuple[float, float, float, float]) -> list[TextLine]:
    return [TextLine(box(*one), 0.9) for one in boxes]


def test_rows_above_each_other_are_offered_together() -> None:
    found = regions(lines((100, 100, 80, 40), (90, 150, 100, 42)))
    assert sum(len(region.rows) == 2 for region in found) == 1
    assert sum(len(region.rows) == 1 for region in found) == 2


def test_parts_beside_each_other_are_offered_together_even_three() -> None:
    found = regions(lines((100, 100, 60, 40), (170, 101, 60, 40), (240, 104, 40, 30)))
    widths = [size(region.corners)[0] for region in found if len(region.rows) == 1]
    assert max(widths) == pytest.approx(180, abs=2)


def test_what_stands_apart_stays_apart() -> None:
    found = regions(lines((0, 0, 60, 20), (400, 300, 60, 20)))
    assert len(found) == 2


def test_corners_around_slanted_parts_keep_their_slant() -> None:
    first = np.array([[0, 0], [40, 10], [38, 30], [-2, 20]], np.float32)
    whole = around([first, first + np.array([50, 12], np.float32)])
    slant = (whole[1] - whole[0])[1] / (whole[1] - whole[0])[0]
    assert slant == pytest.approx(0.25, abs=0.05)
    assert alike(first, first)
