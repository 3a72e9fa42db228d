"""Hashes of whole libraries in memory, so that what is new is compared with a million in milliseconds.

An index only grows: it knows looks by their number, a look that is made anew gets another number, and whoever asks
finds no asset under the old one. Numbers grow in the order of commits, so the largest one says what is still missing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select

from archive.models import Look
from ml.duplicates.index import HashIndex

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

# All libraries together, some fifty bytes each.
_MOST = 4_000_000
# Then it is made anew, without what is gone.
_OLD = 6 * 3600.0
_MASK = (1 << 64) - 1
_NEAREST = 64


@dataclass(slots=True)
class _Shelf:
    index: HashIndex = field(default_factory=HashIndex)
    last: int = 0
    size: int = 0
    made: float = field(default_factory=monotonic)


class Nearby:
    """The indexes of a process; those not used for longest go first."""

    def __init__(self, most: int = _MOST) -> None:
        self._shelves: OrderedDict[UUID, _Shelf] = OrderedDict()
        self._most = most

    async def near(
        self, session: AsyncSession, library_id: UUID, hashes: Sequence[int], *, but: UUID
    ) -> list[tuple[UUID, int]]:
        """Give the nearest assets by any of these hashes, and how far each is. The library's lock has to be held."""
        shelf = await self._caught_up(session, library_id)
        distances: dict[int, int] = {}
        for number, _, distance in shelf.index.near(hashes):
            distances[number] = min(distance, distances.get(number, distance))
        nearest = sorted(distances, key=lambda number: (distances[number], number))[: 4 * _NEAREST]
        rows = await session.execute(
            select(Look.number, Look.asset_id).where(
                Look.library_id == library_id, Look.number.in_(nearest), Look.asset_id != but
            )
        )
        found = sorted((distances[number], asset_id) for number, asset_id in rows)
        return [(asset_id, distance) for distance, asset_id in found[:_NEAREST]]

    async def _caught_up(self, session: AsyncSession, library_id: UUID) -> _Shelf:
        shelf = self._shelves.pop(library_id, None)
        if shelf is None or monotonic() - shelf.made > _OLD:
            shelf = _Shelf()
        rows = await session.execute(
            select(Look.number, Look.hash)
            .where(Look.library_id == library_id, Look.number > shelf.last, Look.hash.is_not(None))
            .order_by(Look.number)
        )
        new = [(number, (hash_ or 0) & _MASK) for number, hash_ in rows]
        if new and not shelf.size:
            shelf.index = await asyncio.to_thread(HashIndex, [one for one, _ in new], [one for _, one in new])
        else:
            for number, hash_ in new:
                shelf.index.add(number, hash_)
        if new:
            shelf.last, shelf.size = new[-1][0], shelf.size + len(new)
        self._shelves[library_id] = shelf
        self._make_room()
        return shelf

    def _make_room(self) -> None:
        while len(self._shelves) > 1 and sum(shelf.size for shelf in self._shelves.values()) > self._most:
            self._shelves.popitem(last=False)


async def hold(session: AsyncSession, library_id: UUID) -> None:
    """Let nobody else change a library's looks or groups until the transaction ends. Taken before any other lock."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"tagphoto.duplicates.{library_id}"))))
