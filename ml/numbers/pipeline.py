"""Reading pictures: find, rectify, read, interpret. ``docs/numbers.md`` describes the steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ml.numbers import finding
from ml.numbers.ctc import greedy
from ml.numbers.decode import Decoded, Evidence, decode
from ml.numbers.geometry import Corners, Picture, box, cut, grown, overlap, size
from ml.numbers.grammar import bibs, chosen, countries
from ml.numbers.prior import Prior
from ml.numbers.readers import GeneralReader, Glimpse, OwnReader, Rough
from ml.numbers.reading import Kind, Reading
from ml.numbers.regions import Region, regions
from ml.numbers.sessions import WEIGHTS
from ml.numbers.text_lines import LineFinder

BIB, NONE = "BIB", "none"
# So many regions are read by both readers unless they promise nothing; beyond that only those that promise much.
_MANY, _MOST = 6, 100
# How much each reader counts. Weights and temperature were chosen together: see docs/numbers.md.
_OWN, _GENERAL = 0.5, 1.0
_TEMPERATURE = 0.75
# Letters alone are a number only if it is likely one of a country's, on what looks like a plate.
_LEAST, _LEAST_NUMBER, _WORD = 0.25, 0.1, 0.85
# Longer than this and written as no number: a telephone, a date, a sponsor.
_LONG = 8
_ACCEPTED = 0.97
_POOR, _RICH = 0.12, 0.5
_CUT_OUT, _CUT_OUT_SCORE = 420, 0.7
# A time, a price or a distance, and nothing but that: a seal between groups is read as a colon, too.
_NO_NUMBER = re.compile(
    r"\s*(\d{1,2}([:.]\d\d){1,2}([.,]\d+)?|[€$£]\s?\d.*|\d.*[€$£%]|\d+([.,]\d+)?\s?(km|KM|Km|m|k|K))\s*"
)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for. No countries: all that there are. What is switched off is so to see what it is worth."""

    kinds: frozenset[Kind] = frozenset(Kind)
    countries: tuple[str, ...] = ()
    grammars: tuple[Path, ...] = ()
    zoom: bool = True
    own: bool = True
    general: bool = True
    grammar: bool = True


@dataclass(slots=True)
class _Seen:
    region: Region
    glimpse: Glimpse
    rough: list[Rough] = field(default_factory=list)


class NumberReader:
    """Reads the numbers of pictures. Loading takes a moment; one reader serves one thread at a time."""

    def __init__(self, weights: Path = WEIGHTS, threads: int = 1) -> None:
        self.finder = LineFinder(threads)
        self.own = OwnReader(weights, threads)
        self.general = GeneralReader(threads)
        self._priors: dict[tuple[tuple[str, ...], tuple[Path, ...], frozenset[Kind], bool], Prior] = {}

    def read(self, picture: Picture, options: Options | None = None) -> list[Reading]:
        """Read all numbers of a picture (RGB), the best first."""
        options = options or Options()
        lines = finding.find(self.finder, picture, zoom=options.zoom)
        readings = self._read_regions(picture, regions(lines) + _whole(picture), options)
        if options.zoom and not any(_good(reading) for reading in readings):
            lines = finding.find_in_tiles(self.finder, picture)
            readings += self._read_regions(picture, regions(lines), options)
        return _apart(readings)

    def _read_regions(self, picture: Picture, found: Sequence[Region], options: Options) -> list[Reading]:
        seen = self._glimpsed(picture, found, own=options.own)
        return [reading for one in seen if (reading := self._interpreted(picture, one, options)) is not None]

    def read_crop(self, crop: Picture, options: Options | None = None, rows: int | None = None) -> Reading | None:
        """Read a picture that shows one number and little else."""
        options = options or Options()
        corners = box(0, 0, crop.shape[1], crop.shape[0])
        [glimpse] = self.own.read([crop])
        if (rows or (2 if glimpse.two_rows > 0.5 else 1)) == 2:
            half = crop.shape[0] / 2
            region = Region((box(0, 0, crop.shape[1], half), box(0, half, crop.shape[1], half)), 1.0)
        else:
            region = Region((corners,), 1.0)
        return self._interpreted(crop, _Seen(region, glimpse), options, margin=0.0)

    def _glimpsed(self, picture: Picture, found: Sequence[Region], *, own: bool) -> list[_Seen]:
        """Look at every region with our own reader, which is quick, and keep those most like numbers."""
        crops = [cut(picture, _with_margin(region.corners)) for region in found]
        glimpses = self.own.read(crops)
        seen = [_Seen(region, glimpse) for region, glimpse in zip(found, glimpses, strict=True)]
        if not own:
            return seen[:_MANY]
        seen.sort(key=lambda one: -_promise(one))
        return [
            one
            for place, one in enumerate(seen[:_MOST])
            if place < 2 or _promise(one) > (_POOR if place < _MANY else _RICH)
        ]

    def _interpreted(self, picture: Picture, seen: _Seen, options: Options, margin: float = 0.06) -> Reading | None:
        two = len(seen.region.rows) > 1
        evidence: list[Evidence] = []
        if options.own or not options.general:
            evidence.append(Evidence(seen.glimpse.frames_of_two if two else seen.glimpse.frames, _OWN))
        rough: list[Rough] = []
        if options.general:
            rough = [self.general.read(cut(picture, _with_margin(row, margin))) for row in seen.region.rows]
            evidence.append(Evidence(np.concatenate([one.frames for one in rough]), _GENERAL))
        if any(_NO_NUMBER.fullmatch(one.text) for one in rough):
            return None
        decoded = decode(
            evidence, self._prior(options), _country_shares(seen.glimpse) if options.own else {}, _TEMPERATURE
        )
        return self._reading(seen, decoded, options)

    def _reading(self, seen: _Seen, decoded: Decoded, options: Options) -> Reading | None:
        bib = decoded.countries.get(BIB, 0.0)
        plates = {code: share for code, share in decoded.countries.items() if code != BIB}
        letters = sum(character.isalpha() for character in decoded.text)
        kind = Kind.BIB if bib >= sum(plates.values()) and letters < 2 else Kind.PLATE
        rows = len(seen.region.rows)
        number = 1 - seen.glimpse.kinds.get(NONE, 0.0) if options.own else 1.0
        confidence = decoded.weakest * seen.region.score**0.25 * number**0.25
        known = bib + sum(plates.values())
        if kind not in options.kinds or confidence < _LEAST or _unlike(kind, decoded.text, rows, number, known):
            return None
        return Reading(
            kind,
            decoded.text,
            seen.region.corners,
            rows,
            seen.region.score,
            confidence,
            _acceptable(decoded, confidence, known),
            decoded.characters,
            decoded.alternatives,
            plates,
            self.own.version,
        )

    def _prior(self, options: Options) -> Prior:
        key = (options.countries, options.grammars, options.kinds, options.grammar)
        if key not in self._priors:
            known = chosen(options.countries, *options.grammars) if options.countries else countries(*options.grammars)
            plates = known if Kind.PLATE in options.kinds else ()
            own = (bibs(),) if Kind.BIB in options.kinds else ()
            self._priors[key] = Prior([*plates, *own], informed=options.grammar)
        return self._priors[key]


