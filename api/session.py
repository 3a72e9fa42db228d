"""Sign in, sign out, and see who is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.deps import COOKIE, Person, Running, SameSite, Transaction, csrf_token
from api.fields import Document, Email, Password, Text, View
from api.problems import responses
from archive.accounts import service as accounts
from archive.accounts.sign_in import SignedIn, close_session, sign_in
from archive.errors import NotSignedIn
from archive.models import Account
from archive.runtime import Runtime

router = APIRouter(tags=["session"])


class AccountView(View):
    """An account, as its owner sees it."""

    id: UUID
    email: str = Field(examples=["anna@example.org"])
    name: str = Field(examples=["Anna"])
    is_admin: bool
    locale: Literal["en", "ru"] | None
    totp_enabled: bool
    created_at: datetime


class SessionView(View):
    """Who is signed in. ``csrf_token`` goes into the header X-CSRF-Token of every request that changes something."""

    account: AccountView
    csrf_token: str
    expires_at: datetime


class SignIn(Document):
    """E-mail, password, and the second factor once it is asked for."""

    email: Email
    password: Password
    code: Text | None = Field(default=None, max_length=20, examples=["123456"])


def account_view(account: Account) -> AccountView:
    """Show an account to its owner."""
    return AccountView(
        id=account.id,
        email=account.email,
        name=account.name,
        is_admin=account.is_admin,
        locale=account.locale,  # type: ignore[arg-type]  # the service writes no other
        totp_enabled=account.totp_confirmed_at is not None,
        created_at=account.created_at,
    )


def open_in_browser(request: Request, response: Response, runtime: Runtime, signed_in: SignedIn) -> SessionView:
    """Give the browser its cookie: no script can read it, no other site can send it with a form."""
    response.set_cookie(
        COOKIE,
        signed_in.token,
        # Sessions live on while they are used; the cookie outlives them and the server decides.
        max_age=400 * 24 * 3600,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )
    return SessionView(
        account=account_view(signed_in.account),
        csrf_token=csrf_token(runtime.keyring, signed_in.token),
        expires_at=signed_in.expires_at,
    )


@router.post("/session", dependencies=[SameSite], responses=responses(401, 403, 429))
async def open_session(request: Request, response: Response, runtime: Running, given: SignIn) -> SessionView:
    """Sign in. An account with a second factor answers ``second-factor-required`` until ``code`` is sent too."""
    signed_in = await sign_in(
        runtime.database,
        runtime.keyring,
        email=given.email,
        password=given.password,
        code=given.code,
        lifetime=runtime.session_lifetime,
        user_agent=request.headers.get("user-agent"),
    )
    return open_in_browser(request, response, runtime, signed_in)


@router.get("/session", responses=responses(401, 403))
async def show_session(request: Request, caller: Person, runtime: Running, session: Transaction) -> SessionView:
    """Show who is signed in."""
    account = await accounts.get(session, caller.account_id)
    own = next((row for row in await accounts.sessions(session, caller) if row.id == caller.session_id), None)
    if own is None:  # ended since the caller was found
        raise NotSignedIn
    return SessionView(
        account=account_view(account),
        csrf_token=csrf_token(runtime.keyring, request.cookies[COOKIE]),
        expires_at=own.expires_at,
    )


@router.delete("/session", status_code=204, responses=responses(401, 403))
async def end_session(response: Response, caller: Person, session: Transaction) -> None:
    """Sign out."""
    await close_session(session, caller, caller.require_session())
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
