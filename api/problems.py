"""Problems (RFC 9457): the one table that turns what went wrong into HTTP."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from redis import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api import tus
from archive import errors, log
from storage import StoreUnavailable

MEDIA_TYPE = "application/problem+json"
BASE = "/api/v1/problems/"
_log = log.get("api")
router = APIRouter(tags=["operating"])


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its code is the end of its type's address."""

    code: str
    status: int
    title: str


# More special errors stand before the errors they are derived from: the first that fits is taken.
TABLE: dict[type[Exception], Kind] = {
    errors.LinkNotFound: Kind("link-not-found", 404, "Unknown link"),
    errors.NotFound: Kind("not-found", 404, "Not found"),
    errors.ShareEnded: Kind("share-ended", 410, "The link no longer works"),
    errors.LinkExpired: Kind("link-expired", 410, "The link no longer works"),
    errors.SignInFailed: Kind("sign-in-failed", 401, "Sign-in failed"),
    errors.SecondFactorRequired: Kind("second-factor-required", 401, "A second factor is needed"),
    errors.SecondFactorFailed: Kind("second-factor-failed", 401, "The second factor is wrong"),
    errors.PassExpired: Kind("pass-expired", 401, "The link has to be opened again"),
    errors.SharePasswordRequired: Kind("share-password-required", 401, "The link has a password"),
    errors.SharePasswordWrong: Kind("share-password-wrong", 401, "The password is wrong"),
    errors.NotSignedIn: Kind("not-signed-in", 401, "Not signed in"),
    errors.TooManyAttempts: Kind("too-many-attempts", 429, "Too many attempts"),
    errors.SessionRequired: Kind("session-required", 403, "Only for signed-in people"),
    errors.OtherSite: Kind("other-site", 403, "The request came from another site"),
    errors.CsrfFailed: Kind("csrf-failed", 403, "The request did not come from our page"),
    errors.Forbidden: Kind("forbidden", 403, "Not allowed"),
    errors.WeakPassword: Kind("weak-password", 422, "The password is too weak"),
    errors.Invalid: Kind("invalid-value", 422, "The value cannot be accepted"),
    errors.AccountExists: Kind("account-exists", 409, "The account exists already"),
    errors.LastOwner: Kind("last-owner", 409, "Somebody must stay in charge"),
    errors.LibraryNotEmpty: Kind("library-not-empty", 409, "The library is not empty"),
    errors.Conflict: Kind("conflict", 409, "The present state does not allow it"),
    errors.UploadGone: Kind("upload-gone", 410, "The upload is no longer there"),
    errors.UploadLocked: Kind("upload-locked", 423, "The upload is being written to"),
    errors.OffsetMismatch: Kind("offset-mismatch", 409, "The offset is another"),
    errors.ChecksumMismatch: Kind("checksum-mismatch", 460, "The bytes are not those announced"),
    errors.TooLarge: Kind("upload-too-large", 413, "Too many bytes"),
    errors.UploadVersion: Kind("upload-version", 412, "Another version of the protocol"),
    errors.UploadBodyType: Kind("upload-body-type", 415, "Another type of body is needed"),
    errors.UploadRefused: Kind("upload-refused", 400, "The upload cannot be taken"),
    errors.QuotaExceeded: Kind("quota-exceeded", 507, "The quota leaves no room"),
    errors.TooManyUploads: Kind("too-many-uploads", 429, "Too many transfers at once"),
    errors.NotConvertible: Kind("not-convertible", 415, "It cannot be converted so"),
    errors.NothingAcceptable: Kind("not-acceptable", 406, "None of the accepted formats can be made"),
    errors.TooManyConversions: Kind("too-many-conversions", 429, "Too many conversions at once"),
    errors.Damaged: Kind("damaged", 500, "What is kept is damaged"),
    errors.BackupNotConfigured: Kind("backup-not-configured", 409, "Backups have no place"),
    errors.BackupRunning: Kind("backup-running", 409, "A backup is being made"),
    errors.BackupFailed: Kind("backup-failed", 500, "The backup failed"),
    errors.MailNotConfigured: Kind("mail-not-configured", 409, "No mail can be sent"),
}
INVALID_REQUEST = Kind("invalid-request", 422, "The request is not valid")
BODY_TOO_LARGE = Kind("body-too-large", 413, "The body is too large")
UNAVAILABLE = Kind("unavailable", 503, "A part of the service is away")
INTERNAL = Kind("internal-error", 500, "Something is broken here")
_BY_STATUS = {
    400: Kind("malformed-request", 400, "The request cannot be read"),
    404: Kind("not-found", 404, "Not found"),
    405: Kind("method-not-allowed", 405, "This method is not for this address"),
}
_AWAY = (DBAPIError, PoolTimeout, RedisError, StoreUnavailable, OSError)
# Connection exception, insufficient resources, operator intervention (starting, stopping).
_AWAY_CLASSES = frozenset({"08", "53", "57"})


