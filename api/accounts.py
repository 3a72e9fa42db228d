"""Everybody's accounts, invitations and the audit log, for admins."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.deps import Admin, AdminPerson, Running, Transaction
from api.fields import Document, Email, View
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of, number_of
from api.problems import responses
from archive import audit
from archive.accounts import service as accounts
from archive.links import service as links
from archive.models import Account

router = APIRouter(tags=["administration"], responses=responses(401, 403))


class AccountRow(View):
    """An account, as admins see it."""

    id: UUID
    email: str
    name: str
    is_admin: bool
    disabled: bool
    totp_enabled: bool
    created_at: datetime

    @classmethod
    def of(cls, account: Account) -> Self:
        """Show an account."""
        return cls(
            id=account.id,
            email=account.email,
            name=account.name,
            is_admin=account.is_admin,
            disabled=account.disabled_at is not None,
            totp_enabled=account.totp_confirmed_at is not None,
            created_at=account.created_at,
        )


class AccountDecision(Document):
    """What to change. ``totp_enabled`` can only be set to false: for somebody whose second factor is lost."""

    disabled: bool | None = None
    is_admin: bool | None = None
    totp_enabled: Literal[False] | None = None


class NewInvitation(Document):
    """Whom to invite to this installation. Without an address, whoever holds the link may come."""

    email: Email | None = None
    is_admin: bool = False


class OneTimeLink(View):
    """A link to hand over; it is shown once."""

    link: str = Field(examples=["https://photos.example.org/welcome#…"])
    expires_at: datetime


class Invitation(View):
    """An invitation to this installation."""

    id: UUID
    email: str | None
    is_admin: bool
    expires_at: datetime


class CreatedInvitation(Invitation, OneTimeLink):
    """A new invitation: this is the only time its link is shown."""


class AuditRow(View):
    """One entry of the audit log."""

    id: int
    at: datetime
    action: str = Field(examples=["session.opened"])
    actor_id: UUID | None
    actor_email: str | None
    library_id: UUID | None
    target: str | None
    ip: str | None
    request_id: str | None
    details: dict[str, Any]


@router.get("/accounts")
async def list_accounts(
    _caller: Admin, session: Transaction, cursor: CursorQuery = None, limit: Limit = 50
) -> Page[AccountRow]:
    """List all accounts."""
    rows = await accounts.page(session, after=id_of(cursor), limit=limit)
    following = cursor_of(rows[-1].id) if len(rows) == limit else None
    return Page(items=[AccountRow.of(row) for row in rows], next=following)


@router.patch("/accounts/{account_id}", responses=responses(404, 409))
async def decide(caller: AdminPerson, session: Transaction, account_id: UUID, given: AccountDecision) -> AccountRow:
    """Disable or enable an account, make it an admin or not, or drop a second factor that was lost."""
    account = await accounts.administer(
        session,
        caller,
        account_id,
        disabled=given.disabled,
        is_admin=given.is_admin,
        drop_second_factor=given.totp_enabled is False,
    )
    return AccountRow.of(account)


@router.post("/accounts/{account_id}/reset-link", status_code=201, responses=responses(404))
async def make_reset_link(caller: AdminPerson, runtime: Running, session: Transaction, account_id: UUID) -> OneTimeLink:
    """Make a password reset link to hand over."""
    link, token = await accounts.reset_link(session, caller, account_id)
    return OneTimeLink(link=links.address(runtime.public_url, token), expires_at=link.expires_at)


@router.post("/invites", status_code=201)
async def invite_to_installation(
    caller: AdminPerson, runtime: Running, session: Transaction, given: NewInvitation
) -> CreatedInvitation:
    """Invite somebody to this installation."""
    link, token = await accounts.invite(session, caller, given.email, is_admin=given.is_admin)
    shown = Invitation.model_validate(link).model_dump()
    return CreatedInvitation(**shown, link=links.address(runtime.public_url, token))


@router.get("/invites")
async def list_installation_invites(_caller: Admin, session: Transaction) -> Page[Invitation]:
    """List the invitations to this installation nobody has used yet."""
    return Page(items=[Invitation.model_validate(row) for row in await accounts.invites(session)])


@router.delete("/invites/{invite_id}", status_code=204, responses=responses(404))
async def withdraw_installation_invite(caller: AdminPerson, session: Transaction, invite_id: UUID) -> None:
    """Make an invitation to this installation useless."""
    await accounts.withdraw(session, caller, invite_id)


@router.get("/audit")
async def list_audit(
    _caller: Admin, session: Transaction, cursor: CursorQuery = None, limit: Limit = 50
) -> Page[AuditRow]:
    """Read the audit log, newest first."""
    rows = await audit.page(session, before=number_of(cursor), limit=limit)
    following = cursor_of(rows[-1].id) if len(rows) == limit else None
    return Page(items=[AuditRow.model_validate(row) for row in rows], next=following)
