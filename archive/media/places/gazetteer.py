"""From coordinates to a place's name, without asking anybody."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archive.media.places.table import Table, points

_EARTH_KM = 6371.0
_KM_OF_DEGREE = 111.0
# So far from every place only the country is said, and further not even that.
_PLACE_KM = 50.0
_COUNTRY_KM = 200.0
# Within a large city the city is meant and not its district, when it is so many times larger. Its reach grows with the
# root of its people: Moscow's is 16 km, a million's 5, and it ends at the region's border, where suburbs begin.
_TIMES_LARGER = 8
_CITY_KM = 20.0
_CITY_KM_OF_ROOT = 0.005


@dataclass(frozen=True, slots=True)
class Country:
    """A country by its ISO 3166 code."""

    code: str
    name: str
    name_ru: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place by its number at GeoNames; far from all places a country alone."""

    id: int | None
    name: str | None
    name_ru: str | None
    admin: str | None
    admin_ru: str | None
    country: Country
    timezone: str | None


class Gazetteer:
    """The places of the world with 1000 people or more. Reads its data when it is first asked."""

    @cached_property
    def _table(self) -> Table:
        return Table.load()

    @cached_property
    def _countries(self) -> dict[str, Country]:
        return {code: Country(code, name, russian) for code, name, russian in self._table.country_names}

    def find(self, latitude: float, longitude: float) -> Place | None:
        """Give the place at these coordinates, or what country they are in, or nothing."""
        if not (math.isfinite(latitude) and math.isfinite(longitude) and abs(latitude) <= 90):  # noqa: PLR2004  # the poles
            return None
        for reach in (_PLACE_KM, _COUNTRY_KM):
            first, likeness = self._around(latitude, longitude, reach)
            if not likeness.size or likeness.max() < _likeness(reach):
                continue
            nearest = first + int(likeness.argmax())
            if reach == _PLACE_KM:
                return self._place(self._city_of(nearest, first, likeness))
            return Place(None, None, None, None, None, self._country(nearest), None)
        return None

    def by_id(self, identity: int) -> Place | None:
        """Give the place with this number."""
        table = self._table
        slot = int(np.searchsorted(table.ids, identity, sorter=table.by_id))
        if slot == len(table.ids) or table.ids[table.by_id[slot]] != identity:
            return None
        return self._place(int(table.by_id[slot]))

    def country(self, code: str) -> Country | None:
        """Give the country with this code."""
        return self._countries.get(code.upper())

    def _around(self, latitude: float, longitude: float, reach: float) -> tuple[int, NDArray[np.float64]]:
        """Give how near the places of that latitude are, as cosines, and which is the first of them."""
        table, band = self._table, reach / _KM_OF_DEGREE
        first, last = np.searchsorted(table.latitudes, [latitude - band, latitude + band])
        here = points(np.array(latitude), np.array(longitude))
        return int(first), table.points[first:last] @ here

    def _city_of(self, nearest: int, first: int, likeness: NDArray[np.float64]) -> int:
        """Give the city that a place is within, or the place itself."""
        table = self._table
        near = np.flatnonzero(likeness >= _likeness(_CITY_KM))
        around = near + first
        people = table.populations[around]
        distances = _EARTH_KM * np.sqrt(np.maximum(2 - 2 * likeness[near], 0))
        within = (
            (distances <= _CITY_KM_OF_ROOT * np.sqrt(people))
            & (people >= _TIMES_LARGER * max(1, int(table.populations[nearest])))
            & (table.countries[around] == table.countries[nearest])
            & (table.regions[around] == table.regions[nearest])
        )
        return int(around[np.where(within, people, -1).argmax()]) if within.any() else nearest

    def _place(self, index: int) -> Place:
        table = self._table
        region = int(table.regions[index])
        admin, admin_ru = table.region_names[region] if region < len(table.region_names) else (None, None)
        return Place(
            int(table.ids[index]),
            table.names.at(index) or None,
            table.russian.at(index) or None,
            admin,
            admin_ru,
            self._country(index),
            table.zone_names[table.zones[index]],
        )

    def _country(self, index: int) -> Country:
        return self._countries[self._table.country_names[self._table.countries[index]][0]]


def _likeness(kilometres: float) -> float:
    """Give the cosine of a distance: the greater, the nearer."""
    return math.cos(kilometres / _EARTH_KM)
