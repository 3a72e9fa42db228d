"""Which number of a roster a reading is: by what its characters may be, never silently wrong.

A roster makes unsure readings sure, since most misreadings are nobody's number, and it drops adverts and clocks.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ml.numbers.alphabet import normalized
from ml.numbers.decode import TWINS, Character
from ml.numbers.reading import Reading

# How likely a reader takes a character for one that looks like it, for any other, and misses one at an end.
_TWIN, _OTHER, _CLIPPED = 0.01, 0.0002, 0.002
_STRANGER = 0.0005  # how likely somebody reads just this text although it is of nobody in the roster
_CERTAIN, _LIKELY, _POSSIBLE = 0.98, 0.8, 0.02
UNKNOWN = "?"


class Certainty(StrEnum):
    """How far a match may be relied on."""

    CERTAIN = "certain"
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Match:
    """What a roster says of a reading: the numbers it may be, the likeliest first."""

    certainty: Certainty
    numbers: tuple[tuple[str, float], ...]

    @property
    def number(self) -> str | None:
        """Give the number, if it is certain or likely."""
        return self.numbers[0][0] if self.certainty in {Certainty.CERTAIN, Certainty.LIKELY} else None


class Roster:
    """The numbers that take part."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self._by_length: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for number in dict.fromkeys(numbers):
            plain = normalized(number)
            if plain:
                self._by_length[len(plain)].append((number, plain))

    def match(self, reading: Reading) -> Match:
        """Match a reading by what each of its characters may be."""
        return self._match(reading.characters)

    def match_text(self, text: str) -> Match:
        """Match what somebody typed; ``?`` is a character that could not be seen."""
        kept = [UNKNOWN if c == UNKNOWN else plain for c in text if c == UNKNOWN or (plain := normalized(c))]
        return self._match([Character(c, 1.0, ()) for c in kept])

    def _match(self, characters: Sequence[Character]) -> Match:
        found = [(number, _likeness(characters, plain)) for number, plain in self._near(len(characters))]
        whole = sum(share for _, share in found) + _STRANGER
        ranked = sorted(((number, share / whole) for number, share in found), key=lambda item: -item[1])
        possible = tuple(item for item in ranked if item[1] >= _POSSIBLE)[:10]
        return Match(_certainty(possible), possible)

    def _near(self, length: int) -> list[tuple[str, str]]:
        return [one for near in (length - 1, length, length + 1) for one in self._by_length.get(near, ())]


def _certainty(possible: Sequence[tuple[str, float]]) -> Certainty:
    if not possible:
        return Certainty.NONE
    best = possible[0][1]
    if best >= _LIKELY:
        return Certainty.CERTAIN if best >= _CERTAIN else Certainty.LIKELY
    # Less likely than that nobody of the roster was seen: nothing is offered but where several share the likelihood.
    return Certainty.AMBIGUOUS if sum(share for _, share in possible) >= 0.5 else Certainty.NONE


def _likeness(characters: Sequence[Character], number: str) -> float:
    """Give how likely a number is read like this: whole, or with a character missing or too many at one end."""
    if len(characters) == len(number):
        return math.prod(_seen(one, wanted) for one, wanted in zip(characters, number, strict=True))
    if len(characters) > len(number):
        shorter = (characters[1:], characters[:-1])
        return _CLIPPED * max(_likeness(part, number) for part in shorter)
    if len(number) < 3:
        return 0.0  # of so short a number too little is left
    return _CLIPPED * max(_likeness(characters, part) for part in (number[1:], number[:-1]))


def _seen(one: Character, wanted: str) -> float:
    if one.character == UNKNOWN:
        return 0.1
    if one.character == wanted:
        return one.confidence
    told = dict(one.others).get(wanted, 0.0)
    return max(told, _TWIN if wanted in TWINS.get(one.character, ()) else _OTHER)
