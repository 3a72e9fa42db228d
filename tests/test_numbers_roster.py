"""Rosters: a reading is somebody's number for certain, likely, or it is said that it may be several or nobody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.numbers.decode import Character
from ml.numbers.geometry import box
from ml.numbers.reading import Kind, Reading
from ml.numbers.roster import Certainty, Roster


def reading(
    text: str, confidence: float = 0.99, others: dict[int, tuple[tuple[str, float], ...]] | None = None
) -> Reading:
    characters = tuple(Character(c, confidence, (others or {}).get(place, ())) for place, c in enumerate(text))
    return Reading(Kind.BIB, text, box(0, 0, 9, 9), 1, 0.9, confidence, False, characters, (), {}, "m")


def test_what_is_in_the_roster_is_certain() -> None:
    found = Roster(["1478", "1473", "22"]).match(reading("1478"))
    assert (found.certainty, found.number) == (Certainty.CERTAIN, "1478")


def test_a_doubt_between_two_of_the_roster_is_told() -> None:
    doubt = reading("1478", 0.55, {3: (("3", 0.45),)})
    found = Roster(["1478", "1473"]).match(doubt)
    assert found.certainty is Certainty.AMBIGUOUS
    assert found.number is None
    assert [number for number, _ in found.numbers] == ["1478", "1473"]
    assert Roster(["1473"]).match(doubt).number == "1473"


def test_a_misreading_that_is_nobodys_becomes_who_looks_like_it() -> None:
    found = Roster(["1478", "9921"]).match(reading("147B"))
    assert found.number == "1478"
    assert found.certainty in {Certainty.LIKELY, Certainty.CERTAIN}


def test_an_advert_is_nobody() -> None:
    assert Roster(["1478", "1473"]).match(reading("5000")).certainty is Certainty.NONE


def test_a_clipped_number_is_never_certain() -> None:
    found = Roster(["71517", "2"]).match(reading("1517"))
    assert found.certainty is not Certainty.CERTAIN
    assert found.numbers[0][0] == "71517"


@pytest.mark.parametrize(
    ("text", "certainty"),
    [("1?17", Certainty.AMBIGUOUS), ("12?7", Certainty.CERTAIN), ("9?99", Certainty.NONE), ("", Certainty.NONE)],
)
def test_what_could_not_be_seen_is_typed_as_a_question_mark(text: str, certainty: Certainty) -> None:
    assert Roster(["1217", "1317", "1417", "555"]).match_text(text).certainty is certainty


@given(st.lists(st.from_regex(r"[1-9][0-9]{2,4}", fullmatch=True), min_size=1, max_size=30, unique=True), st.data())
def test_a_sure_reading_is_never_matched_to_another(numbers: list[str], data: st.DataObject) -> None:
    seen = data.draw(st.sampled_from(numbers))
    assert Roster(numbers).match(reading(seen)).number == seen
