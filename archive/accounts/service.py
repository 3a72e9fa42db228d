"""What people do with their own account, and what admins do with everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from archive import audit
from archive.accounts import attempts, passwords, queries, second_factor, sign_in
from archive.db import now
from archive.errors import AccountExists, Invalid, LastOwner, MailNotConfigured, NotFound, SignInFailed
from archive.links import service as links
from archive.models import Account, Link
from archive.queue.kinds import PASSWORD_RESET
from archive.queue.service import enqueue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller
    from archive.db import Database
    from archive.mail import Mailer
    from archive.models import Session

LOCALES = ("en", "ru")


def checked_email(email: str) -> str:
    """Normalise an address, or say what is wrong with it. Whether mail arrives there is not asked of the network."""
    try:
        return validate_email(email, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        message = f"This is not an e-mail address: {error}"
        raise Invalid(message) from error


async def create(
    session: AsyncSession, *, email: str, name: str, password_hash: str | None, is_admin: bool = False
) -> Account:
    """Make an account."""
    account = Account(email=checked_email(email), name=name, password_hash=password_hash, is_admin=is_admin)
    session.add(account)
    try:
        await session.flush()
    except IntegrityError as error:
        raise AccountExists from error
    # There is somebody now: the link for the first admin, which lies in a terminal or a log, has done its work.
    await links.revoke(session, "first_admin")
    return account


async def get(session: AsyncSession, account_id: UUID) -> Account:
    """Find an account."""
    return await queries.account(session, account_id)


async def find(session: AsyncSession, email: str) -> Account:
    """Find the account of an address."""
    account = await queries.by_email(session, email)
    if account is None:
        message = f"There is no account with the address {email}. 'tagphoto account list' shows those there are."
        raise Invalid(message)
    return account


def record_creation(session: AsyncSession, account: Account, *, by: str) -> None:
    """Audit that an account was made, and by what."""
    actor = (account.id, account.email)
    audit.record(session, "account.created", actor=actor, target=account.id, by=by, is_admin=account.is_admin)


async def update(session: AsyncSession, caller: Caller, *, name: str | None, locale: str | None) -> Account:
    """Change one's own name or language."""
    account = await queries.account(session, caller.account_id)
    account.name = name or account.name
    account.locale = locale or account.locale
    await session.flush()
    return account


async def prove_password(database: Database, caller: Caller, password: str) -> str:
    """Ask for the password again before something weighty. Gives the hash it was proved against."""
    await attempts.count(database, (attempts.PASSWORD_ACCOUNT, str(caller.account_id)))
    async with database.transaction() as session:
        stored = (await queries.account(session, caller.account_id)).password_hash
    if stored is None or not await passwords.matches(stored, password):
        async with database.transaction() as session:
            audit.record(session, "password.refused", caller=caller, target=caller.account_id)
        raise SignInFailed
    await attempts.forget(database, attempts.PASSWORD_ACCOUNT, str(caller.account_id))
    return stored


async def change_password(database: Database, caller: Caller, current: str, new: str) -> None:
    """Change one's own password; every other session ends."""
    passwords.check_strength(new, caller.email)
    proved = await prove_password(database, caller, current)
    hashed = await passwords.hash_password(new)
    async with database.transaction() as session:
        account = await queries.account(session, caller.account_id, lock=True)
        if account.password_hash != proved:
            # Changed meanwhile, perhaps by the owner against whoever this is.
            raise SignInFailed
        account.password_hash = hashed
        await links.revoke(session, "password_reset", account_id=account.id)
        await sign_in.close_other_sessions(session, account.id, keep=caller.session_id)
        audit.record(session, "password.changed", caller=caller, target=account.id)


async def sessions(session: AsyncSession, caller: Caller) -> list[Session]:
    """List where the account is signed in."""
    return await queries.sessions(session, caller.account_id)


