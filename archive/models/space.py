"""Space: in which forms originals are kept, what became of making them smaller, who decides, and what it saved."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id, Json

FORMS = ("received", "exact", "lossy")
LEVELS = ("keep", "exact", "visually_lossless", "space_saver", "custom")
CODECS = ("jxl", "avif", "webp", "jpeg")
RECOMPRESSIONS = ("due", "done", "refused")


class Form(Base):
    """A file that is, or was, an asset's original. An asset that only ever had the received one has no row."""

    __tablename__ = "form"
    __table_args__ = (
        CheckConstraint(f"form IN {FORMS}", name="form"),
        # What is to go, the earliest first.
        Index("ix_form_leaving", "leaves_at", postgresql_where=text("leaves_at IS NOT NULL AND gone_at IS NULL")),
    )

    # Not a reference: that the file was the asset's has to be known also when it is gone.
    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), index=True)
    form: Mapped[str]
    # What it is made with, as a release names it; nothing for what was received.
    codec: Mapped[str | None]
    # Of a lossy form: what its bytes are, how they were made, and what they were measured to be worth.
    media_type: Mapped[str | None]
    setting: Mapped[float | None]
    score: Mapped[float | None]
    # Bytes it gives back.
    size: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[Created]
    # From when it was a former, and before when it does not go; neither while it is the asset's original.
    former_at: Mapped[datetime | None]
    leaves_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]


class Recompression(Base):
    """What became of making an asset smaller."""

    __tablename__ = "recompression"
    __table_args__ = (
        CheckConstraint(f"state IN {RECOMPRESSIONS}", name="state"),
        Index("ix_recompression_due", "due_at", postgresql_where=text("state = 'due'")),
    )

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(server_default=text("'due'"))
    # An hour after it was received, so that nothing competes with describing it.
    due_at: Mapped[datetime] = mapped_column(server_default=text("(clock_timestamp() + '01:00:00'::interval)"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    # Which way of doing it ended it, for which level.
    version: Mapped[int] = mapped_column(server_default=text("0"))
    level: Mapped[str | None]
    reason: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Policy(Base):
    """Which form a library wants for its originals, or an album of it for those it holds."""

    __tablename__ = "policy"
    __table_args__ = (
        CheckConstraint(f"level IN {LEVELS}", name="level"),
        CheckConstraint(f"codec IN {CODECS}", name="codec"),
        CheckConstraint("score BETWEEN 30 AND 95", name="score"),
        Index("uq_policy_library", "library_id", unique=True, postgresql_where=text("album_id IS NULL")),
    )

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    album_id: Mapped[UUID | None] = mapped_column(ForeignKey("album.id", ondelete="CASCADE"), unique=True)
    level: Mapped[str]
    # Of a custom one: the score to reach, the codec, and pixels it may have at most.
    score: Mapped[float | None]
    codec: Mapped[str | None]
    most_pixels: Mapped[int | None] = mapped_column(BigInteger)
    # How long the received file stays behind a lossy one.
    keep_days: Mapped[int] = mapped_column(server_default=text("30"))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class SpacePreview(Base):
    """What each level would save on some assets of a library or an album, asked for before one is chosen."""

    __tablename__ = "space_preview"

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    album_id: Mapped[UUID | None] = mapped_column(ForeignKey("album.id", ondelete="CASCADE"))
    made_at: Mapped[Created]
    # Asset by asset what each level came to; grows while the job works.
    results: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    finished_at: Mapped[datetime | None]


class SpaceDay(Base):
    """A library's bytes as they were on a day."""

    __tablename__ = "space_day"

    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    assets: Mapped[int]
    received: Mapped[int] = mapped_column(BigInteger)
    stored: Mapped[int] = mapped_column(BigInteger)
    formers: Mapped[int] = mapped_column(BigInteger)
