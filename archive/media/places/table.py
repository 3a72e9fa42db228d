"""The table of places as it lies in memory: columns, sorted by latitude."""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
_FILE = Path(__file__).with_name("places.bin")
_COLUMNS = 9


class Names:
    """Names as one text: a list of them would take ten times the memory."""

    def __init__(self, text: bytes, order: NDArray[np.int32]) -> None:
        self._text = text
        ends = np.flatnonzero(np.frombuffer(text + b"\n", np.uint8) == ord("\n"))
        self._ends = ends.astype(np.int32)
        self._order = order

    def at(self, index: int) -> str:
        """Give one; empty where there is none."""
        line = int(self._order[index])
        start = int(self._ends[line - 1]) + 1 if line else 0
        return self._text[start : int(self._ends[line])].decode()


@dataclass(frozen=True, slots=True)
class Table:
    """All places, the southernmost first."""

    ids: NDArray[np.int32]
    latitudes: NDArray[np.float64]
    points: NDArray[np.float64]  # on the unit sphere
    populations: NDArray[np.int32]
    countries: NDArray[np.int16]
    regions: NDArray[np.int16]
    zones: NDArray[np.int16]
    names: Names
    russian: Names
    by_id: NDArray[np.int32]  # the order by id
    country_names: list[tuple[str, str, str | None]]
    region_names: list[tuple[str, str | None]]
    zone_names: list[str]

    @classmethod
    def load(cls) -> Table:
        """Read it from the file beside this one."""
        plain = lzma.decompress(_FILE.read_bytes())
        start = plain.index(b"\n") + 1
        said: dict[str, Any] = json.loads(plain[:start])
        if said["format"] != FORMAT or len(said["columns"]) != _COLUMNS:
            raise ValueError("places.bin is of another version: build it again")
        columns, view = [], memoryview(plain)
        for size in said["columns"]:
            columns.append(view[start : start + size])
            start += size
        steps, latitudes, longitudes, people, countries, regions, zones = (_numbers(column) for column in columns[:7])
        latitude, longitude = latitudes / 1000 - 90, longitudes / 1000 - 180
        order = np.argsort(latitude, kind="stable").astype(np.int32)
        sorted_ids = np.cumsum(steps)[order].astype(np.int32)
        return cls(
            sorted_ids,
            latitude[order],
            points(latitude[order], longitude[order]),
            people[order],
            countries[order].astype(np.int16),
            regions[order].astype(np.int16),
            zones[order].astype(np.int16),
            Names(bytes(columns[7]), order),
            Names(bytes(columns[8]), order),
            np.argsort(sorted_ids).astype(np.int32),
            [tuple(country) for country in said["countries"]],
            [tuple(region) for region in said["regions"]],
            said["zones"],
        )


def points(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give where degrees lie on the unit sphere: there the date line and the poles are places like others."""
    north, east = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1)


def _numbers(column: memoryview) -> NDArray[np.int32]:
    return np.ascontiguousarray(np.frombuffer(column, np.uint8).reshape(4, -1).T).view("<u4")[:, 0].astype(np.int32)
