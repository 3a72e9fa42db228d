"""One-time links: first admin, invitations, password resets."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id


class Link(Base):
    """A token that lets its holder do one thing, once, before it expires."""

    __tablename__ = "link"
    __table_args__ = (CheckConstraint("kind IN ('first_admin', 'invite', 'password_reset')", name="kind"),)

    id: Mapped[Id]
    kind: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    email: Mapped[str | None]
    library_id: Mapped[UUID | None] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    role: Mapped[str | None]
    is_admin: Mapped[bool] = mapped_column(server_default=text("false"))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
