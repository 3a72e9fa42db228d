"""The audit log: every security-relevant act, who did it and from where. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, func
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Json


class AuditEntry(Base):
    """One act. Ids are kept without foreign keys: the entry outlives the account it speaks of."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    action: Mapped[str] = mapped_column(index=True)
    actor_id: Mapped[UUID | None] = mapped_column(index=True)
    actor_email: Mapped[str | None]
    library_id: Mapped[UUID | None] = mapped_column(index=True)
    target: Mapped[str | None]
    ip: Mapped[str | None]
    request_id: Mapped[str | None]
    details: Mapped[Json]
