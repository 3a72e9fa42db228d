"""Which of a Russian place's other names is its Russian one. Used when the data are built.

Most Russian names come tagged as such. For smaller places in Russia there is only a list of names in all languages;
GeoNames writes their main name as the romanized Russian one, so the Russian one is that which is romanized so.
"""

# ruff: noqa: RUF001  # Cyrillic letters are what it is about
from __future__ import annotations

import re
import unicodedata

RUSSIAN = re.compile(r"[А-ЯЁ][а-яё]*(?:[- ’'](?:[А-ЯЁ]?[а-яё]+|[IVX]+|\d+))*$")
# Spellings of its neighbours that Russian does not have.
FOREIGN = re.compile(r"ъ(?![еёюя])|[сзц]ьк|ьо|йо$|аа|уу|ыы|(.)\1\1|[жчшщ]ы|[чщ]я|[жшч]ю|[гкх]ы", re.IGNORECASE)
_SEVERAL = ["zh", "y", "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya", "e", "e"]
_LATIN = dict(zip("жйхцчшщъыьэюяёе", _SEVERAL, strict=True))
_PLAIN = dict(zip("абвгдзиклмнопрстуф", "abvgdziklmnoprstuf", strict=True))


def choose(name: str, others: list[str]) -> str | None:
    """Choose the Russian name of a place in Russia; none where none is certain."""
    candidates = [one for one in dict.fromkeys(others) if RUSSIAN.match(one) and not FOREIGN.search(one)]
    same = [one for one in candidates if romanized(one) == _bare(name)]
    # With and without its hyphens or its dots it is the same name: the longer way is the careful one.
    careful = sorted(same, key=lambda one: ("-" in one, "ё" in one), reverse=True)
    return careful[0] if careful and len({_bare_russian(one) for one in careful}) == 1 else None


def romanized(russian: str) -> str:
    """Write a name in Latin letters and nothing else."""
    return _bare("".join(_LATIN.get(letter) or _PLAIN.get(letter, "") for letter in russian.lower()))


def _bare(name: str) -> str:
    """Leave what the ways to romanize agree on."""
    plain = unicodedata.normalize("NFKD", name.lower())
    letters = "".join(letter for letter in plain if "a" <= letter <= "z")
    return re.sub("ye|yo", "e", letters).replace("iy", "y").replace("yy", "y").replace("ie", "e")


def _bare_russian(name: str) -> str:
    return re.sub("[^а-я]", "", name.lower().replace("ё", "е"))
