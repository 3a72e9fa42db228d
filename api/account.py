"""One's own account: profile, password, second factor, sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import segno
from fastapi import APIRouter
from pydantic import Field

from api.deps import Person, Reader, Running, Transaction
from api.fields import Document, Name, Password, Text, View
from api.paging import Page
from api.problems import responses
from api.session import AccountView, account_view
from archive.accounts import second_factor
from archive.accounts import service as accounts

router = APIRouter(prefix="/account", tags=["account"], responses=responses(401, 403))


class AccountChange(Document):
    """What to change; what is left out stays."""

    name: Name | None = None
    locale: Literal["en", "ru"] | None = None


class PasswordChange(Document):
    """The password so far, and the new one."""

    current_password: Password
    new_password: Password


class Proof(Document):
    """The password, asked for again before something weighty."""

    password: Password


class Code(Document):
    """A code of the authenticator app."""

    code: Text = Field(min_length=6, max_length=10, examples=["123456"])


class SessionRow(View):
    """Where the account is signed in."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str | None
    user_agent: str | None
    current: bool


class EnrolmentView(View):
    """What an authenticator app needs; shown once."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodes(View):
    """Codes that stand in for the second factor, each once; shown once."""

    recovery_codes: list[str] = Field(examples=[["k3mvp-x8q2r"]])


@router.get("")
async def show(caller: Reader, session: Transaction) -> AccountView:
    """Show the account."""
    return account_view(await accounts.get(session, caller.account_id))


@router.patch("")
async def change(caller: Person, session: Transaction, given: AccountChange) -> AccountView:
    """Change name or language."""
    return account_view(await accounts.update(session, caller, name=given.name, locale=given.locale))


@router.put("/password", status_code=204, responses=responses(422, 429))
async def change_password(caller: Person, runtime: Running, given: PasswordChange) -> None:
    """Change the password; every other session ends."""
    await accounts.change_password(runtime.database, caller, given.current_password, given.new_password)


@router.get("/sessions")
async def list_sessions(caller: Person, session: Transaction) -> Page[SessionRow]:
    """List where the account is signed in."""
    rows = [
        SessionRow(
            id=row.id,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            expires_at=row.expires_at,
            ip=row.ip,
            user_agent=row.user_agent,
            current=row.id == caller.session_id,
        )
        for row in await accounts.sessions(session, caller)
    ]
    return Page(items=rows)


@router.delete("/sessions/{session_id}", status_code=204, responses=responses(404))
async def end_other_session(caller: Person, session: Transaction, session_id: UUID) -> None:
    """Sign out somewhere else."""
    await accounts.close_session(session, caller, session_id)


@router.post("/totp", responses=responses(409, 429))
async def begin_second_factor(caller: Person, runtime: Running, given: Proof) -> EnrolmentView:
    """Begin to enrol an authenticator app."""
    await accounts.prove_password(runtime.database, caller, given.password)
    async with runtime.database.transaction() as session:
        enrolment = await second_factor.begin(session, runtime.keyring, caller)
    picture = segno.make(enrolment.uri, error="m").svg_inline(scale=4, border=2, light="#fff")
    # Drawn as an image of its own, so it needs the namespace that inline pictures leave out.
    picture = picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return EnrolmentView(secret=enrolment.secret, uri=enrolment.uri, qr_svg=picture)


@router.post("/totp/confirm", responses=responses(409))
async def confirm_second_factor(caller: Person, runtime: Running, session: Transaction, given: Code) -> RecoveryCodes:
    """Turn the second factor on with a first code. Keep the recovery codes somewhere safe."""
    return RecoveryCodes(recovery_codes=await second_factor.confirm(session, runtime.keyring, caller, given.code))


@router.post("/totp/disable", status_code=204, responses=responses(429))
async def disable_second_factor(caller: Person, runtime: Running, given: Proof) -> None:
    """Turn the second factor off."""
    await accounts.prove_password(runtime.database, caller, given.password)
    async with runtime.database.transaction() as session:
        await second_factor.disable(session, caller)


@router.post("/recovery-codes", responses=responses(409, 429))
async def renew_recovery_codes(caller: Person, runtime: Running, given: Proof) -> RecoveryCodes:
    """Replace all recovery codes by new ones."""
    await accounts.prove_password(runtime.database, caller, given.password)
    async with runtime.database.transaction() as session:
        return RecoveryCodes(recovery_codes=await second_factor.renew_codes(session, caller))
