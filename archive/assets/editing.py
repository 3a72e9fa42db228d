"""Change what assets show. The originals stay as they are: ``corrected`` lists what somebody has set by hand, and what
the file says holds again when a correction is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ARRAY, String, func, literal, or_, select, update

from archive import audit
from archive.access import Caller, Role
from archive.assets import places, queries, recorded
from archive.db import among
from archive.errors import Invalid
from archive.events.service import publish
from archive.models import Asset, Metadata
from archive.steps import service as steps
from archive.tags import service as tags

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

MARKS = ("favourite", "archived")
_EARLIEST, _LATEST = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001  # the wall clock's
_IDS_AN_EVENT = 1000


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change; a None takes a correction back."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] | None = None
    tags_back: bool = False
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()
    shift: timedelta = timedelta(0)

    @property
    def corrects(self) -> set[str]:
        """Name what is set by hand from now on."""
        found = {name for name, value in self.fields.items() if value is not None and name in recorded.FIELDS}
        if self.shift:
            found.add("taken_at")
        if self.tags is not None or self.add_tags or self.remove_tags:
            found.add("tags")
        return found

    @property
    def takes_back(self) -> set[str]:
        """Name what the file is to say again."""
        found = {name for name, value in self.fields.items() if value is None and name in recorded.FIELDS}
        return found | {"tags"} if self.tags_back else found


async def edit(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID], changes: Changes) -> list[Asset]:
    """Change assets, all of them or none."""
    assets = await queries.locked(session, caller, asset_ids, Role.EDITOR)
    _require_sense(changes)
    ids = [asset.id for asset in assets]
    await _set(session, ids, changes)
    for asset in assets:
        await session.refresh(asset)
    if changes.takes_back:
        await _take_back(session, assets, changes.takes_back)
    for library_id in sorted({asset.library_id for asset in assets}):
        there = [asset.id for asset in assets if asset.library_id == library_id]
        await _tag(session, library_id, there, changes)
        for start in range(0, len(there), _IDS_AN_EVENT):
            told = [str(one) for one in there[start : start + _IDS_AN_EVENT]]
            publish(session, "asset.changed", {"ids": told}, library_id)
    return assets


async def edit_many(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID], changes: Changes) -> int:
    """Change many assets at once, which the audit log remembers; says how many."""
    assets = await edit(session, caller, asset_ids, changes)
    names = sorted(changes.corrects | changes.takes_back | {name for name in changes.fields if name in MARKS})
    for library_id in sorted({asset.library_id for asset in assets}):
        count = sum(asset.library_id == library_id for asset in assets)
        audit.record(session, "assets.edited", caller=caller, library_id=library_id, count=count, fields=names)
    return len(assets)


async def retry(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID]) -> int:
    """Have the failed steps of assets done again; says how many there were."""
    return await steps.retry(session, await queries.locked(session, caller, asset_ids, Role.EDITOR))


def _require_sense(changes: Changes) -> None:
    given = [name in changes.fields for name in ("latitude", "longitude")]
    none = [changes.fields.get(name) is None for name in ("latitude", "longitude")]
    if given[0] != given[1] or none[0] != none[1]:
        message = "Set latitude and longitude together, or take both back."
        raise Invalid(message)
    if changes.shift and "taken_at" in changes.fields:
        message = "Either set when it was taken, or move it by some minutes."
        raise Invalid(message)


async def _set(session: AsyncSession, ids: Sequence[UUID], changes: Changes) -> None:
    """Write in one statement what is the same for all."""
    values: dict[str, Any] = {name: value for name, value in changes.fields.items() if value is not None}
    if "taken_at" in values:
        values["taken_from"] = "user"
    if changes.shift:
        await _require_possible(session, ids, changes.shift)
        values |= {"taken_at": Asset.taken_at + changes.shift, "taken_from": "user"}
    if "latitude" in values:
        found = places.at(values["latitude"], values["longitude"])
        values |= {"place_id": found.place_id, "country": found.country}
    corrected = _names(changes.corrects, changes.takes_back)
    values |= {"corrected": corrected, "updated_at": func.clock_timestamp()}
    statement = update(Asset).where(among(Asset.id, ids)).values(values)
    await session.execute(statement, execution_options={"synchronize_session": False})


async def _require_possible(session: AsyncSession, ids: Sequence[UUID], shift: timedelta) -> None:
    moved = Asset.taken_at + shift
    beyond = select(Asset.id).where(among(Asset.id, ids), or_(moved < _EARLIEST, moved > _LATEST)).limit(1)
    if await session.scalar(beyond) is not None:
        message = "Moved so far, some of these would have a date that no calendar has."
        raise Invalid(message)


def _names(added: set[str], removed: set[str]) -> Any:  # noqa: ANN401  # SQL
    """Give what is corrected from now on, as SQL."""
    every = func.unnest(func.array_cat(Asset.corrected, literal(sorted(added), ARRAY(String)))).column_valued("name")
    left = select(every).distinct().where(every.not_in(sorted(removed))).order_by(every)
    return func.array(left.scalar_subquery())


async def _take_back(session: AsyncSession, assets: Sequence[Asset], names: set[str]) -> None:
    """Let hold again what each file says."""
    statement = select(Metadata.asset_id, Metadata.record).where(among(Metadata.asset_id, [one.id for one in assets]))
    records = {row[0]: row[1] for row in await session.execute(statement)}
    for asset in assets:
        await recorded.show(session, asset, recorded.of(asset, records.get(asset.id)), names)
    await session.flush()


async def _tag(session: AsyncSession, library_id: UUID, ids: Sequence[UUID], changes: Changes) -> None:
    if changes.tags is not None:
        await tags.replace(session, library_id, ids, changes.tags, "user")
    await tags.add(session, library_id, ids, changes.add_tags, "user")
    if changes.remove_tags:
        await tags.remove(session, library_id, ids, changes.remove_tags)
