"""What happens when somebody opens a one-time link: the first admin, an invitation, a new password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from archive import audit, log
from archive.accounts import attempts, passwords, queries, service, sign_in
from archive.db import now
from archive.errors import AccountExists, Conflict, Invalid, LinkExpired
from archive.libraries import service as libraries
from archive.links import service as links
from archive.models import Library

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller
    from archive.accounts.sign_in import SignedIn
    from archive.db import Database
    from archive.models import Account, Link


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link is for, told to whoever holds it."""

    link: Link
    email: str | None
    library_name: str | None
    account_exists: bool


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody fills in to accept a link."""

    email: str | None
    name: str | None
    password: str


async def inspect(database: Database, token: str) -> Invitation:
    """Say what a link is for. Counted, so that nobody tries tokens by the thousand."""
    await attempts.count(database, (attempts.LINK_ADDRESS, attempts.network(log.bound("ip"))))
    async with database.transaction() as session:
        link = await links.find(session, token)
        account = await queries.account(session, link.account_id) if link.account_id else None
        email = account.email if account else link.email
        exists = account is not None or bool(email and await queries.by_email(session, email))
        library = await session.get(Library, link.library_id) if link.library_id else None
        return Invitation(link, email, library.name if library else None, exists)


async def accept(
    database: Database, token: str, newcomer: Newcomer, lifetime: timedelta, user_agent: str | None
) -> SignedIn | None:
    """Use a link. A new account is signed in at once; after a reset the person signs in, with the second factor."""
    invitation = await inspect(database, token)
    email = _email_of(invitation, newcomer)
    passwords.check_strength(newcomer.password, email)
    hashed = await passwords.hash_password(newcomer.password)
    async with database.transaction() as session:
        link = await links.find(session, token, for_use=True)
        link.used_at = now()
        if link.kind == "password_reset":
            await _reset(session, link, hashed)
            return None
        account = await _new_account(session, link, email, newcomer.name, hashed)
        return await sign_in.open_session(session, account, lifetime, user_agent)


async def join(session: AsyncSession, caller: Caller, token: str) -> tuple[Library, str]:
    """Use an invitation to a library with the account one is signed in with."""
    link = await links.find(session, token, for_use=True)
    if link.kind != "invite" or link.library_id is None or link.role is None:
        message = "This link is not an invitation to a library; sign out and open it again."
        raise Conflict(message)
    if link.email and link.email.lower() != caller.email.lower():
        message = f"This invitation is for {link.email}. Sign in with that account, or ask for an open link."
        raise Conflict(message)
    link.used_at = now()
    library = await libraries.join(session, caller.account_id, link.library_id, link.role)
    audit.record(session, "invite.accepted", caller=caller, library_id=library.id, target=link.id)
    return library, link.role


def _email_of(invitation: Invitation, newcomer: Newcomer) -> str:
    if invitation.link.kind == "password_reset":
        return invitation.email or ""
    if invitation.account_exists:
        raise AccountExists
    email = invitation.email or newcomer.email
    if not email:
        message = "Give the e-mail address of the new account."
        raise Invalid(message)
    return service.checked_email(email)


async def _reset(session: AsyncSession, link: Link, hashed: str) -> None:
    if link.account_id is None:
        raise LinkExpired
    account = await queries.account(session, link.account_id, lock=True)
    account.password_hash = hashed
    await sign_in.close_other_sessions(session, account.id)
    await links.revoke(session, "password_reset", account_id=account.id)
    audit.record(session, "password.reset", actor=(account.id, account.email), target=account.id)


async def _new_account(session: AsyncSession, link: Link, email: str, name: str | None, hashed: str) -> Account:
    shown = name or email.partition("@")[0]
    admin = link.kind == "first_admin" or link.is_admin
    account = await service.create(session, email=email, name=shown, password_hash=hashed, is_admin=admin)
    service.record_creation(session, account, by=link.kind)
    # Everybody starts with a library of their own; who was invited to another has that one too.
    await libraries.make_for(session, account.id, shown)
    if link.library_id and link.role:
        await libraries.join(session, account.id, link.library_id, link.role)
        actor = (account.id, account.email)
        audit.record(session, "invite.accepted", actor=actor, library_id=link.library_id, target=link.id)
    return account
