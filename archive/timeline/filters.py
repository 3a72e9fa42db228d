"""What a timeline is narrowed down to: parsed once, turned into SQL here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import SQLColumnExpression, literal, select

from archive.models import AlbumAsset, Asset, AssetTag, BatchAsset

Conditions = list[SQLColumnExpression[bool]]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which assets of a library. What is not set does not matter, but for ``archived``: without it, none of them."""

    kind: str | None = None
    favourite: bool = False
    archived: bool = False
    problem: bool = False
    camera: str | None = None
    lens: str | None = None
    place: int | None = None
    country: str | None = None
    # Days of the wall clock, both inclusive.
    first: date | None = None
    last: date | None = None
    album: UUID | None = None
    tag: UUID | None = None
    # At least.
    rating: int | None = None
    uploader: UUID | None = None
    batch: UUID | None = None

    @property
    def counted(self) -> bool:
        """Say whether the counts that triggers keep answer for these."""
        return self == Filters(kind=self.kind, archived=self.archived)

    def within(self, first: date, last: date) -> Filters:
        """Narrow down to some days."""
        return replace(self, first=max(first, self.first or first), last=min(last, self.last or last))


def conditions(library_id: UUID, filters: Filters) -> Conditions:
    """Write filters as SQL, about ``asset`` in one library."""
    # Written as the indexes have it, without a comparison or a parameter: else they would not be taken.
    shown = Asset.archived if filters.archived else ~Asset.archived
    found: Conditions = [Asset.library_id == library_id, Asset.in_timeline, shown]
    if filters.favourite:
        found.append(Asset.favourite)
    if filters.problem:
        found.append(Asset.problem.is_not(None))
    if filters.rating is not None:
        found.append(Asset.rating >= filters.rating)
    if filters.first is not None:
        found.append(Asset.taken_at >= _midnight(filters.first))
    if filters.last is not None:
        found.append(Asset.taken_at < _midnight(filters.last) + timedelta(days=1))
    if filters.kind is not None:
        found.append(Asset.kind == literal(filters.kind, literal_execute=True))
    return found + _same(filters) + _belonging(filters)


def _same(filters: Filters) -> Conditions:
    wanted = {
        Asset.camera: filters.camera,
        Asset.lens: filters.lens,
        Asset.place_id: filters.place,
        Asset.country: filters.country,
        Asset.created_by: filters.uploader,
    }
    return [column == value for column, value in wanted.items() if value is not None]


def _belonging(filters: Filters) -> Conditions:
    wanted = (
        (AlbumAsset.asset_id, AlbumAsset.album_id, filters.album),
        (AssetTag.asset_id, AssetTag.tag_id, filters.tag),
        (BatchAsset.asset_id, BatchAsset.batch_id, filters.batch),
    )
    return [Asset.id.in_(select(member).where(owner == value)) for member, owner, value in wanted if value is not None]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)
