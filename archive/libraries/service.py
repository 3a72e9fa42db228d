"""Make, rename and delete libraries; invite, promote and remove their members."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from archive import audit
from archive.access import Caller, Role, Scope
from archive.db import now
from archive.errors import LastOwner, LibraryNotEmpty, NotFound
from archive.libraries import queries
from archive.links import service as links
from archive.models import Library, Link, Membership

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Account


async def page(session: AsyncSession, caller: Caller, *, after: UUID | None, limit: int) -> list[tuple[Library, str]]:
    """List the caller's libraries."""
    return await queries.page(session, caller, after=after, limit=limit)


async def get(session: AsyncSession, caller: Caller, library_id: UUID) -> tuple[Library, Role]:
    """Find a library the caller belongs to."""
    return await queries.get(session, caller, library_id)


async def get_for(session: AsyncSession, caller: Caller, library_id: UUID, role: Role) -> tuple[Library, Role]:
    """Find a library in which the caller is at least this."""
    return await queries.get(session, caller, library_id, role)


async def create(session: AsyncSession, caller: Caller, name: str) -> Library:
    """Make a library that the caller owns."""
    caller.require_whole_account()
    library = await make_for(session, caller.account_id, name)
    audit.record(session, "library.created", caller=caller, library_id=library.id, name=name)
    return library


async def make_for(session: AsyncSession, account_id: UUID, name: str) -> Library:
    """Make a library owned by an account."""
    library = Library(name=name)
    session.add(library)
    await session.flush()
    session.add(Membership(library_id=library.id, account_id=account_id, role=Role.OWNER))
    await session.flush()
    return library


async def rename(session: AsyncSession, caller: Caller, library_id: UUID, name: str) -> tuple[Library, Role]:
    """Give a library another name."""
    library, role = await queries.get(session, caller, library_id, Role.OWNER)
    audit.record(session, "library.renamed", caller=caller, library_id=library_id, old=library.name, new=name)
    library.name = name
    return library, role


async def delete(session: AsyncSession, caller: Caller, library_id: UUID) -> None:
    """Delete an empty library. Foreign keys decide what counts as empty."""
    library, _ = await queries.get(session, caller, library_id, Role.OWNER, lock=True)
    audit.record(session, "library.deleted", caller=caller, library_id=library_id, name=library.name)
    await session.delete(library)
    try:
        await session.flush()
    except IntegrityError as error:
        raise LibraryNotEmpty from error


async def members(
    session: AsyncSession, caller: Caller, library_id: UUID, *, after: UUID | None, limit: int
) -> list[tuple[Membership, Account]]:
    """List who belongs to a library."""
    await queries.get(session, caller, library_id)
    return await queries.members(session, library_id, after=after, limit=limit)


async def set_role(
    session: AsyncSession, caller: Caller, library_id: UUID, account_id: UUID, role: Role
) -> tuple[Membership, Account]:
    """Change a member's role."""
    await queries.get(session, caller, library_id, Role.OWNER, lock=True)
    membership, account = await queries.member(session, library_id, account_id)
    if membership.role == Role.OWNER and role is not Role.OWNER:
        await _another_owner(session, library_id)
        await links.revoke_made_by(session, account_id, Link.library_id == library_id)
    audit.record(
        session,
        "member.role_changed",
        caller=caller,
        library_id=library_id,
        target=account_id,
        old=membership.role,
        new=role,
    )
    membership.role = role
    return membership, account


async def remove(session: AsyncSession, caller: Caller, library_id: UUID, account_id: UUID) -> None:
    """Remove a member; anybody may leave."""
    needed = Role.VIEWER if account_id == caller.account_id else Role.OWNER
    await queries.get(session, caller, library_id, needed, lock=True)
    membership, _ = await queries.member(session, library_id, account_id)
    if membership.role == Role.OWNER:
        await _another_owner(session, library_id)
        await links.revoke_made_by(session, account_id, Link.library_id == library_id)
    audit.record(session, "member.removed", caller=caller, library_id=library_id, target=account_id)
    await session.delete(membership)


async def invite(
    session: AsyncSession, caller: Caller, library_id: UUID, email: str | None, role: Role
) -> tuple[Link, str]:
    """Invite somebody by a one-time link."""
    await queries.get(session, caller, library_id, Role.OWNER)
    link, token = await links.make(
        session, "invite", email=email, library_id=library_id, role=role, created_by=caller.account_id
    )
    audit.record(session, "invite.created", caller=caller, library_id=library_id, target=link.id, role=role)
    return link, token


async def invites(session: AsyncSession, caller: Caller, library_id: UUID) -> list[Link]:
    """List the invitations nobody has used yet."""
    await queries.get(session, caller, library_id, Role.OWNER)
    return await queries.invites(session, library_id)


async def withdraw(session: AsyncSession, caller: Caller, library_id: UUID, invite_id: UUID) -> None:
    """Make an invitation useless."""
    await queries.get(session, caller, library_id, Role.OWNER)
    link = await session.scalar(select(Link).where(Link.id == invite_id, Link.library_id == library_id))
    if link is None or link.used_at is not None:
        raise NotFound("invitation")
    link.used_at = now()
    audit.record(session, "invite.withdrawn", caller=caller, library_id=library_id, target=invite_id)


async def join(session: AsyncSession, account_id: UUID, library_id: UUID, role: str) -> Library:
    """Make an account a member; who already is one keeps the higher of the two roles."""
    library = await session.get_one(Library, library_id)
    # Two invitations accepted at once by one account are one membership.
    new = insert(Membership).values(library_id=library_id, account_id=account_id, role=role)
    await session.execute(new.on_conflict_do_nothing())
    membership = await session.get_one(Membership, (library_id, account_id), with_for_update=True)
    if Role(role).at_least(Role(membership.role)):
        membership.role = role
    await session.flush()
    return library


async def visible_ids(session: AsyncSession, caller: Caller) -> frozenset[UUID]:
    """Give the ids of all libraries the caller may see."""
    caller.require(Scope.READ)
    rows = await session.execute(queries.visible(caller).with_only_columns(Library.id))
    return frozenset(rows.scalars())


async def _another_owner(session: AsyncSession, library_id: UUID) -> None:
    if await queries.owners(session, library_id) <= 1:
        message = "A library needs an owner. Make somebody else an owner first."
        raise LastOwner(message)
