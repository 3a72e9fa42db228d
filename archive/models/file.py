"""What is kept: files sealed under a key of their own, and the objects of the store that hold their bytes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id

# An original as received, a file derived from one, an original in another form.
KINDS = ("original", "rendition", "exact", "lossy")


class LibraryKey(Base):
    """A key of a library, wrapped under a root key. The keys of its files are wrapped under purpose 'content'."""

    __tablename__ = "library_key"
    __table_args__ = (CheckConstraint("purpose IN ('content', 'identity')", name="purpose"),)

    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root_id: Mapped[bytes] = mapped_column(index=True)
    wrapped: Mapped[bytes]
    created_at: Mapped[Created]


class File(Base):
    """What is kept as one, in one or more objects. While it is filled, its size and objects are those committed."""

    __tablename__ = "file"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("state IN ('filling', 'whole')", name="state"),
        # What nobody may go on filling.
        Index("ix_file_filling", "created_at", postgresql_where=text("state = 'filling'")),
        # What a rotation of the library's key reads.
        Index("ix_file_key_version", "library_id", "key_version", "id"),
    )

    id: Mapped[Id]
    # Without a cascade: while it holds a file, a library cannot be deleted.
    library_id: Mapped[UUID] = mapped_column(ForeignKey("library.id"))
    kind: Mapped[str]
    generation: Mapped[int] = mapped_column(server_default=text("1"))
    state: Mapped[str] = mapped_column(server_default=text("'filling'"))
    size: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    objects: Mapped[int] = mapped_column(server_default=text("0"))
    key_version: Mapped[int]
    wrapped: Mapped[bytes]
    created_at: Mapped[Created]


class Object(Base):
    """Sealed bytes in the store: the part of a file that begins at ``start``."""

    __tablename__ = "object"
    __table_args__ = (
        # One object a place.
        Index("uq_object_place", "file_id", "start", unique=True),
        # What the scrub reads: never verified first, then the longest ago.
        Index("ix_object_verified_at", text("verified_at NULLS FIRST"), "key"),
        Index("ix_object_damage", "key", postgresql_where=text("damage IS NOT NULL")),
        Index("ix_object_unmirrored", "created_at", "key", postgresql_where=text("mirrored_at IS NULL")),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    # Without a cascade: whoever deletes a file says what becomes of its objects.
    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"))
    start: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    sealed_size: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes]
    created_at: Mapped[Created]
    verified_at: Mapped[datetime | None]
    damage: Mapped[str | None]
    damaged_at: Mapped[datetime | None]
    mirrored_at: Mapped[datetime | None]


class Deletion(Base):
    """A store key whose row is gone: to be deleted from the stores, once nobody can be reading it any more."""

    __tablename__ = "deletion"

    key: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)


class Stray(Base):
    """A key in a store that no table knows. What a write in progress leaves for a moment is known within a day."""

    __tablename__ = "stray"

    place: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[Created]


class Tombstone(Base):
    """A file that was purged: what was deleted stays deleted, also when an old backup is restored."""

    __tablename__ = "tombstone"

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    library_id: Mapped[UUID]
    purged_at: Mapped[Created]
