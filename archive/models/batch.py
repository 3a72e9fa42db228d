"""Batches: deliveries of many uploads, followed as one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id


class Batch(Base):
    """One delivery."""

    __tablename__ = "batch"

    id: Mapped[Id]
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[Created]


class BatchAsset(Base):
    """An asset that came with a batch; the library may have had it before."""

    __tablename__ = "batch_asset"

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id", ondelete="CASCADE"), primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True, index=True)
    duplicate: Mapped[bool] = mapped_column(server_default=text("false"))
