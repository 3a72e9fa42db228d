"""The countries: how their numbers are written, read from one small file each (``grammars/*.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ml.numbers.alphabet import LETTERS
from ml.numbers.errors import GrammarInvalid
from ml.numbers.patterns import Form, expand

FOLDER = Path(__file__).with_name("grammars")
BIBS = Path(__file__).with_name("bibs.toml")


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of number of a country, say its motorcycles'."""

    name: str
    forms: tuple[Form, ...]
    weight: float
    look: dict[str, Any] = field(hash=False, compare=False)


@dataclass(frozen=True, slots=True)
class Country:
    """A country's grammar. ``look`` is how its plates are drawn, which only the generator asks."""

    code: str
    name: str
    weight: float
    series: tuple[Series, ...]
    side: tuple[str, ...]
    look: dict[str, Any] = field(hash=False, compare=False)


@cache
def countries(*folders: Path) -> tuple[Country, ...]:
    """Read the countries that come with the project and those of folders, which replace one of the same code."""
    found: dict[str, Country] = {}
    for folder in (FOLDER, *folders):
        for file in sorted(folder.glob("*.toml")):
            country = _read(file)
            found[country.code] = country
    return tuple(found[code] for code in sorted(found))


@cache
def bibs(file: Path = BIBS) -> Country:
    """Read how race bibs are numbered."""
    return _read(file)


def chosen(codes: Iterable[str], *folders: Path) -> tuple[Country, ...]:
    """Give some countries by their codes."""
    known = {country.code: country for country in countries(*folders)}
    wanted = [code.upper() for code in codes]
    if missing := [code for code in wanted if code not in known]:
        raise GrammarInvalid(f"no grammar for {', '.join(missing)}; known are {', '.join(known)}")
    return tuple(known[code] for code in wanted)


def _read(file: Path) -> Country:
    try:
        document = tomllib.loads(file.read_text("utf-8"))
        return _country(document)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GrammarInvalid(f"{file.name}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise GrammarInvalid(f"{file.name}: {error!r} is missing or of the wrong kind") from error
    except GrammarInvalid as error:
        raise GrammarInvalid(f"{file.name}: {error}") from error


def _country(document: dict[str, Any]) -> Country:
    letters = str(document.get("letters", LETTERS))
    look = dict(document.get("look", {}))
    series = tuple(_series(entry, letters, look) for entry in document["series"])
    if not series:
        raise GrammarInvalid("a country has at least one [[series]]")
    return Country(
        code=str(document["country"]),
        name=str(document["name"]),
        weight=float(document.get("weight", 1)),
        series=series,
        side=tuple(document.get("side", ())),
        look=look,
    )


def _series(entry: dict[str, Any], letters: str, look: dict[str, Any]) -> Series:
    own = str(entry.get("letters", letters))
    forms = tuple(dict.fromkeys(form for pattern in entry["patterns"] for form in expand(pattern, own)))
    return Series(str(entry["name"]), forms, float(entry.get("weight", 1)), {**look, **entry.get("look", {})})