async def request_reset(database: Database, mailer: Mailer, email: str, ip: str) -> None:
    """Send a reset link, if there is such an account; whether there is, is not told."""
    if not mailer.configured:
        raise MailNotConfigured
    await attempts.count(database, (attempts.RESET_ADDRESS, attempts.network(ip)), (attempts.RESET_ACCOUNT, email))
    async with database.transaction() as session:
        account = await queries.by_email(session, email)
        if account is not None and account.disabled_at is None:
            # The link is made by the job, so that no working token ever lies in the jobs table.
            await enqueue(session, PASSWORD_RESET, {"account_id": str(account.id)}, key=str(account.id))
            audit.record(session, "password.reset_requested", actor=(account.id, account.email))


async def page(session: AsyncSession, *, after: UUID | None, limit: int) -> list[Account]:
    """List all accounts, for admins."""
    return await queries.accounts(session, after=after, limit=limit)


async def administer(
    session: AsyncSession,
    caller: Caller,
    account_id: UUID,
    *,
    disabled: bool | None = None,
    is_admin: bool | None = None,
    drop_second_factor: bool = False,
) -> Account:
    """Disable or enable an account, make it an admin or not, or help somebody whose second factor is lost.

    A disabled account is signed out everywhere at once.
    """
    # One decision after the other: two admins who remove each other at once would leave none.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("tagphoto.administer"))))
    account = await queries.account(session, account_id, lock=True)
    if drop_second_factor and account.totp_sealed is not None:
        await second_factor.drop(session, account)
        audit.record(session, "second_factor.dropped_by_admin", caller=caller, target=account_id)
    if is_admin is not None and is_admin != account.is_admin:
        account.is_admin = is_admin
        if not is_admin:
            await links.revoke_made_by(session, account_id, Link.library_id.is_(None))
        audit.record(session, "account.admin_changed", caller=caller, target=account_id, is_admin=is_admin)
    if disabled is not None and disabled != (account.disabled_at is not None):
        account.disabled_at = now() if disabled else None
        if disabled:
            await sign_in.close_other_sessions(session, account_id)
            await links.revoke_made_by(session, account_id)
        audit.record(session, "account.disabled" if disabled else "account.enabled", caller=caller, target=account_id)
    await session.flush()
    if await queries.active_admins(session) == 0:
        message = "The installation needs an admin who can sign in. Make somebody else an admin first."
        raise LastOwner(message)
    return account


async def reset_link(session: AsyncSession, caller: Caller | None, account_id: UUID) -> tuple[Link, str]:
    """Make a password reset link for an admin to hand over."""
    account = await queries.account(session, account_id)
    if account.disabled_at is not None:
        message = "This account is disabled. Enable it first."
        raise Invalid(message)
    await links.revoke(session, "password_reset", account_id=account_id)
    audit.record(session, "password.reset_link_made", caller=caller, target=account_id)
    return await links.make(
        session, "password_reset", account_id=account_id, created_by=caller.account_id if caller else None
    )


async def invite(session: AsyncSession, caller: Caller, email: str | None, *, is_admin: bool) -> tuple[Link, str]:
    """Invite somebody to the installation; they get a library of their own."""
    link, token = await links.make(
        session,
        "invite",
        email=checked_email(email) if email else None,
        is_admin=is_admin,
        created_by=caller.account_id,
    )
    audit.record(session, "invite.created", caller=caller, target=link.id, is_admin=is_admin)
    return link, token


async def invites(session: AsyncSession) -> list[Link]:
    """List the invitations to the installation nobody has used yet."""
    return await links.installation_invites(session)


async def withdraw(session: AsyncSession, caller: Caller, invite_id: UUID) -> None:
    """Make an invitation to the installation useless."""
    link = next((link for link in await links.installation_invites(session) if link.id == invite_id), None)
    if link is None:
        raise NotFound("invitation")
    link.used_at = now()
    audit.record(session, "invite.withdrawn", caller=caller, target=invite_id)


async def close_session(session: AsyncSession, caller: Caller, session_id: UUID) -> None:
    """End one of one's own sessions."""
    if not await sign_in.close_session(session, caller, session_id):
        raise NotFound("session")
