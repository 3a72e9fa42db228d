"""Selections: assets chosen to be downloaded as one zip, which is made while it is sent."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from archive.access import Caller
from archive.assets import queries, sidecars
from archive.db import now
from archive.errors import Damaged, NotFound
from archive.forms import given, giving
from archive.ids import new_id
from archive.libraries import service as libraries
from archive.models import Asset, SelectedAsset, Selection

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.db import Database
    from archive.forms.given import Given
    from archive.forms.giving import Giver
    from archive.vault.reading import Plan

KEPT = timedelta(hours=12)
_BATCH = 200
# From here on sizes do not fit into the fields of a plain zip.
_LARGE = 1 << 31
_EARLIEST, _LATEST = 1980, 2107
_NOTE = "NOT IN THIS ARCHIVE.txt"


async def make(
    session: AsyncSession, caller: Caller, library_id: UUID, asset_ids: Sequence[UUID], name: str
) -> Selection:
    """Choose assets of a library."""
    await libraries.get(session, caller, library_id)
    if await queries.selected(session, library_id, asset_ids) != set(asset_ids):
        noun = "asset"
        raise NotFound(noun)
    selection = await begin(session, library_id, caller.account_id, name)
    session.add_all(SelectedAsset(selection_id=selection.id, asset_id=asset_id) for asset_id in set(asset_ids))
    try:
        await session.flush()
    except IntegrityError as error:  # purged meanwhile
        noun = "asset"
        raise NotFound(noun) from error
    return selection


async def begin(session: AsyncSession, library_id: UUID, account_id: UUID, name: str) -> Selection:
    """Make a selection that somebody fills."""
    selection = Selection(id=new_id(), library_id=library_id, account_id=account_id, name=name, expires_at=now() + KEPT)
    session.add(selection)
    await session.flush()
    return selection


async def signed(session: AsyncSession, selection_id: UUID) -> Selection:
    """Find a selection for somebody who has a signed link to it."""
    selection = await session.get(Selection, selection_id)
    if selection is None or selection.expires_at <= now():
        noun = "selection"
        raise NotFound(noun)
    return selection


async def get(session: AsyncSession, caller: Caller, selection_id: UUID) -> Selection:
    """Find a selection of the caller's, who still belongs to its library."""
    selection = await signed(session, selection_id)
    if selection.account_id != caller.account_id:
        noun = "selection"
        raise NotFound(noun)
    await libraries.get(session, caller, selection.library_id)
    return selection


async def zipped(
    database: Database,
    giver: Giver,
    selection_id: UUID,
    fault: Callable[[Plan], Awaitable[None]] | None = None,
    *,
    with_sidecars: bool = False,
) -> AsyncGenerator[bytes, None]:
    """Give a zip of a selection's originals, as they were received: not compressed, which photos are already.

    With sidecars, what was corrected of a photo lies beside it.

    What cannot be read any more is named in a note at the end, so that nobody takes the rest for all. Damage in the
    middle of a file breaks the stream off: a zip without its end is seen to be none.
    """
    sink, names, missing = _Sink(), _Names(), list[str]()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        async with aclosing(_assets(database, selection_id)) as assets:
            async for asset in assets:
                try:
                    found = await _given(database, giver, asset)
                    content = giving.read(giver, found, fault=fault)
                    first = await anext(content, b"")
                except (Damaged, NotFound):
                    missing.append(asset.name)
                    continue
                name = names.free(found.name_for(asset.name))
                with archive.open(_entry(name, asset), "w", force_zip64=asset.size >= _LARGE) as file:
                    file.write(first)
                    async with aclosing(content) as rest:
                        async for piece in rest:
                            await asyncio.to_thread(file.write, piece)
                            for some in sink.taken():
                                yield some
                if with_sidecars and asset.corrected:
                    beside = _entry(names.free(name + sidecars.ENDING), asset)
                    archive.writestr(beside, await _sidecar(database, asset))
                for some in sink.taken():
                    yield some
        if missing:
            note = "These could not be read and are not in this archive:\n\n" + "\n".join(missing) + "\n"
            archive.writestr(names.free(_NOTE), note)
    for some in sink.taken():
        yield some


async def _assets(database: Database, selection_id: UUID) -> AsyncGenerator[Asset, None]:
    """Give the chosen assets that are still there, some hundred at a time."""
    after: UUID | None = None
    while True:
        statement = (
            select(Asset)
            .join(SelectedAsset, SelectedAsset.asset_id == Asset.id)
            .where(SelectedAsset.selection_id == selection_id)
            .order_by(Asset.id)
            .limit(_BATCH)
        )
        async with database.transaction() as session:
            rows = list(await session.scalars(statement if after is None else statement.where(Asset.id > after)))
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        after = rows[-1].id


async def _given(database: Database, giver: Giver, asset: Asset) -> Given:
    async with database.transaction() as session:
        # Purged meanwhile, or kept in another form by now.
        present = await session.get(Asset, asset.id)
        if present is None:
            noun = "asset"
            raise NotFound(noun)
        return await given.of(session, giver.vault.keys, present)


async def _sidecar(database: Database, asset: Asset) -> bytes:
    async with database.transaction() as session:
        return await sidecars.of(session, asset)


def _entry(name: str, asset: Asset) -> zipfile.ZipInfo:
    moment = asset.created_at
    year = min(max(moment.year, _EARLIEST), _LATEST)
    entry = zipfile.ZipInfo(name, (year, moment.month, moment.day, moment.hour, moment.minute, moment.second))
    entry.external_attr = 0o644 << 16
    return entry


class _Sink:
    """Where the zip is written to: a file that cannot be sought in, emptied as it fills."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing to let go of."""

    def taken(self) -> Iterator[bytes]:
        """Give what was written since."""
        pieces, self._pieces = self._pieces, []
        return iter(pieces)


class _Names:
    """Gives every file of an archive a name of its own, also where letter case makes no difference."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        # How far the numbers of a name have come: ten thousand of one name are not counted from the start each time.
        self._numbers: dict[str, int] = {}

    def free(self, name: str) -> str:
        """Give this name, or the nearest one that is free."""
        stem, dot, ending = name.rpartition(".")
        stem, ending = (stem, dot + ending) if stem else (name, "")
        number, chosen = self._numbers.get(name.casefold(), 1), name
        while chosen.casefold() in self._used:
            number += 1
            chosen = f"{stem} ({number}){ending}"
        self._used.add(chosen.casefold())
        self._numbers[name.casefold()] = number
        return chosen
