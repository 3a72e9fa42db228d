"""Turn a cookie or an API key into a ``Caller``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from archive.access import Caller, Scope
from archive.accounts import queries
from archive.db import now
from archive.errors import NotSignedIn
from archive.models import ApiKey, Session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

# "Last used" is written at most this often: a row written on every request would be a hot spot.
_FRESH_ENOUGH = timedelta(minutes=1)
_ALL = frozenset(Scope)


async def by_cookie(session: AsyncSession, token: str, lifetime: timedelta) -> Caller:
    """Find who this session cookie belongs to; a session in use lives on."""
    found = await queries.live_session(session, token)
    if found is None:
        message = "Your session has ended. Sign in again."
        raise NotSignedIn(message)
    row, account = found
    moment = now()
    if moment - row.last_seen_at > _FRESH_ENOUGH:
        # Not through the row: it may be deleted meanwhile, by a sign-out elsewhere.
        seen = update(Session).where(Session.id == row.id)
        await session.execute(seen.values(last_seen_at=moment, expires_at=moment + lifetime))
    return Caller(account.id, account.email, account.is_admin, _ALL, session_id=row.id)


async def by_key(session: AsyncSession, key: str) -> Caller:
    """Find who this API key belongs to, and what it may be used for."""
    found = await queries.live_key(session, key)
    if found is None:
        message = "This API key is unknown, expired or revoked. Create a new one."
        raise NotSignedIn(message)
    row, account = found
    moment = now()
    if row.last_used_at is None or moment - row.last_used_at > _FRESH_ENOUGH:
        await session.execute(update(ApiKey).where(ApiKey.id == row.id).values(last_used_at=moment))
    scopes = frozenset(Scope(scope) for scope in row.scopes)
    return Caller(account.id, account.email, account.is_admin, scopes, api_key_id=row.id, only_library=row.library_id)
