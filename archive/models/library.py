"""Libraries: whose bytes, whose key, whose quota; and who belongs to them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id


class Library(Base):
    """A tenant. Everything that belongs to somebody hangs below exactly one library."""

    __tablename__ = "library"

    id: Mapped[Id]
    name: Mapped[str]
    created_at: Mapped[Created]


class Membership(Base):
    """An account's role in a library."""

    __tablename__ = "membership"
    __table_args__ = (CheckConstraint("role IN ('owner', 'editor', 'viewer')", name="role"),)

    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str]
    joined_at: Mapped[Created]