def _unlike(kind: Kind, text: str, rows: int, number: float, known: float) -> bool:
    """Tell what is hardly a number: a bib of two rows, a lone digit, a word that is no plate's or not on a plate."""
    if number < _LEAST_NUMBER or (known < 0.2 and len(text) > _LONG):
        return True
    if kind is Kind.BIB:
        return rows > 1 or (len(text) == 1 and number < _WORD)
    word = not any(character.isdigit() for character in text)
    return word and (number < _WORD or known < 0.5 or len(text) < 4)


def _acceptable(decoded: Decoded, confidence: float, known: float) -> bool:
    """Tell whether nobody need look: both readers agree, are sure, and it is written as numbers are and no shorter.

    Many digits alone are as often a telephone's as a plate's, whatever a country's grammar admits.
    """
    if not decoded.agreed or min(decoded.weakest, confidence + 0.02) < _ACCEPTED:
        return False
    digits = sum(character.isdigit() for character in decoded.text)
    return known > 0.5 and len(decoded.text) > 2 and digits > 0 and (digits < len(decoded.text) or digits <= 5)


def _whole(picture: Picture) -> list[Region]:
    """Take a small picture of a plate's shape for a plate: somebody else has cut it out already."""
    height, width = picture.shape[:2]
    if width > _CUT_OUT or not 1 <= width / height <= 6:
        return []
    return [Region((box(0, 0, width, height),), _CUT_OUT_SCORE)]


def _with_margin(corners: Corners, share: float = 0.06) -> Corners:
    height = size(corners)[1]
    return grown(corners, height * share, height * share)


def _promise(seen: _Seen) -> float:
    """Give how promising a region is: the detector's certainty, how like a number it looks, and its digits."""
    frames = seen.glimpse.frames_of_two if len(seen.region.rows) > 1 else seen.glimpse.frames
    digits = sum(character.isdigit() for character in greedy(frames))
    return seen.region.score * (1.05 - seen.glimpse.kinds.get(NONE, 0.0)) * (0.3 + 0.7 * min(digits, 2) / 2)


def _good(reading: Reading) -> bool:
    """Tell whether a reading is worth ending the search: sure, and longer than what text anywhere may look like."""
    return reading.confidence > 0.7 and len(reading.text) > 2 and any(c.isdigit() for c in reading.text)


def _country_shares(glimpse: Glimpse) -> dict[str, float]:
    shares = {("BIB" if kind == "bib" else kind): share for kind, share in glimpse.kinds.items() if kind != NONE}
    total = sum(shares.values()) or 1.0
    return {kind: share / total for kind, share in shares.items()}


def _apart(readings: Sequence[Reading]) -> list[Reading]:
    """Keep, of readings that share a place, the best. The best comes first."""
    kept: list[Reading] = []
    for reading in sorted(readings, key=lambda one: -_worth(one)):
        if not _of_bibs(reading, readings) and not any(overlap(reading.corners, other.corners) > 0.3 for other in kept):
            kept.append(reading)
    return kept


def _of_bibs(reading: Reading, readings: Sequence[Reading]) -> bool:
    """Tell whether digits are but bibs beside each other, which some country's grammar admits as one number."""
    inside = [one for one in readings if one.kind is Kind.BIB and overlap(one.corners, reading.corners) > 0.8]
    parts = {one.text for one in inside if len(one.text) > 2 and one.text in reading.text and one.text != reading.text}
    return reading.text.isdigit() and len(parts) > 1


def _worth(reading: Reading) -> float:
    """Give how much a reading is worth beside others: more if it is longer, since its parts are readings, too, and if a
    grammar admits it, since a sponsor's line is longer still.
    """
    known = 1.0 if reading.kind is Kind.BIB else min(sum(reading.countries.values()), 1.0)
    return reading.confidence * (1 + 0.12 * len(reading.text)) * (0.4 + 0.6 * known)
