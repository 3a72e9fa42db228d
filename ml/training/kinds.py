"""What a network tells apart beside the characters: whose plate it is, a bib, or nothing."""

from __future__ import annotations

from ml.numbers.grammar import countries

KINDS: tuple[str, ...] = (*(country.code for country in countries()), "bib", "none")
