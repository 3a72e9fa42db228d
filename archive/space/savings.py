"""What forms save: counted from what the tables say is in the store, so that the parts add up to all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute

from archive.access import Caller, Scope
from archive.libraries import service as libraries
from archive.models import Asset, File, Form, Library, Object, Recompression, SpaceDay

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

PARTS = ("received", "exact", "lossy", "formers", "renditions", "uploads")
_REASONS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """Assets of one media type in one form, under one level."""

    media_type: str
    form: str
    level: str | None
    assets: int
    received: int
    stored: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some assets are kept as received."""

    reason: str
    assets: int


@dataclass(frozen=True, slots=True)
class Savings:
    """The bytes of a library, or of all: as received, and as the store has them, sealed, in each part."""

    assets: int
    received: int
    stored: int
    parts: dict[str, int]
    saved: int
    due: int
    # At the rate that files of the same type have shown here; none where none has shown one.
    could: int | None
    rows: Sequence[Row]
    reasons: Sequence[Reason]


async def of_library(session: AsyncSession, caller: Caller, library_id: UUID) -> Savings:
    """Report to a library's members."""
    await libraries.get(session, caller, library_id)
    return await _report(session, library_id)


async def of_all(session: AsyncSession, caller: Caller) -> Savings:
    """Report on everything, to those who plan disks."""
    caller.require(Scope.ADMIN)
    return await _report(session, None)


async def history(session: AsyncSession, caller: Caller, library_id: UUID | None, days: int) -> list[SpaceDay]:
    """Give the last days of a library, or of all together, the earliest first."""
    if library_id is None:
        caller.require(Scope.ADMIN)
        sums = [func.sum(column) for column in (SpaceDay.assets, SpaceDay.received, SpaceDay.stored, SpaceDay.formers)]
        statement = select(SpaceDay.day, *sums).group_by(SpaceDay.day).order_by(SpaceDay.day.desc()).limit(days)
        rows = (await session.execute(statement)).all()
        names = ("day", "assets", "received", "stored", "formers")
        return [SpaceDay(**dict(zip(names, row, strict=True))) for row in reversed(rows)]
    await libraries.get(session, caller, library_id)
    of_one = select(SpaceDay).where(SpaceDay.library_id == library_id).order_by(SpaceDay.day.desc()).limit(days)
    return list(reversed(list(await session.scalars(of_one))))


async def note_day(session: AsyncSession) -> None:
    """Note how much every library has today; what was noted earlier today is replaced."""
    for library_id in await session.scalars(select(Library.id)):
        parts = await _parts(session, library_id)
        assets, received = await _received(session, library_id)
        figures = {
            "assets": assets,
            "received": received,
            "stored": sum(parts.values()),
            "formers": parts["formers"],
        }
        row = insert(SpaceDay).values(library_id=library_id, day=func.current_date(), **figures)
        key = [SpaceDay.library_id, SpaceDay.day]
        await session.execute(row.on_conflict_do_update(index_elements=key, set_=figures))


async def _report(session: AsyncSession, library_id: UUID | None) -> Savings:
    assets, received = await _received(session, library_id)
    parts = await _parts(session, library_id)
    rows = await _rows(session, library_id)
    kept = parts["received"] + parts["exact"] + parts["lossy"]
    due, could = await _could(session, library_id)
    reasons = await _reasons(session, library_id)
    return Savings(assets, received, sum(parts.values()), parts, received - kept, due, could, rows, reasons)


def _of(library_id: UUID | None, column: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    return true() if library_id is None else column == library_id


async def _received(session: AsyncSession, library_id: UUID | None) -> tuple[int, int]:
    statement = select(func.count(), func.coalesce(func.sum(Asset.size), 0))
    row = (await session.execute(statement.where(_of(library_id, Asset.library_id)))).one()
    return int(row[0]), int(row[1])


async def _parts(session: AsyncSession, library_id: UUID | None) -> dict[str, int]:
    """Add up the sealed bytes of every object, by what it is a part of."""
    former = and_(Form.file_id == File.id, Form.gone_at.is_(None))
    part = case(
        (File.kind == "rendition", "renditions"),
        (and_(Asset.id.is_not(None), File.kind == "original"), "received"),
        (Asset.id.is_not(None), File.kind),
        (Form.file_id.is_not(None), "formers"),
        else_="uploads",
    ).label("part_of_all")
    statement = (
        select(part, func.sum(Object.sealed_size))
        .select_from(Object)
        .join(File, File.id == Object.file_id)
        .outerjoin(Asset, Asset.original_id == File.id)
        .outerjoin(Form, former)
        .where(_of(library_id, File.library_id))
        .group_by(part)
    )
    found = {name: int(size) for name, size in (await session.execute(statement)).all()}
    return {name: found.get(name, 0) for name in PARTS}


def _sealed() -> Select[int]:
    return select(func.coalesce(func.sum(Object.sealed_size), 0)).where(Object.file_id == Asset.original_id)


async def _rows(session: AsyncSession, library_id: UUID | None) -> list[Row]:
    # Named as no column is: a GROUP BY takes columns first.
    form = case((File.kind == "original", "received"), else_=File.kind).label("kept_as")
    level = case((Recompression.state == "due", None), else_=Recompression.level).label("kept_under")
    key = (Asset.media_type, form, level)
    sealed = _sealed().scalar_subquery()
    statement = (
        select(*key, func.count(), func.sum(Asset.size), func.sum(sealed))
        .join(File, File.id == Asset.original_id)
        .outerjoin(Recompression, Recompression.asset_id == Asset.id)
        .where(_of(library_id, Asset.library_id))
        .group_by(*key)
        .order_by(func.sum(Asset.size).desc())
    )
    return [Row(*row[:3], *map(int, row[3:])) for row in (await session.execute(statement)).all()]


async def _could(session: AsyncSession, library_id: UUID | None) -> tuple[int, int | None]:
    """Say how many assets are due, and what they would save at the rate of those that were decided."""
    of = _of(library_id, Asset.library_id)
    waits_for_it = (Recompression.state == "due").label("waits")
    joined = (
        select(Asset.media_type, waits_for_it, func.count(), func.sum(Asset.size), func.sum(File.size))
        .join(Recompression, Recompression.asset_id == Asset.id)
        .join(File, File.id == Asset.original_id)
        .where(of)
        .group_by(Asset.media_type, waits_for_it)
    )
    due, decided = dict[str, tuple[int, int]](), dict[str, float]()
    for media_type, waits, count, received, stored in (await session.execute(joined)).all():
        if waits:
            due[media_type] = int(count), int(received)
        elif received:
            decided[media_type] = 1 - int(stored) / int(received)
    rated = [int(size * decided[media_type]) for media_type, (_, size) in due.items() if media_type in decided]
    return sum(count for count, _ in due.values()), sum(rated) if rated or not due else None


async def _reasons(session: AsyncSession, library_id: UUID | None) -> list[Reason]:
    statement = (
        select(Recompression.reason, func.count())
        .join(Asset, Asset.id == Recompression.asset_id)
        .where(_of(library_id, Asset.library_id), Recompression.state == "refused")
        .group_by(Recompression.reason)
        .order_by(func.count().desc())
        .limit(_REASONS)
    )
    return [Reason(reason or "", count) for reason, count in (await session.execute(statement)).all()]
