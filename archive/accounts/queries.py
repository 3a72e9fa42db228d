"""Find accounts, sessions and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select

from archive.db import now
from archive.errors import NotFound
from archive.ids import token_hash
from archive.models import Account, ApiKey, Session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


async def by_email(session: AsyncSession, email: str) -> Account | None:
    """Find the account of an address, however its letters are written."""
    return await session.scalar(select(Account).where(func.lower(Account.email) == email.lower()))


async def account(session: AsyncSession, account_id: UUID, *, lock: bool = False) -> Account:
    """Find an account by id."""
    found = await session.get(Account, account_id, with_for_update=lock or None)
    if found is None:
        raise NotFound("account")
    return found


async def accounts(session: AsyncSession, *, after: UUID | None, limit: int) -> list[Account]:
    """List all accounts, oldest first."""
    statement = select(Account).order_by(Account.id).limit(limit)
    if after is not None:
        statement = statement.where(Account.id > after)
    return list(await session.scalars(statement))


async def live_session(session: AsyncSession, token: str) -> tuple[Session, Account] | None:
    """Find the session of a cookie, if it and its account are alive."""
    statement = (
        select(Session, Account)
        .join(Account, Account.id == Session.account_id)
        .where(Session.token_hash == token_hash(token), Session.expires_at > now(), Account.disabled_at.is_(None))
    )
    return (await session.execute(statement)).one_or_none()


async def live_key(session: AsyncSession, key: str) -> tuple[ApiKey, Account] | None:
    """Find an API key, if it and its account are alive."""
    statement = (
        select(ApiKey, Account)
        .join(Account, Account.id == ApiKey.account_id)
        .where(ApiKey.key_hash == token_hash(key), ApiKey.revoked_at.is_(None), Account.disabled_at.is_(None))
        .where(ApiKey.expires_at.is_(None) | (ApiKey.expires_at > now()))
    )
    return (await session.execute(statement)).one_or_none()


async def sessions(session: AsyncSession, account_id: UUID) -> list[Session]:
    """List an account's live sessions, newest first."""
    statement = select(Session).where(Session.account_id == account_id, Session.expires_at > now())
    return list(await session.scalars(statement.order_by(Session.last_seen_at.desc())))


async def api_keys(session: AsyncSession, account_id: UUID) -> list[ApiKey]:
    """List an account's keys that were not revoked, expired ones among them, newest first."""
    statement = select(ApiKey).where(ApiKey.account_id == account_id, ApiKey.revoked_at.is_(None))
    return list(await session.scalars(statement.order_by(ApiKey.id.desc())))


async def active_admins(session: AsyncSession) -> int:
    """Count the admins who are not disabled. One without a password yet has a link, or gets one by command."""
    statement = select(func.count()).where(Account.is_admin, Account.disabled_at.is_(None))
    return await session.scalar(statement) or 0
