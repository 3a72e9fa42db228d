"""One-time links: what one is for, and using it. The token travels in bodies only, so that no log holds it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response

from api.deps import Person, Running, SameSite, Transaction
from api.fields import Document, Email, Name, Password, Token, View
from api.libraries import LibraryView
from api.problems import responses
from api.session import SessionView, open_in_browser
from archive.accounts import service as accounts
from archive.accounts import welcome

router = APIRouter(tags=["links"])


class LinkToken(Document):
    """The part of a link behind '#'."""

    token: Token


class LinkView(View):
    """What a link is for."""

    kind: Literal["first_admin", "invite", "password_reset"]
    email: str | None
    library_name: str | None
    account_exists: bool
    expires_at: datetime


class Acceptance(LinkToken):
    """What the holder of a link fills in; ``email`` and ``name`` only for a new account."""

    email: Email | None = None
    name: Name | None = None
    password: Password


class Accepted(View):
    """The new session; null after a password reset, when one signs in next."""

    session: SessionView | None


class ResetRequest(Document):
    """Whose password was forgotten."""

    email: Email


@router.post("/links/inspect", responses=responses(404, 410, 429))
async def inspect(runtime: Running, given: LinkToken) -> LinkView:
    """Say what a link is for."""
    found = await welcome.inspect(runtime.database, given.token)
    return LinkView(
        kind=found.link.kind,  # type: ignore[arg-type]  # a check constraint holds the three kinds
        email=found.email,
        library_name=found.library_name,
        account_exists=found.account_exists,
        expires_at=found.link.expires_at,
    )


@router.post("/links/accept", dependencies=[SameSite], responses=responses(403, 404, 409, 410, 429))
async def accept(request: Request, response: Response, runtime: Running, given: Acceptance) -> Accepted:
    """Use a link: make the account it is for, or set the new password."""
    newcomer = welcome.Newcomer(given.email, given.name, given.password)
    agent = request.headers.get("user-agent")
    signed_in = await welcome.accept(runtime.database, given.token, newcomer, runtime.session_lifetime, agent)
    if signed_in is None:
        return Accepted(session=None)
    return Accepted(session=open_in_browser(request, response, runtime, signed_in))


@router.post("/links/join", responses=responses(401, 403, 404, 409, 410))
async def join(caller: Person, session: Transaction, given: LinkToken) -> LibraryView:
    """Use an invitation to a library with the account one is signed in with."""
    library, role = await welcome.join(session, caller, given.token)
    return LibraryView.of(library, role)


@router.post("/password-resets", status_code=202, responses=responses(409, 429))
async def request_reset(request: Request, runtime: Running, given: ResetRequest) -> Response:
    """Ask for a reset link by mail. The answer is the same whether or not there is such an account."""
    ip = request.client.host if request.client else "unknown"
    await accounts.request_reset(runtime.database, runtime.mailer, given.email, ip)
    return Response(status_code=202)
