"""What routes ask for by type: the runtime, a transaction, and a caller with the right to be there.

All are ``async`` even where nothing is awaited: the framework would call plain functions in a thread, on every request.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPBase
from sqlalchemy.ext.asyncio import AsyncSession

from archive.access import Caller, Scope
from archive.accounts import authenticate
from archive.errors import CsrfFailed, NotFound, NotSignedIn, OtherSite, PassExpired
from archive.keyring import Keyring
from archive.runtime import Runtime
from archive.shares import service as shares
from archive.shares.service import Visit

COOKIE = "tagphoto_session"
CSRF_HEADER = "X-CSRF-Token"
_HEX = re.compile("[0-9a-f]{64}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE_SCHEME = APIKeyCookie(name=COOKIE, auto_error=False, description="The session of a signed-in browser.")
BEARER_SCHEME = HTTPBearer(auto_error=False, description="An API key: `Authorization: Bearer tp_…`.")


SHARE_SCHEME = HTTPBase(
    scheme="Share", scheme_name="Share", auto_error=False, description="A guest's pass: `Authorization: Share …`."
)


async def running(request: Request) -> Runtime:
    """Give the open runtime."""
    runtime: Runtime = request.app.state.runtime
    return runtime


Running = Annotated[Runtime, Depends(running)]


async def transaction(runtime: Running) -> AsyncIterator[AsyncSession]:
    """Open the request's transaction: committed when the route returns, rolled back when it raises."""
    async with runtime.database.transaction() as session:
        yield session


# Closed when the route returns and before the answer leaves: who gets an answer can rely on what it says.
Transaction = Annotated[AsyncSession, Depends(transaction, scope="function")]


async def identify(session: AsyncSession, request: Request, lifetime: timedelta) -> Caller:
    """Find out who is calling: an API key wins over a cookie, which a program may hold by accident."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await authenticate.by_key(session, key.strip())
    if cookie := request.cookies.get(COOKIE):
        return await authenticate.by_cookie(session, cookie, lifetime)
    raise NotSignedIn


async def caller(
    request: Request,
    runtime: Running,
    _cookie: Annotated[object, Security(COOKIE_SCHEME)],
    _bearer: Annotated[object, Security(BEARER_SCHEME)],
) -> Caller:
    """Find out who is calling; the two schemes are there for the OpenAPI document, ``identify`` reads them.

    In its own short transaction: none is held while the route works.
    """
    async with runtime.database.transaction() as session:
        found = await identify(session, request, runtime.session_lifetime)
    if found.session_id is not None and request.method not in _SAFE:
        await _check_csrf(request, runtime.keyring)
    return found


AnyCaller = Annotated[Caller, Depends(caller)]


async def visit(request: Request, runtime: Running, _pass: Annotated[object, Security(SHARE_SCHEME)]) -> Visit:
    """Find out which guest is calling. A pass is sent by no browser by itself, so it needs no CSRF token."""
    scheme, _, written = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "share":
        raise PassExpired
    async with runtime.database.transaction() as session:
        return await shares.visit(session, runtime.keyring, written.strip())


AnyVisit = Annotated[Visit, Depends(visit)]


async def _visit_of(share_id: UUID, found: AnyVisit) -> Visit:
    if found.share.id != share_id:
        noun = "link"
        raise NotFound(noun)
    return found


async def _sender(
    request: Request,
    runtime: Running,
    _cookie: Annotated[object, Security(COOKIE_SCHEME)],
    _bearer: Annotated[object, Security(BEARER_SCHEME)],
    _pass: Annotated[object, Security(SHARE_SCHEME)],
) -> Caller:
    if request.headers.get("authorization", "").lower().startswith("share "):
        return (await visit(request, runtime, _pass)).uploader()
    found = await caller(request, runtime, _cookie, _bearer)
    found.require(Scope.UPLOAD)
    return found


def csrf_token(keyring: Keyring, session_token: str) -> str:
    """Give the token that our own pages send back: tied to the session, so it needs no place in the database."""
    return keyring.mac("csrf", session_token.encode()).hex()


async def refuse_other_sites(request: Request) -> None:
    """Refuse what a browser says another site made it send."""
    origin = request.headers.get("origin")
    runtime: Runtime = request.app.state.runtime
    if origin is not None and _netloc(origin) not in {request.headers.get("host"), _netloc(runtime.public_url)}:
        raise OtherSite(runtime.public_url)
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise OtherSite(runtime.public_url)


def _netloc(origin: str) -> str | None:
    """Give the host and port of an origin; a proxy may change the Host we see, but not what the browser says here."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


async def _check_csrf(request: Request, keyring: Keyring) -> None:
    await refuse_other_sites(request)
    given = request.headers.get(CSRF_HEADER, "")
    if not (_HEX.fullmatch(given) and keyring.verify("csrf", request.cookies[COOKIE].encode(), bytes.fromhex(given))):
        raise CsrfFailed


def _with_scope(scope: Scope) -> object:
    async def check(found: AnyCaller) -> Caller:
        found.require(scope)
        return found

    return Depends(check)


async def _person(found: AnyCaller) -> Caller:
    found.require_session()
    return found


async def _admin_person(found: AnyCaller) -> Caller:
    found.require_session()
    found.require(Scope.ADMIN)
    return found


Reader = Annotated[Caller, _with_scope(Scope.READ)]
Writer = Annotated[Caller, _with_scope(Scope.WRITE)]
Uploader = Annotated[Caller, _with_scope(Scope.UPLOAD)]
# Who may send, or a guest whose link takes uploads: for resumable uploads alone.
Sender = Annotated[Caller, Depends(_sender)]
# A guest, of the link that the route names.
Visitor = Annotated[Visit, Depends(_visit_of)]
Admin = Annotated[Caller, _with_scope(Scope.ADMIN)]
MetricsCaller = Annotated[Caller, _with_scope(Scope.METRICS)]
Person = Annotated[Caller, Depends(_person)]
# Who decides about accounts has to be there in person: a stolen key must not make its holder an admin.
AdminPerson = Annotated[Caller, Depends(_admin_person)]
SameSite = Depends(refuse_other_sites)
