"""The SQL of the timeline. Who may see the library was asked before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    SQLColumnExpression,
    String,
    cast,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)

from archive.db import among
from archive.models import (
    Account,
    Asset,
    AssetTag,
    Batch,
    BatchAsset,
    Rendition,
    Step,
    Tag,
    TimelineChange,
    TimelineDay,
)
from archive.timeline.filters import Filters, conditions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

By = Literal["month", "day"]
_MOST_VALUES = 1000
Place = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Part:
    """An asset that is shown as a part of another."""

    asset_id: UUID
    shown_with: UUID
    part: str | None
    trashed: bool


async def kept_counts(session: AsyncSession, library_id: UUID, filters: Filters, by: By) -> list[tuple[date, int]]:
    """Add up the counts that triggers keep: what was folded, and what was not yet."""
    sources: list[Select[*tuple[Any, ...]]] = []
    for table in (TimelineDay, TimelineChange):
        source = select(table.day, table.assets).where(
            table.library_id == library_id, table.archived == filters.archived
        )
        sources.append(source if filters.kind is None else source.where(table.kind == filters.kind))
    both = union_all(*sources).subquery()
    count = func.sum(both.c.assets)
    bucket = _bucket(both.c.day, by)
    # One statement, so that folding in between cannot count a day twice or not at all.
    statement = select(bucket, count).group_by(bucket).having(count > 0).order_by(bucket.desc())
    return [(row[0], int(row[1])) for row in await session.execute(statement)]


async def counts(session: AsyncSession, library_id: UUID, filters: Filters, by: By) -> list[tuple[date, int]]:
    """Count what the filters leave."""
    bucket = _bucket(Asset.taken_at, by)
    statement = select(bucket, func.count()).where(*conditions(library_id, filters)).group_by(bucket)
    return [(row[0], row[1]) for row in await session.execute(statement.order_by(bucket.desc()))]


async def page(
    session: AsyncSession, library_id: UUID, filters: Filters, *, after: Place | None, limit: int
) -> list[Asset]:
    """List assets, the latest taken first."""
    statement = select(Asset).where(*conditions(library_id, filters))
    if after is not None:
        statement = statement.where(tuple_(Asset.taken_at, Asset.id) < tuple_(*after))
    return list(await session.scalars(statement.order_by(Asset.taken_at.desc(), Asset.id.desc()).limit(limit)))


async def ids(session: AsyncSession, library_id: UUID, filters: Filters, limit: int) -> list[UUID]:
    """Give the ids of what the filters leave."""
    statement = select(Asset.id).where(*conditions(library_id, filters)).order_by(Asset.id).limit(limit)
    return list(await session.scalars(statement))


async def values(
    session: AsyncSession, library_id: UUID, filters: Filters, of: str
) -> list[tuple[str, str | None, int]]:
    """List what a filter can be set to, with a label where it is not the value itself, the most frequent first."""
    count = func.count()
    statement = _valued(of, count).where(*conditions(library_id, filters))
    rows = await session.execute(statement.order_by(count.desc(), *statement.selected_columns[:2]).limit(_MOST_VALUES))
    return [(row[0], row[1], row[2]) for row in rows]


def _valued(of: str, count: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    columns: dict[str, Any] = {
        "camera": Asset.camera, "lens": Asset.lens, "place": Asset.place_id, "country": Asset.country,
    }  # fmt: skip
    if of in columns:
        value, label = cast(columns[of], String), cast(None, String)
        return select(value, label, count).where(columns[of].is_not(None)).group_by(columns[of])
    owner: Any = {"tag": Tag, "uploader": Account, "batch": Batch}[of]
    statement = select(cast(owner.id, String), owner.name, count).group_by(owner.id).select_from(Asset)
    if of == "uploader":
        return statement.join(Account, Account.id == Asset.created_by)
    if of == "tag":
        return statement.join(AssetTag, AssetTag.asset_id == Asset.id).join(Tag, Tag.id == AssetTag.tag_id)
    return statement.join(BatchAsset, BatchAsset.asset_id == Asset.id).join(Batch, Batch.id == BatchAsset.batch_id)


def _bucket(moment: SQLColumnExpression[Any], by: By) -> ColumnElement[date]:
    return cast(func.date_trunc(literal_column("'month'"), moment) if by == "month" else moment, Date)


async def parts(session: AsyncSession, asset_ids: Sequence[UUID]) -> list[Part]:
    """List what is shown as a part of these."""
    statement = select(Asset.id, Asset.shown_with, Asset.part, Asset.trashed_at.is_not(None))
    rows = await session.execute(statement.where(among(Asset.shown_with, asset_ids)).order_by(Asset.id))
    return [Part(row[0], row[1], row[2], row[3]) for row in rows if row[1] is not None]


async def renditions(session: AsyncSession, asset_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Say which renditions of these there are."""
    found: dict[UUID, set[str]] = {}
    for asset_id, name in await session.execute(
        select(Rendition.asset_id, Rendition.name).where(among(Rendition.asset_id, asset_ids))
    ):
        found.setdefault(asset_id, set()).add(name)
    return found


async def playable(session: AsyncSession, asset_ids: Sequence[UUID]) -> set[UUID]:
    """Say which of these films browsers play as they are."""
    statement = select(Step.asset_id).where(
        among(Step.asset_id, asset_ids), Step.name == "play", Step.state == "skipped"
    )
    return set(await session.scalars(statement))
