"""Uploads: resumable transfers. The offset here is the truth; what the store holds beyond it is nobody's."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id, Json

STATES = ("open", "finished", "gone")


class Upload(Base):
    """One transfer. ``fence`` grows with every writer: one whose fence is old can no longer commit bytes."""

    __tablename__ = "upload"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("concat IN ('partial', 'final')", name="concat"),
        CheckConstraint('"offset" <= length', name="offset"),
        # What a reservation adds up.
        Index("ix_upload_open", "library_id", postgresql_where=text("state = 'open'")),
        Index("ix_upload_expires_at", "expires_at"),
    )

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    # The file it fills; none once it is gone, or when the bytes were there already.
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("file.id"), unique=True)
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    length: Mapped[int | None] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column("offset", BigInteger, server_default=text("0"))
    name: Mapped[str]
    media_type: Mapped[str]
    # As the client sent it, to be sent back.
    metadata_: Mapped[str] = mapped_column("metadata", server_default=text("''"))
    concat: Mapped[str | None]
    parts: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    fence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    writing_until: Mapped[datetime | None]
    # The file's date, as its sender said.
    sent_at: Mapped[datetime | None]
    # Where its asset goes besides the library: a batch, an album, an album by a guest's link.
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("batch.id", ondelete="SET NULL"), index=True)
    album_id: Mapped[UUID | None] = mapped_column(ForeignKey("album.id", ondelete="SET NULL"), index=True)
    share_id: Mapped[UUID | None] = mapped_column(ForeignKey("share.id", ondelete="CASCADE"), index=True)
    # Whose pass it came with: other guests with the same link know nothing of it.
    guest_id: Mapped[UUID | None]
    asset_id: Mapped[UUID | None] = mapped_column(ForeignKey("asset.id", ondelete="SET NULL"), index=True)
    duplicate: Mapped[bool] = mapped_column(server_default=text("false"))
    # Why it is gone, in the words of a problem: expired, terminated, or refused.
    reason: Mapped[Json | None]
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]
