"""Sign in and out. Hashing takes long, so no database connection is held meanwhile; counting comes before checking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete

from archive import audit, log
from archive.accounts import attempts, passwords, queries, second_factor
from archive.db import now
from archive.errors import SecondFactorFailed, SecondFactorRequired, SignInFailed, TooManyAttempts
from archive.ids import new_token, token_hash
from archive.models import Session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller
    from archive.db import Database
    from archive.keyring import Keyring
    from archive.models import Account


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the token is for the cookie and is nowhere else."""

    account: Account
    token: str
    expires_at: datetime


async def sign_in(  # what a sign-in consists of
    database: Database,
    keyring: Keyring,
    *,
    email: str,
    password: str,
    code: str | None,
    lifetime: timedelta,
    user_agent: str | None,
) -> SignedIn:
    """Check the password, then the second factor, and open a session."""
    source = attempts.network(log.bound("ip"))
    here = f"{email} from {source}"
    await _count(database, email, here, source)
    async with database.transaction() as session:
        account = await queries.by_email(session, email)
    known = account if account and account.disabled_at is None else None
    if not await passwords.matches(known.password_hash if known else None, password) or known is None:
        await _record_failure(database, account, "password")
        raise SignInFailed
    signed_in = await _second_step(database, keyring, known, password, code, lifetime, user_agent)
    await attempts.forget(database, attempts.SIGN_IN_ACCOUNT, here)
    return signed_in


async def _count(database: Database, email: str, here: str, source: str) -> None:
    try:
        await attempts.count(
            database,
            (attempts.SIGN_IN_ADDRESS, source),
            (attempts.SIGN_IN_ACCOUNT, here),
            (attempts.SIGN_IN_ANYWHERE, email),
        )
    except TooManyAttempts as error:
        if error.first:
            async with database.transaction() as session:
                account = await queries.by_email(session, email)
            await _record_failure(database, account, "too_many")
        raise


async def _second_step(  # continues sign_in
    database: Database,
    keyring: Keyring,
    known: Account,
    password: str,
    code: str | None,
    lifetime: timedelta,
    user_agent: str | None,
) -> SignedIn:
    fresh_hash = await passwords.hash_password(password) if passwords.is_outdated(known.password_hash or "") else None
    try:
        async with database.transaction() as session:
            # Locked: the same code sent twice at once is accepted once.
            account = await queries.account(session, known.id, lock=True)
            if account.disabled_at is not None or account.password_hash != known.password_hash:
                raise SignInFailed
            how = "password"
            if account.totp_confirmed_at is not None:
                if not code:
                    raise SecondFactorRequired
                how = await second_factor.check(session, keyring, account, code)
            account.password_hash = fresh_hash or account.password_hash
            audit.record(session, "session.opened", actor=(account.id, account.email), how=how)
            return await open_session(session, account, lifetime, user_agent)
    except SecondFactorFailed:
        await _record_failure(database, known, "second_factor")
        raise


async def open_session(
    session: AsyncSession, account: Account, lifetime: timedelta, user_agent: str | None
) -> SignedIn:
    """Open a session for an account that has just proved itself."""
    token, expires_at = new_token(), now() + lifetime
    session.add(
        Session(
            account_id=account.id,
            token_hash=token_hash(token),
            expires_at=expires_at,
            ip=log.bound("ip"),
            user_agent=user_agent[:300] if user_agent else None,
        )
    )
    await session.flush()
    return SignedIn(account, token, expires_at)


async def close_session(session: AsyncSession, caller: Caller, session_id: UUID) -> bool:
    """End one of the caller's own sessions."""
    ended = delete(Session).where(Session.id == session_id, Session.account_id == caller.account_id)
    gone = (await session.scalars(ended.returning(Session.id))).one_or_none() is not None
    if gone:
        audit.record(session, "session.closed", caller=caller, target=session_id)
    return gone


async def close_other_sessions(session: AsyncSession, account_id: UUID, keep: UUID | None = None) -> None:
    """End an account's sessions, but for one."""
    ended = delete(Session).where(Session.account_id == account_id)
    await session.execute(ended.where(Session.id != keep) if keep else ended)


async def _record_failure(database: Database, account: Account | None, step: str) -> None:
    # In its own transaction: the request itself ends in an error and is rolled back.
    async with database.transaction() as session:
        actor = (account.id, account.email) if account else None
        audit.record(session, "session.refused", actor=actor, step=step, known=account is not None)
