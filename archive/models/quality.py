"""Quality: what was measured of a picture, what is said of it, and what its people answered."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, Computed, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Json


class Quality(Base):
    """An asset's scores and verdicts. It is asked about while there is a verdict nobody has answered."""

    __tablename__ = "quality"
    __table_args__ = (
        Index("ix_quality_asked", "library_id", "merit", "asset_id", postgresql_where=text("asked")),
        Index("ix_quality_merit", "library_id", "merit", "asset_id"),
    )

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"))
    measured_at: Mapped[Created]
    # None of films, which have verdicts only.
    scores: Mapped[Json | None]
    sharpness: Mapped[float | None]
    # By which pictures are put in order; the worst first where something is to be decided.
    merit: Mapped[float]
    verdicts: Mapped[list[str]] = mapped_column(ARRAY(String))
    # Verdicts somebody has answered by keeping it; and whether nobody wants to be asked again, whatever is found.
    kept: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'"))
    never: Mapped[bool] = mapped_column(server_default=text("false"))
    asked: Mapped[bool] = mapped_column(Computed("NOT never AND NOT (verdicts <@ kept)", persisted=True))
