"""What reading a picture gives: every number found, with all that is believed of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ml.numbers.decode import Character
from ml.numbers.geometry import Corners


class Kind(StrEnum):
    """What a number is."""

    BIB = "bib"
    PLATE = "plate"


@dataclass(frozen=True, slots=True)
class Reading:
    """A number found in a picture.

    ``confidence`` is the probability that all of it is right; ``accepted`` says that it need not be looked at: its
    weakest character is sure, both readers read the same, and it is written as numbers are.
    """

    kind: Kind
    text: str
    corners: Corners
    rows: int
    detector: float
    confidence: float
    accepted: bool
    characters: tuple[Character, ...]
    alternatives: tuple[tuple[str, float], ...]
    countries: dict[str, float]
    model: str

    @property
    def country(self) -> str | None:
        """Give the country that a plate is most likely of, if any is likely at all."""
        if self.kind is not Kind.PLATE or not self.countries:
            return None
        return next(iter(self.countries))

    def document(self, scale: float = 1.0) -> dict[str, Any]:
        """Give it as JSON; ``scale`` is by how much the original is larger than the picture that was read."""
        return {
            "kind": self.kind.value,
            "text": self.text,
            "country": self.country,
            "countries": {code: round(share, 4) for code, share in list(self.countries.items())[:5] if share >= 0.001},
            "confidence": round(self.confidence, 4),
            "accepted": self.accepted,
            "characters": [
                {
                    "character": one.character,
                    "confidence": round(one.confidence, 4),
                    "others": {other: round(share, 4) for other, share in one.others},
                }
                for one in self.characters
            ],
            "alternatives": {text: round(share, 4) for text, share in self.alternatives},
            "corners": [[round(float(x) * scale, 1), round(float(y) * scale, 1)] for x, y in self.corners],
            "rows": self.rows,
            "detector": round(self.detector, 4),
            "model": self.model,
        }
