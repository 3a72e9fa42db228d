"""The installation itself: one row."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created


class Installation(Base):
    """Made at first start. ``key_check`` tells a wrong root key from the right one without revealing either."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=text("1"))
    key_check: Mapped[bytes]
    # The code that opens the key file of a backup, sealed under the root key.
    recovery_sealed: Mapped[bytes | None]
    created_at: Mapped[Created]
