"""Libraries, their members and invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter

from api.deps import Person, Reader, Running, Transaction, Writer
from api.fields import Document, Email, Name, View
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of
from api.problems import responses
from archive.access import Role
from archive.accounts import service as accounts
from archive.assets import service as assets
from archive.libraries import service as libraries
from archive.links import service as links
from archive.models import Account, Library, Membership

router = APIRouter(prefix="/libraries", tags=["libraries"], responses=responses(401, 403))


class LibraryView(View):
    """A library, and what the caller may do in it."""

    id: UUID
    name: str
    role: Role
    created_at: datetime

    @classmethod
    def of(cls, library: Library, role: str) -> Self:
        """Show a library."""
        return cls(id=library.id, name=library.name, role=Role(role), created_at=library.created_at)


class LibraryName(Document):
    """What a library is called."""

    name: Name


class MemberView(View):
    """Somebody who belongs to a library."""

    account_id: UUID
    email: str
    name: str
    role: Role
    joined_at: datetime

    @classmethod
    def of(cls, membership: Membership, account: Account) -> Self:
        """Show a member."""
        return cls(
            account_id=account.id,
            email=account.email,
            name=account.name,
            role=Role(membership.role),
            joined_at=membership.joined_at,
        )


class RoleChange(Document):
    """The new role."""

    role: Role


class NewInvite(Document):
    """Whom to invite as what. Without an address, whoever holds the link may come."""

    email: Email | None = None
    role: Role


class InviteView(View):
    """An invitation nobody has used yet."""

    id: UUID
    email: str | None
    role: Role
    expires_at: datetime


class CreatedInvite(InviteView):
    """A new invitation: this is the only time its link is shown."""

    link: str


@router.get("")
async def list_libraries(
    caller: Reader, session: Transaction, cursor: CursorQuery = None, limit: Limit = 50
) -> Page[LibraryView]:
    """List the libraries one belongs to."""
    rows = await libraries.page(session, caller, after=id_of(cursor), limit=limit)
    following = cursor_of(rows[-1][0].id) if len(rows) == limit else None
    return Page(items=[LibraryView.of(library, role) for library, role in rows], next=following)


@router.post("", status_code=201)
async def create_library(caller: Writer, session: Transaction, given: LibraryName) -> LibraryView:
    """Make a library and own it."""
    return LibraryView.of(await libraries.create(session, caller, given.name), Role.OWNER)


@router.get("/{library_id}", responses=responses(404))
async def show_library(caller: Reader, session: Transaction, library_id: UUID) -> LibraryView:
    """Show a library."""
    return LibraryView.of(*await libraries.get(session, caller, library_id))


@router.patch("/{library_id}", responses=responses(404))
async def rename_library(caller: Writer, session: Transaction, library_id: UUID, given: LibraryName) -> LibraryView:
    """Give a library another name."""
    return LibraryView.of(*await libraries.rename(session, caller, library_id, given.name))


@router.delete("/{library_id}", status_code=204, responses=responses(404, 409))
async def delete_library(caller: Person, session: Transaction, library_id: UUID) -> None:
    """Delete an empty library."""
    await libraries.delete(session, caller, library_id)


@router.post("/{library_id}/trash/empty", status_code=202, responses=responses(404))
async def empty_trash(caller: Writer, session: Transaction, library_id: UUID) -> None:
    """Destroy, in the background, all that is in a library's trash now."""
    await assets.empty_trash(session, caller, library_id)


@router.get("/{library_id}/members", responses=responses(404))
async def list_members(
    caller: Reader, session: Transaction, library_id: UUID, cursor: CursorQuery = None, limit: Limit = 50
) -> Page[MemberView]:
    """List who belongs to a library."""
    rows = await libraries.members(session, caller, library_id, after=id_of(cursor), limit=limit)
    following = cursor_of(rows[-1][1].id) if len(rows) == limit else None
    return Page(items=[MemberView.of(*row) for row in rows], next=following)


@router.put("/{library_id}/members/{account_id}", responses=responses(404, 409))
async def change_role(
    caller: Person, session: Transaction, library_id: UUID, account_id: UUID, given: RoleChange
) -> MemberView:
    """Change what a member may do."""
    return MemberView.of(*await libraries.set_role(session, caller, library_id, account_id, given.role))


@router.delete("/{library_id}/members/{account_id}", status_code=204, responses=responses(404, 409))
async def remove_member(caller: Person, session: Transaction, library_id: UUID, account_id: UUID) -> None:
    """Remove a member, or leave."""
    await libraries.remove(session, caller, library_id, account_id)


@router.get("/{library_id}/invites", responses=responses(404))
async def list_invites(caller: Reader, session: Transaction, library_id: UUID) -> Page[InviteView]:
    """List the invitations nobody has used yet."""
    rows = await libraries.invites(session, caller, library_id)
    return Page(items=[InviteView.model_validate(row) for row in rows])


@router.post("/{library_id}/invites", status_code=201, responses=responses(404))
async def invite_to_library(
    caller: Person, runtime: Running, session: Transaction, library_id: UUID, given: NewInvite
) -> CreatedInvite:
    """Invite somebody by a one-time link."""
    email = accounts.checked_email(given.email) if given.email else None
    link, token = await libraries.invite(session, caller, library_id, email, given.role)
    view = InviteView.model_validate(link)
    return CreatedInvite(**view.model_dump(), link=links.address(runtime.public_url, token))


@router.delete("/{library_id}/invites/{invite_id}", status_code=204, responses=responses(404))
async def withdraw_invite(caller: Person, session: Transaction, library_id: UUID, invite_id: UUID) -> None:
    """Make an invitation useless."""
    await libraries.withdraw(session, caller, library_id, invite_id)
