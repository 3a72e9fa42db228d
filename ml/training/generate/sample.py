"""One sample of training data, wholly decided by a seed and its number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.numbers.grammar import Country, countries
from ml.training.generate.bib import draw_bib
from ml.training.generate.camera import Grey, photographed
from ml.training.generate.nothing import draw_nothing
from ml.training.generate.plate import Drawn, draw_plate
from ml.training.generate.wear import worn

# Raised whenever the same seed would give other pictures.
VERSION = 1
LONGEST = 12
_BIBS, _NOTHING = 0.16, 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """A crop as a reader gets it, and what is true of it."""

    picture: Grey
    text: str
    rows: int
    kind: str


def drawn(seed: int, number: int) -> tuple[Drawn, np.random.Generator]:
    """Draw the flat number of a sample; the generator goes on where the drawing left it."""
    random = np.random.default_rng([VERSION, seed, number])
    chance = random.random()
    if chance < _BIBS:
        return draw_bib(random), random
    if chance < _BIBS + _NOTHING:
        return draw_nothing(random), random
    country = _weighed(countries(), random)
    weights = np.array([series.weight for series in country.series])
    series = country.series[int(random.choice(len(weights), p=weights / weights.sum()))]
    return draw_plate(country, series, random), random


def sample(seed: int, number: int) -> Sample:
    """Make a sample."""
    flat, random = drawn(seed, number)
    flat = Drawn(worn(flat.picture, random), flat.text, flat.rows, flat.kind, flat.lines)
    return Sample(photographed(flat, random), flat.text, flat.rows, flat.kind)


def _weighed(known: tuple[Country, ...], random: np.random.Generator) -> Country:
    weights = np.array([country.weight for country in known])
    return known[int(random.choice(len(known), p=weights / weights.sum()))]
