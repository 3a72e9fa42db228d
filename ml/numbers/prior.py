"""What is known of a number before looking: how likely a text is, given the countries' grammars."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.numbers.alphabet import CHARACTERS, INDEX
from ml.numbers.ctc import Lattice, Places
from ml.numbers.grammar import Country
from ml.numbers.patterns import Form

# How likely a number is that no grammar admits, and how likely something beside it is read as one more character.
_FREE, _STRAY = math.log(0.02), math.log(0.03) - math.log(len(CHARACTERS))
_LONGEST = 12
_ANY = frozenset(CHARACTERS)
# So much of what is believed of the country comes from how common its numbers are; the rest from what the reader sees.
_COMMON = 0.4
_NEVER = -1e9


@dataclass(frozen=True, slots=True)
class _Member:
    country: str
    log_share: float  # of this form among the numbers of the country


@dataclass(frozen=True, slots=True)
class Judgement:
    """How likely a text is before looking, and whose it would be."""

    log: float
    countries: dict[str, float]


class Prior:
    """The grammars of some countries, and of bibs, as a prior over texts.

    Not ``informed``, it tells whose a text may be but prefers none: what reading without grammar would be.
    """

    def __init__(self, countries: Sequence[Country], *, informed: bool = True) -> None:
        self.countries = tuple(countries)
        self._informed = informed
        total = sum(country.weight for country in countries)
        self._common = {country.code: country.weight / total for country in countries}
        self._members: dict[Places, list[_Member]] = defaultdict(list)
        gaps: dict[Places, set[int]] = defaultdict(set)
        for country in countries:
            weights = sum(series.weight for series in country.series)
            for series in country.series:
                for form in series.forms:
                    share = math.log(series.weight / weights / len(series.forms)) - _spread(form)
                    self._members[form.places].append(_Member(country.code, share))
                    gaps[form.places].update((0, *form.gaps, len(form.places)))
        self._by_length = {
            length: _Shapes([places for places in self._members if len(places) == length])
            for length in {len(places) for places in self._members}
        }
        shapes = list(self._members) if informed else []
        self.lattice = Lattice(shapes)
        self.strays = [(shape, at) for shape in shapes for at in sorted(gaps[shape]) if len(shape) < _LONGEST]
        self.stray_lattice = Lattice([(*shape[:at], _ANY, *shape[at:]) for shape, at in self.strays])

    def believed(self, seen: Mapping[str, float]) -> dict[str, float]:
        """Give how likely each country is, given what the reader sees of it."""
        mixed = {code: share * _COMMON + (1 - _COMMON) * seen.get(code, share) for code, share in self._common.items()}
        total = sum(mixed.values())
        return {code: share / total for code, share in mixed.items()}

    def judged(self, text: str, believed: Mapping[str, float], *, stray: bool = False) -> Judgement:
        """Judge a text. ``stray``: one more character was read, which stands beside the number."""
        shares: dict[str, float] = {}
        shapes = self._by_length.get(len(text))
        for places in shapes.admitting(text) if shapes else ():
            for member in self._members[places]:
                belief = believed.get(member.country, 0.0)
                if belief > 0:
                    shares[member.country] = shares.get(member.country, 0.0) + belief * math.exp(member.log_share)
        total = sum(shares.values())
        free = _FREE - math.log(_LONGEST) - len(text) * math.log(len(CHARACTERS))
        whole = total + math.exp(free)
        log = math.log(whole) + (_STRAY if stray else 0.0) if self._informed else 0.0
        return Judgement(log, {code: share / whole for code, share in shares.items()})


class _Shapes:
    """Shapes of one length, asked all at once which of them admit a text."""

    def __init__(self, shapes: list[Places]) -> None:
        self._shapes = shapes
        self._admits = np.array([[[c in place for c in CHARACTERS] for place in shape] for shape in shapes], bool)

    def admitting(self, text: str) -> list[Places]:
        """Give the shapes that admit a text."""
        if not text:
            return []
        fits = self._admits[:, np.arange(len(text)), [INDEX[character] for character in text]].all(axis=1)
        return [self._shapes[place] for place in np.flatnonzero(fits)]


def _spread(form: Form) -> float:
    """Give the logarithm of how many texts a form has."""
    return sum(math.log(len(place)) for place in form.places)
