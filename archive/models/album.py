"""Albums: assets put together by people, in an order of theirs, and shared by links."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id

ORDERS = ("oldest", "newest", "manual")


class Album(Base):
    """Some assets of a library under a name."""

    __tablename__ = "album"
    __table_args__ = (CheckConstraint(f'"order" IN {ORDERS}', name="order"),)

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    description: Mapped[str | None]
    # None: the first one in the album's order.
    cover_id: Mapped[UUID | None] = mapped_column(ForeignKey("asset.id", ondelete="SET NULL"), index=True)
    order: Mapped[str] = mapped_column(server_default=text("'oldest'"))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[Created]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AlbumAsset(Base):
    """An asset's place in an album. Between two places there is always room for a third."""

    __tablename__ = "album_asset"
    __table_args__ = (Index("ix_album_asset_place", "album_id", "place", "asset_id"),)

    album_id: Mapped[UUID] = mapped_column(ForeignKey("album.id", ondelete="CASCADE"), primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True, index=True)
    place: Mapped[float] = mapped_column(Double)
    added_at: Mapped[Created]
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)


class Share(Base):
    """A link by which people without an account see an album. Its token is a MAC of its id: nothing to steal here."""

    __tablename__ = "share"

    id: Mapped[Id]
    album_id: Mapped[UUID] = mapped_column(ForeignKey("album.id", ondelete="CASCADE"), index=True)
    # A word of its maker's about whom it is for.
    note: Mapped[str | None]
    password_hash: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    downloads: Mapped[bool] = mapped_column(server_default=text("true"))
    uploads: Mapped[bool] = mapped_column(server_default=text("false"))
    metadata_: Mapped[bool] = mapped_column("metadata", server_default=text("true"))
    # Grows when the password changes: who came in by an old one has to come in again.
    generation: Mapped[int] = mapped_column(server_default=text("1"))
    views: Mapped[int] = mapped_column(server_default=text("0"))
    last_seen_at: Mapped[datetime | None]
    # Guests' uploads are received in this account's name, so the share ends with it.
    created_by: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Created]
