"""Steps: what an asset still needs before it is described and can be looked at."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.asset import VERDICTS
from archive.models.base import Base

STATES = ("waiting", "done", "failed", "skipped")


class Step(Base):
    """One step of one asset, and how it ended."""

    __tablename__ = "step"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint(f"verdict IN {VERDICTS}", name="verdict"),
        # What was asked for and may have lost its job.
        Index("ix_step_waiting", "name", "asset_id", postgresql_where=text("state = 'waiting'")),
        Index("ix_step_failed", "asset_id", postgresql_where=text("state = 'failed'")),
    )

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    # Which way of doing it made what there is.
    version: Mapped[int] = mapped_column(server_default=text("0"))
    verdict: Mapped[str | None]
    detail: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
