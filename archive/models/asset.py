"""Assets: photos and videos exactly as received, the names they came under, and what was derived from them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id


class Asset(Base):
    """One photo or video. Its identity is a keyed hash of the bytes received, whatever is stored later."""

    __tablename__ = "asset"
    __table_args__ = (
        Index("uq_asset_identity", "library_id", "identity", unique=True),
        Index("ix_asset_identity_sha1", "library_id", "identity_sha1"),
        Index("ix_asset_trashed_at", "trashed_at", postgresql_where=text("trashed_at IS NOT NULL")),
        # What a page of a library reads.
        Index("ix_asset_library_id", "library_id", "id"),
    )

    id: Mapped[Id]
    # Without a cascade: while it holds an asset, a library cannot be deleted.
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id"))
    original_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"), unique=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    identity: Mapped[bytes]
    identity_sha1: Mapped[bytes]
    created_at: Mapped[Created]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    trashed_at: Mapped[datetime | None]


class AssetName(Base):
    """A name under which an asset's bytes were sent; the same bytes may come under several."""

    __tablename__ = "asset_name"

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    added_at: Mapped[Created]
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)


class Rendition(Base):
    """A file derived from an asset: a preview, a thumbnail."""

    __tablename__ = "rendition"

    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"), unique=True)
    media_type: Mapped[str]
    created_at: Mapped[Created]


class Usage(Base):
    """A library's bytes by what they are for, kept in step by whoever changes them, and its quota."""

    __tablename__ = "usage"

    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), primary_key=True)
    originals: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    renditions: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    trash: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # Bytes that originals, renditions and trash may have, each counted where its own column says so; none: no limit.
    quota: Mapped[int | None] = mapped_column(BigInteger)
    counts_renditions: Mapped[bool] = mapped_column(server_default=text("false"))
    counts_trash: Mapped[bool] = mapped_column(server_default=text("true"))


class Selection(Base):
    """Assets to be downloaded as one zip, chosen a moment before."""

    __tablename__ = "selection"

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SelectedAsset(Base):
    """One of the assets of a selection."""

    __tablename__ = "selected_asset"

    selection_id: Mapped[UUID] = mapped_column(ForeignKey("selection.id", ondelete="CASCADE"), primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True, index=True)
