"""The one door to libraries: every query starts from what the caller may see."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Select, func, select

from archive.access import Caller, Role
from archive.errors import Forbidden, NotFound
from archive.models import Account, Library, Link, Membership

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


def visible(caller: Caller) -> Select[Library, str]:
    """Select the libraries this caller belongs to, with their role. Admins see no more than others: no peeping."""
    statement = (
        select(Library, Membership.role)
        .join(Membership, Membership.library_id == Library.id)
        .where(Membership.account_id == caller.account_id)
    )
    if caller.only_library is not None:
        statement = statement.where(Library.id == caller.only_library)
    return statement


async def page(session: AsyncSession, caller: Caller, *, after: UUID | None, limit: int) -> list[tuple[Library, str]]:
    """List the caller's libraries, oldest first."""
    statement = visible(caller).order_by(Library.id).limit(limit)
    if after is not None:
        statement = statement.where(Library.id > after)
    return [(library, role) for library, role in await session.execute(statement)]


async def get(
    session: AsyncSession, caller: Caller, library_id: UUID, role: Role = Role.VIEWER, *, lock: bool = False
) -> tuple[Library, Role]:
    """Find a library the caller belongs to, with at least this role in it."""
    statement = visible(caller).where(Library.id == library_id)
    if lock:
        statement = statement.with_for_update(of=Library)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("library")
    library, held = row[0], Role(row[1])
    if not held.at_least(role):
        message = f"You are {held} of this library; this needs {role}."
        raise Forbidden(message)
    return library, held


async def members(
    session: AsyncSession, library_id: UUID, *, after: UUID | None, limit: int
) -> list[tuple[Membership, Account]]:
    """List a library's members."""
    statement = (
        select(Membership, Account)
        .join(Account, Account.id == Membership.account_id)
        .where(Membership.library_id == library_id)
        .order_by(Membership.account_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(Membership.account_id > after)
    return list(await session.execute(statement))


async def member(session: AsyncSession, library_id: UUID, account_id: UUID) -> tuple[Membership, Account]:
    """Find one member."""
    statement = (
        select(Membership, Account)
        .join(Account, Account.id == Membership.account_id)
        .where(Membership.library_id == library_id, Membership.account_id == account_id)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("member")
    return row


async def owners(session: AsyncSession, library_id: UUID) -> int:
    """Count a library's owners."""
    statement = select(func.count()).where(Membership.library_id == library_id, Membership.role == Role.OWNER)
    return await session.scalar(statement) or 0


async def invites(session: AsyncSession, library_id: UUID) -> list[Link]:
    """List a library's invitations that still work."""
    statement = select(Link).where(Link.library_id == library_id, Link.used_at.is_(None), Link.expires_at > func.now())
    return list(await session.scalars(statement.order_by(Link.id)))
