"""Decoding: exact sums over alignments, the best of each shape, and what the grammar does to them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.numbers import ctc
from ml.numbers.alphabet import BLANK, CHARACTERS, INDEX
from ml.numbers.ctc import Floats, Lattice
from ml.numbers.decode import Evidence, decode
from ml.numbers.grammar import bibs, chosen, countries
from ml.numbers.prior import Prior

TEXT = st.text(alphabet=CHARACTERS, min_size=1, max_size=8)


def frames(text: str, sure: float = 0.9, others: dict[int, str] | None = None, length: int = 32) -> Floats:
    """Frames of a reader that sees a text, each character twice, with blanks between."""
    shares = np.full((length, len(CHARACTERS) + 1), 1e-6, np.float32)
    shares[:, BLANK] = 1
    for place, character in enumerate(text):
        for at in (3 * place + 1, 3 * place + 2):
            shares[at] = (1 - sure) / 36
            shares[at, INDEX[character] + 1] = sure
            other = (others or {}).get(place)
            if other:
                shares[at, INDEX[other] + 1] = sure * 0.95
    logs: Floats = np.log(shares / shares.sum(axis=1, keepdims=True))
    return logs


def by_hand(logs: Floats, text: str) -> float:
    """Sum over all ways to write a text into the frames."""
    total = 0.0
    for way in product(range(logs.shape[1]), repeat=len(logs)):
        kept = [now for before, now in zip((BLANK, *way), way, strict=False) if now not in {before, BLANK}]
        if "".join(CHARACTERS[place - 1] for place in kept) == text:
            total += float(np.exp(sum(float(logs[t, place]) for t, place in enumerate(way))))
    return total


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.sampled_from(["", "0", "01", "00", "010"]))
def test_the_probability_of_a_text_is_the_sum_over_its_alignments(seed: int, text: str) -> None:
    shares = np.random.default_rng(seed).dirichlet([1, 1, 1], 4)  # blank, 0 and 1 alone
    small = np.log(shares).astype(np.float32)
    logs = np.full((4, len(CHARACTERS) + 1), -1e9, np.float32)
    logs[:, :3] = small
    found = ctc.scores(logs, [text, "0"])[0]
    wanted = by_hand(small, text)
    if wanted == 0:
        assert found < -1e8
    else:
        assert float(np.exp(found)) == pytest.approx(wanted, rel=1e-4)


@given(TEXT)
def test_what_a_sure_reader_sees_is_read_by_frames_alone(text: str) -> None:
    assert ctc.greedy(frames(text)) == text


@settings(deadline=None)
@given(TEXT)
def test_the_best_of_the_right_shape_is_the_text(text: str) -> None:
    shape = tuple(frozenset(CHARACTERS) for _ in text)
    [best] = Lattice([shape]).best(frames(text), 1)
    assert best.text == text


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_the_best_of_a_shape_has_that_shape(seed: int) -> None:
    random = np.random.default_rng(seed)
    logs = np.log(random.dirichlet(np.full(len(CHARACTERS) + 1, 0.3), 24) + 1e-9).astype(np.float32)
    [country] = chosen(["RU"])
    forms = [form for series in country.series for form in series.forms]
    lattice = Lattice([form.places for form in forms])
    for path in lattice.best(logs, 5):
        assert forms[path.shape].admits(path.text)


def test_twice_the_same_character_needs_a_blank_between() -> None:
    logs = np.full((3, len(CHARACTERS) + 1), -20, np.float32)
    logs[:, INDEX["7"] + 1] = 0
    pair = tuple(frozenset("7") for _ in range(2))
    [path] = Lattice([pair]).best(logs, 1)
    assert path.score <= -20


PRIOR = Prior([*countries(), bibs()])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32))
def test_probabilities_are_probabilities(seed: int) -> None:
    random = np.random.default_rng(seed)
    logs = np.log(random.dirichlet(np.full(len(CHARACTERS) + 1, 0.2), 32) + 1e-9).astype(np.float32)
    found = decode([Evidence(logs, 0.5), Evidence(frames("AB123CD"), 0.7)], PRIOR, {})
    assert 0 < found.probability <= 1 + 1e-6
    assert found.probability + sum(share for _, share in found.alternatives) <= 1 + 1e-5
    for one in found.characters:
        assert found.probability - 1e-6 <= one.confidence <= 1
        assert one.confidence + sum(share for _, share in one.others) <= 1 + 1e-5
    assert "".join(one.character for one in found.characters) == found.text


def test_a_letter_that_may_be_a_digit_is_what_the_grammar_says() -> None:
    seen = frames("BA1O3AB", others={3: "0"})
    assert ctc.greedy(seen) == "BA1O3AB"
    found = decode([Evidence(seen, 1.0)], PRIOR, {"SK": 0.8})
    assert found.text == "BA103AB"
    assert next(iter(found.countries)) in {"SK", "IT"}
    without = Prior([*countries(), bibs()], informed=False)
    assert decode([Evidence(seen, 1.0)], without, {"SK": 0.8}).text == "BA1O3AB"


def test_a_seal_read_as_a_character_is_left_out() -> None:
    seen = frames("RK0565AV", others={})
    seen[7:9] = np.log((np.exp(seen[7:9]) + np.eye(37, dtype=np.float32)[BLANK]) / 2)  # the seal: as likely nothing
    assert decode([Evidence(seen, 1.0)], PRIOR, {"SK": 0.9}).text == "RK565AV"


def test_what_one_reader_doubts_the_other_settles() -> None:
    doubts, knows = frames("WXY1234", others={0: "M"}), frames("MXY1234")
    found = decode([Evidence(doubts, 0.5), Evidence(knows, 0.7)], PRIOR, {})
    assert found.text == "MXY1234"
    assert found.characters[0].confidence > 0.9


def test_readers_that_differ_do_not_agree() -> None:
    found = decode([Evidence(frames("1478"), 0.5), Evidence(frames("1473"), 0.5)], PRIOR, {})
    assert found.text in {"1478", "1473"}
    assert not found.agreed
    assert found.weakest < 0.9
    assert found.alternatives[0][0] in {"1478", "1473"}


def test_nothing_is_read_of_nothing() -> None:
    blank = np.full((32, len(CHARACTERS) + 1), -15, np.float32)
    blank[:, BLANK] = 0
    found = decode([Evidence(blank, 1.0)], PRIOR, {})
    assert found.text == ""
    assert found.weakest == 0
