"""Accounts and what proves who somebody is: sessions, recovery codes, API keys, and counted attempts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id


class Account(Base):
    """A person."""

    __tablename__ = "account"
    # One account an address, however its letters are written.
    __table_args__ = (Index("uq_account_email", func.lower(text("email")), unique=True),)

    id: Mapped[Id]
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    is_admin: Mapped[bool] = mapped_column(server_default=text("false"))
    locale: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    # The TOTP secret is sealed under a key derived from the root key: a stolen database gives no second factor.
    totp_sealed: Mapped[bytes | None]
    totp_confirmed_at: Mapped[datetime | None]
    # The last time step a code was accepted for: the same code is never accepted twice.
    totp_last_step: Mapped[int] = mapped_column(server_default=text("0"))


class RecoveryCode(Base):
    """One of the codes that stand in for a lost second factor; each works once."""

    __tablename__ = "recovery_code"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[bytes]
    used_at: Mapped[datetime | None]


class Session(Base):
    """A signed-in browser. The cookie holds a random token, the table its hash."""

    __tablename__ = "session"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[Created]
    last_seen_at: Mapped[Created]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]


class ApiKey(Base):
    """A key for programs: stored hashed, shown once."""

    __tablename__ = "api_key"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    # A key may be bound to one library; then it sees no other.
    library_id: Mapped[UUID | None] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[Created]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Attempt(Base):
    """How often something guessable was tried in the present window, by a hashed subject."""

    __tablename__ = "attempt"

    subject: Mapped[bytes] = mapped_column(primary_key=True)
    count: Mapped[int]
    window_ends_at: Mapped[datetime] = mapped_column(index=True)
