"""How many assets each day has: kept by triggers on ``asset``, so that no way of changing assets can forget it.

A trigger adds a row to ``timeline_change`` and touches no other: two transactions that change the same day do not
wait for each other. A job folds changes into ``timeline_day``; the count is the sum of both.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base


class TimelineDay(Base):
    """Assets of a day, by what nearly every timeline asks for."""

    __tablename__ = "timeline_day"

    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    archived: Mapped[bool] = mapped_column(primary_key=True)
    assets: Mapped[int] = mapped_column(BigInteger)


class TimelineChange(Base):
    """What a transaction added to a day's count, not yet folded in."""

    __tablename__ = "timeline_change"
    __table_args__ = (Index("ix_timeline_change_library_id", "library_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    library_id: Mapped[UUID]
    day: Mapped[date]
    kind: Mapped[str]
    archived: Mapped[bool]
    assets: Mapped[int] = mapped_column(BigInteger)