class FieldError(BaseModel):
    """What is wrong with one part of a request."""

    pointer: str = Field(examples=["/body/email"])
    detail: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(examples=["/api/v1/problems/not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no library with this id that you may see."])
    request_id: str | None = Field(default=None, examples=["018f3c1e9a7b4c5d"])
    errors: list[FieldError] | None = None
    retry_after: int | None = Field(default=None, description="Seconds to wait before trying again.")


def kinds() -> list[Kind]:
    """List every kind of problem the API can answer with, once each."""
    found = [*TABLE.values(), INVALID_REQUEST, BODY_TOO_LARGE, UNAVAILABLE, INTERNAL, *_BY_STATUS.values()]
    return list({kind.code: kind for kind in found}.values())


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe problem answers for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    titles = {kind.status: kind.title for kind in reversed(kinds())}
    return {status: {"description": titles.get(status, "A problem"), "content": content} for status in statuses}


class KindView(BaseModel):
    """A kind of problem; its address is the ``type`` of the problems of this kind."""

    code: str = Field(examples=["not-found"])
    status: int = Field(examples=[404])
    title: str


@router.get("/problems")
async def list_kinds() -> list[KindView]:
    """List the kinds of problems this API answers with."""
    return [KindView(code=kind.code, status=kind.status, title=kind.title) for kind in kinds()]


@router.get("/problems/{code}", responses=responses(404))
async def show_kind(code: str) -> KindView:
    """Explain a kind of problem: what the ``type`` of a problem document leads to."""
    for kind in await list_kinds():
        if kind.code == code:
            return kind
    noun = "problem"
    raise errors.NotFound(noun)


def answer(kind: Kind, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:  # noqa: ANN401
    """Write a problem document."""
    body: dict[str, Any] = {"type": BASE + kind.code, "title": kind.title, "status": kind.status, "detail": detail}
    body |= {"request_id": log.bound("request_id"), **more}
    return JSONResponse(body, kind.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(errors.TagphotoError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for away in _AWAY:
        app.add_exception_handler(away, _unavailable)


async def _expected(request: Request, error: Exception) -> Response:
    kind = next((kind for known, kind in TABLE.items() if isinstance(error, known)), INTERNAL)
    # Expected errors are not failures of ours; who wants to see them turns the level down.
    _log.log(logging.DEBUG, "problem", code=kind.code, detail=str(error))
    if isinstance(error, errors.Damaged):
        _log.error("damaged", error=str(error))
    if isinstance(error, errors.QuotaExceeded) and request.headers.get("authorization", "").lower().startswith(
        "share "
    ):
        return answer(kind, "There is no room for this any more.")  # how much there is, is not a guest's to know
    if isinstance(error, errors.QuotaExceeded):
        return answer(kind, error.message, headers=None, **error.figures)
    if isinstance(error, errors.UploadVersion):
        return answer(kind, error.message, headers={"Tus-Version": tus.VERSION})
    if isinstance(error, errors.OffsetMismatch):
        return answer(kind, error.message, headers={"Upload-Offset": str(error.offset)})
    if isinstance(error, errors.TooManyAttempts | errors.TooManyUploads | errors.TooManyConversions):
        headers = {"Retry-After": str(error.retry_after)}
        return answer(kind, error.message, headers=headers, retry_after=error.retry_after)
    message = error.message if isinstance(error, errors.TagphotoError) else str(error)
    return answer(kind, message, headers={"WWW-Authenticate": "Bearer"} if kind.status == 401 else None)  # noqa: PLR2004  # HTTP


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [
        {"pointer": "/" + "/".join(map(str, item["loc"])), "detail": item["msg"].removeprefix("Value error, ")}
        for item in error.errors()
    ]
    said = "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in faults[:3])
    return answer(INVALID_REQUEST, f"Change what 'errors' names and send it again. {said}", errors=faults)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    kind = _BY_STATUS.get(error.status_code, Kind("http-error", error.status_code, "The request was refused"))
    detail = {
        404: f"There is nothing at {request.url.path}. GET /api/v1/openapi.json lists what there is.",
        405: f"{request.method} is not for {request.url.path}; see the header Allow.",
    }.get(error.status_code, str(error.detail))
    return answer(kind, detail, headers=dict(error.headers or {}))


async def _unavailable(_request: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and not _is_away(error):
        raise error
    _log.error("unavailable", error=str(error).split("\n", 1)[0])
    detail = "The database, Redis or the store cannot be reached now. Try again shortly; /api/v1/health says which."
    return answer(UNAVAILABLE, detail, headers={"Retry-After": "5"}, retry_after=5)


def _is_away(error: DBAPIError) -> bool:
    """Tell a database that cannot be used now from a query that is wrong: by the class of its state, if it gave one."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return True  # it never answered: no such socket, a time-out, a connection that was cut
    return str(state)[:2] in _AWAY_CLASSES or error.connection_invalidated
