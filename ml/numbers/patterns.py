"""The patterns of numbers: a small language, expanded into forms, each a row of sets of characters.

L letter of the country   D digit   A either   [AB1-3] one of these   a..z that very letter   0..9 that very digit
{2,4} repeated   ? may be missing   space: a gap, where seals and hyphens stand   / the second row
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

from ml.numbers.alphabet import DIGITS, INDEX
from ml.numbers.errors import GrammarInvalid

_TOKEN = re.compile(r"(\[[^\]]+\]|[LDA]|[a-z0-9]|[ /])(?:\{(\d+)(?:,(\d+))?\}|(\?))?")
_LONGEST = 12
_MOST_FORMS = 200


@dataclass(frozen=True, slots=True)
class Form:
    """One positional shape of a number: the characters that each place admits, and where gaps and the row break are."""

    places: tuple[frozenset[str], ...]
    gaps: tuple[int, ...]
    row_break: int | None

    @property
    def rows(self) -> int:
        """Give the rows it is written in."""
        return 1 if self.row_break is None else 2

    def admits(self, text: str) -> bool:
        """Tell whether a text has this shape."""
        return len(text) == len(self.places) and all(c in place for c, place in zip(text, self.places, strict=True))

    def grouped(self, text: str) -> list[str]:
        """Give a text of this shape in its groups."""
        cuts = [0, *self.gaps, len(text)]
        return [text[start:end] for start, end in pairwise(cuts) if end > start]


def expand(pattern: str, letters: str) -> tuple[Form, ...]:
    """Give every form of a pattern."""
    choices = list(_choices(pattern, letters))
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > _MOST_FORMS:
        raise GrammarInvalid(f"{pattern!r} has {count} forms; at most {_MOST_FORMS} are allowed")
    forms = tuple(dict.fromkeys(_form(picked) for picked in product(*choices)))
    if any(not 1 <= len(form.places) <= _LONGEST for form in forms):
        raise GrammarInvalid(f"{pattern!r} admits numbers that are empty or longer than {_LONGEST} characters")
    return forms


_Step = frozenset[str] | str


def _choices(pattern: str, letters: str) -> Iterator[list[list[_Step]]]:
    place = 0
    while place < len(pattern):
        match = _TOKEN.match(pattern, place)
        if match is None:
            raise GrammarInvalid(f"{pattern!r} cannot be understood from {pattern[place:]!r} on")
        token, least, most, maybe = match.groups()
        low = 0 if maybe else int(least or 1)
        high = 1 if maybe else int(most or least or 1)
        if high < low or high > _LONGEST:
            raise GrammarInvalid(f"{pattern!r} repeats {token!r} {low} to {high} times")
        step = _step(token, letters)
        yield [[step] * times for times in range(low, high + 1)]
        place = match.end()


def _step(sign: str, letters: str) -> _Step:
    if sign in " /":
        return sign
    if sign in "LDA":
        return frozenset({"L": letters, "D": DIGITS, "A": letters + DIGITS}[sign])
    characters = _set(sign[1:-1]) if sign.startswith("[") else sign.upper()
    if not characters or any(character not in INDEX for character in characters):
        raise GrammarInvalid(f"{sign!r} names characters that no number has")
    return frozenset(characters)


def _set(inside: str) -> str:
    ranges = re.sub(r"(.)-(.)", lambda ends: "".join(map(chr, range(ord(ends[1]), ord(ends[2]) + 1))), inside)
    return ranges.upper()


def _form(picked: tuple[list[_Step], ...]) -> Form:
    places: list[frozenset[str]] = []
    gaps: list[int] = []
    row_break: int | None = None
    for step in (step for steps in picked for step in steps):
        if isinstance(step, frozenset):
            places.append(step)
            continue
        if step == "/":
            row_break = len(places)
        if places and len(places) not in gaps:
            gaps.append(len(places))
    return Form(tuple(places), tuple(gap for gap in gaps if gap < len(places)), row_break)
