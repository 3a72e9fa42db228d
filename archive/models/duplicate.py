"""Duplicates: how pictures look to each other, which are alike, the groups they make, and what was decided of those."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id, Json

GROUP_KINDS = ("same", "similar")
REASONS = ("pixels", "part", "writing", "moved", "moment", "animation", "changed", "film", "bytes")
RESOLUTION_STATES = ("running", "done", "failed", "undone")


class Look(Base):
    """What finding pictures like an asset's needs; the rest of its look is sealed, as its rendition ``look``."""

    __tablename__ = "look"
    __table_args__ = (
        # What an index in memory has not seen yet.
        Index("ix_look_number", "library_id", "number"),
        Index("ix_look_length_ms", "library_id", "length_ms", postgresql_where=text("length_ms IS NOT NULL")),
        Index("ix_look_keys", "keys", postgresql_using="gin"),
    )

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"))
    version: Mapped[int]
    # Grows within a library in the order of commits: looks are kept under the library's lock.
    number: Mapped[int] = mapped_column(BigInteger, Identity())
    # None where there is too little to see. As signed numbers, which PostgreSQL has.
    hash: Mapped[int | None] = mapped_column(BigInteger)
    keys: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    # Of a film.
    length_ms: Mapped[int | None] = mapped_column(BigInteger)


class Likeness(Base):
    """How two assets are alike, with all that was measured. The first has the smaller id."""

    __tablename__ = "likeness"
    __table_args__ = (
        CheckConstraint(f"kind IN {GROUP_KINDS}", name="kind"),
        CheckConstraint(f"reason IN {REASONS}", name="reason"),
        CheckConstraint("first_id < second_id", name="order"),
    )

    first_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    second_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True, index=True)
    kind: Mapped[str]
    reason: Mapped[str]
    orientation: Mapped[int] = mapped_column(SmallInteger)
    distance: Mapped[int | None] = mapped_column(SmallInteger)
    distance_large: Mapped[int | None] = mapped_column(SmallInteger)
    correlation: Mapped[float | None]
    alike: Mapped[float | None]
    first_shown: Mapped[float | None]
    second_shown: Mapped[float | None]
    ink: Mapped[float | None]
    border: Mapped[int] = mapped_column(SmallInteger)


class Different(Base):
    """Two assets somebody said are no duplicates. It holds as long as both are there."""

    __tablename__ = "different"
    __table_args__ = (CheckConstraint("first_id < second_id", name="order"),)

    first_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    second_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True, index=True)
    said_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    said_at: Mapped[Created]


class Group(Base):
    """Assets that belong together. Only while two of them are to be seen is there something to decide."""

    __tablename__ = "duplicate_group"
    __table_args__ = (
        CheckConstraint(f"kind IN {GROUP_KINDS}", name="kind"),
        Index("ix_duplicate_group_open", "library_id", "kind", "id", postgresql_where=text("settled_at IS NULL")),
    )

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"))
    kind: Mapped[str]
    created_at: Mapped[Created]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # When somebody decided, who, and as which resolution; a new member opens it again.
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    resolution_id: Mapped[UUID | None] = mapped_column(ForeignKey("resolution.id", ondelete="SET NULL"), index=True)


class GroupMember(Base):
    """One of a group. An asset is in one group of each kind at most."""

    __tablename__ = "duplicate_member"

    group_id: Mapped[UUID] = mapped_column(ForeignKey("duplicate_group.id", ondelete="CASCADE"), primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True, index=True)


class Resolution(Base):
    """What was decided of some groups at once, so that it can be undone; a dry run only counts."""

    __tablename__ = "resolution"
    __table_args__ = (CheckConstraint(f"state IN {RESOLUTION_STATES}", name="state"),)

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    # Which groups, where it was a rule that chose them.
    rule: Mapped[Json | None]
    dry_run: Mapped[bool]
    merge: Mapped[bool]
    state: Mapped[str]
    # The last group that was dealt with: an interrupted one goes on behind it.
    after_id: Mapped[UUID | None]
    groups: Mapped[int] = mapped_column(server_default=text("0"))
    trashed: Mapped[int] = mapped_column(server_default=text("0"))
    bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # Groups that had changed meanwhile, and were left alone.
    passed_over: Mapped[int] = mapped_column(server_default=text("0"))
    made_at: Mapped[Created]
    undone_at: Mapped[datetime | None]


class Resolved(Base):
    """What was done to one group: who stayed, who went, and what was merged into the first that stayed."""

    __tablename__ = "resolved"

    resolution_id: Mapped[UUID] = mapped_column(ForeignKey("resolution.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[UUID] = mapped_column(
        ForeignKey("duplicate_group.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    kept: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    trashed: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    merged: Mapped[Json]
