"""Events: what browsers are told as it happens, kept a day so that a reconnecting one misses nothing."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Json


class Event(Base):
    """One event. Its position is (transaction, id): ids alone are not in order of commit; a reader could skip one."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_position", "transaction", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    transaction: Mapped[int] = mapped_column(BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)"))
    at: Mapped[Created] = mapped_column(index=True)
    kind: Mapped[str]
    # Who may see it: members of the library, or, without one, admins only.
    library_id: Mapped[UUID | None]
    data: Mapped[Json]
