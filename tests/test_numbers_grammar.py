"""Grammars of countries: the language of patterns, the files, and what a user adds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.numbers.alphabet import CHARACTERS, folded, normalized
from ml.numbers.errors import GrammarInvalid
from ml.numbers.grammar import bibs, chosen, countries
from ml.numbers.patterns import expand
from ml.numbers.prior import Prior
from ml.training.generate.plate import invented

EXAMPLES = {
    "RU": ["A123BC77", "M008KA777", "K700EO199", "1234AB77", "AB123477", "AK12377", "001CD177", "A123477"],
    "BY": ["1234AB7", "E123AB7", "AB12345"],
    "UA": ["AA1234BB", "6808XO", "10922BX"],
    "KZ": ["123ABC02"],
    "DE": ["BAB123", "MXY1234", "HHA1E"],
    "GB": ["AB12CDE", "A123BCD"],
    "TR": ["34ABC123"],
    "IL": ["12345678", "1234567"],
    "US": ["4CVU806", "ABC1234", "SUNNY1"],
    "BR": ["ABC1234", "ABC1D23"],
    "AR": ["AB123CD", "ABC123", "A123BCD"],
    "MY": ["WXY1234"],
    "ID": ["B1234XYZ"],
    "VN": ["51F12345", "59A112345"],
    "PH": ["ABC1234"],
    "SG": ["SBA1234A"],
    "IN": ["MH12AB1234", "22BH1234AA"],
    "SK": ["BA123AB"],
    "FR": ["AA123AA"],
}


def forms(code: str) -> list[object]:
    return [form for country in chosen([code]) for series in country.series for form in series.forms]


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in EXAMPLES.items() for text in texts])
def test_numbers_as_countries_write_them_are_admitted(code: str, text: str) -> None:
    [country] = chosen([code])
    assert any(form.admits(text) for series in country.series for form in series.forms)


@pytest.mark.parametrize(
    ("code", "text"), [("RU", "A123BC377"), ("RU", "D123BC77"), ("FR", "IA123AA"), ("BR", "ABCD123"), ("IL", "A234567")]
)
def test_numbers_that_a_country_does_not_write_are_not(code: str, text: str) -> None:
    [country] = chosen([code])
    assert not any(form.admits(text) for series in country.series for form in series.forms)


def test_every_country_can_be_drawn_from_and_admits_what_is_drawn() -> None:
    random = np.random.default_rng(1)
    for country in countries():
        for series in country.series:
            for form in series.forms:
                text = invented(form, random)
                assert form.admits(text)
                assert "".join(form.grouped(text)) == text


@given(st.text(alphabet="LDAxyz09", min_size=1, max_size=8), st.integers(0, 2**32))
def test_what_a_pattern_says_is_what_its_forms_admit(pattern: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    for form in expand(pattern, "ABC"):
        text = invented(form, random)
        assert form.admits(text)
        assert len(text) == len(pattern)
        assert not form.admits(text + "0")


def test_repetition_choice_gap_and_row_break() -> None:
    found = expand("L{1,2} [A1-3]D?/xD", "Z")
    assert {len(form.places) for form in found} == {4, 5, 6}
    assert all(form.rows == 2 for form in found)
    longest = max(found, key=lambda form: len(form.places))
    assert longest.admits("ZZA7X9")
    assert longest.grouped("ZZA7X9") == ["ZZ", "A7", "X9"]


@pytest.mark.parametrize("pattern", ["L(", "L{3,1}", "[]", "L{99}", "[é]", "", "A{1,12} L{1,12} D{1,12}", "é"])
def test_a_pattern_that_says_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(GrammarInvalid):
        expand(pattern, "ABC")


def test_a_user_adds_a_country_in_a_few_lines(tmp_path: Path) -> None:
    (tmp_path / "xx.toml").write_text(
        'country = "XX"\nname = "Examplia"\n[[series]]\nname = "car"\npatterns = ["xxDDD"]\n'
    )
    [added] = chosen(["xx"], tmp_path)
    assert added.series[0].forms[0].admits("XX123")
    prior = Prior(chosen(["XX"], tmp_path))
    assert next(iter(prior.judged("XX123", prior.believed({})).countries)) == "XX"


@pytest.mark.parametrize(
    "content",
    [
        'country = "XX"',
        "not toml at all [",
        'country = "XX"\nname = "X"\nseries = []',
        'country = "XX"\nname = "X"\n[[series]]\nname = "a"\npatterns = ["L{"]',
        'country = "XX"\nname = "X"\nweight = "much"\n[[series]]\nname = "a"\npatterns = ["L"]',
    ],
)
def test_a_file_that_cannot_be_understood_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.toml").write_text(content)
    with pytest.raises(GrammarInvalid, match=r"bad\.toml"):
        countries(tmp_path)


def test_an_unknown_country_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(GrammarInvalid, match="AR, AT"):
        chosen(["QQ"])


def test_a_prior_prefers_what_is_written_somewhere_to_what_is_not() -> None:
    prior = Prior([*countries(), bibs()])
    believed = prior.believed({})
    assert prior.judged("AA123BB", believed).log > prior.judged("0A1Z3B8", believed).log
    assert "BIB" in prior.judged("1478", believed).countries
    assert sum(prior.judged("BA123AB", believed).countries.values()) == pytest.approx(1, abs=0.01)


def test_what_the_reader_sees_of_the_country_counts() -> None:
    prior = Prior(countries())
    seen = prior.judged("AB1234CE", prior.believed({"UA": 0.9, "HR": 0.01})).countries
    assert max(seen, key=lambda code: seen[code]) == "UA"


@given(st.text(max_size=12))
def test_normalizing_gives_characters_of_numbers_and_is_done_once(text: str) -> None:
    once = normalized(text)
    assert set(once) <= set(CHARACTERS)
    assert normalized(once) == once
    assert folded(folded(once)) == folded(once)


def test_lookalikes_of_other_scripts_are_read_as_latin() -> None:
    assert normalized("м 008 ка-777") == "M008KA777"
    assert normalized("ä ö ü é") == "AOUE"
