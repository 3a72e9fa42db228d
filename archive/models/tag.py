"""Tags: words on assets, from the files themselves or from people."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id


class Tag(Base):
    """A word of a library. Two that differ in case only are one."""

    __tablename__ = "tag"
    __table_args__ = (Index("uq_tag_name", "library_id", text("lower(name)"), unique=True),)

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"))
    name: Mapped[str]
    created_at: Mapped[Created]


class AssetTag(Base):
    """A tag on an asset."""

    __tablename__ = "asset_tag"
    __table_args__ = (CheckConstraint("source IN ('file', 'user')", name="source"),)

    tag_id: Mapped[UUID] = mapped_column(ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True, index=True)
    source: Mapped[str]
