"""Backups, as this installation knows them; what they hold is written in their target."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created

# Damaged: it is there, and lacks objects that the store did not give whole. Restoring: this database is made of it now.
STATES = ("running", "verified", "damaged", "failed", "removed", "restoring")


class Backup(Base):
    """One backup: where, when, how much, and whether it was found right."""

    __tablename__ = "backup"
    __table_args__ = (CheckConstraint(f"state IN {STATES}", name="state"),)

    # The moment it began, as its keys in the target say.
    id: Mapped[str] = mapped_column(primary_key=True)
    # Without a password.
    target: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'running'"))
    started_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
    objects: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    new_objects: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    new_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    missing: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # How its tables were proven: restored, or read back.
    proof: Mapped[str | None]
    error: Mapped[str | None]
