"""One asset in another format: what was made lately is given again, else it is made now, by a few children at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive.assets import renditions
from archive.assets import service as assets
from archive.errors import NotConvertible, TooManyConversions
from archive.ingest import originals
from archive.media.converting.asking import convert
from archive.media.verdict import Refused
from archive.models import Asset, Rendition
from archive.vault import reading

if TYPE_CHECKING:
    from archive.access import Caller
    from archive.assets.renditions import Made
    from archive.db import Database
    from archive.forms.given import Given
    from archive.forms.giving import Giver
    from archive.media.converting.conversion import Conversion
    from archive.media.sandbox import Sandbox
    from archive.vault.reading import Plan
    from archive.vault.vault import Vault

_AT_ONCE, _WAITING = 2, 16


@dataclass(slots=True)
class Desk:
    """Who converts in this process, and who waits for it."""

    most: int = _WAITING
    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    waiting: int = 0
    turns: dict[tuple[UUID, str], asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    counts: dict[tuple[UUID, str], int] = field(default_factory=lambda: defaultdict(int))

    @asynccontextmanager
    async def turn(self, asset_id: UUID, key: str) -> AsyncIterator[None]:
        """Wait for whoever makes the same: then it is there. Refused where too many wait already."""
        if self.waiting >= self.most:
            raise TooManyConversions
        which = (asset_id, key)
        self.waiting += 1
        self.counts[which] += 1
        try:
            async with self.turns[which]:
                yield
        finally:
            self.waiting -= 1
            self.counts[which] -= 1
            if not self.counts[which]:
                del self.counts[which], self.turns[which]


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What conversions are made with."""

    database: Database
    vault: Vault
    giver: Giver
    sandbox: Sandbox
    desk: Desk


async def converted(
    kitchen: Kitchen, caller: Caller | None, asset_id: UUID, wanted: Conversion
) -> tuple[Asset, Rendition, Plan]:
    """Give an asset as it is wanted; without a caller somebody has a signed link to its original."""
    name = renditions.PASSING + wanted.key
    async with kitchen.database.transaction() as session:
        asset, original = await assets.original(session, kitchen.vault.keys, caller, asset_id)
    async with kitchen.desk.turn(asset_id, wanted.key):
        found = await _kept(kitchen, asset_id, name)
        if found is None:
            async with kitchen.desk.free:
                made = await _made(kitchen, asset, original, name, wanted)
            await _keep(kitchen, asset_id, made)
            found = await _kept(kitchen, asset_id, name)
    if found is None:
        raise TooManyConversions  # others have asked for so much that it is gone already
    return asset, *found


async def _kept(kitchen: Kitchen, asset_id: UUID, name: str) -> tuple[Rendition, Plan] | None:
    async with kitchen.database.transaction() as session:
        row = await session.get(Rendition, (asset_id, name))
        return None if row is None else (row, await reading.plan_whole(session, kitchen.vault.keys, row.file_id))


async def _made(kitchen: Kitchen, asset: Asset, original: Given, name: str, wanted: Conversion) -> Made:
    made: list[Made] = []

    async def take(pieces: AsyncIterator[bytes]) -> None:
        # What is refused in the end belongs to nobody, and is swept away.
        made.append(await renditions.write(kitchen.vault, asset.library_id, name, wanted.media_type, pieces))

    try:
        async with originals.opened(kitchen.giver, original) as source:
            await convert(kitchen.sandbox, source, wanted, take)
    except Refused as refused:
        raise NotConvertible(refused.detail) from refused
    return made[0]


async def _keep(kitchen: Kitchen, asset_id: UUID, made: Made) -> None:
    async with kitchen.database.transaction() as session:
        asset = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
        if asset is not None:
            await renditions.keep(session, kitchen.vault.keys, asset, [made])
            await renditions.pass_on(session, asset)
