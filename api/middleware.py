"""What every request passes through: an id, its address, limits, security headers, and one line in the log.

Plain ASGI, so that streams pass through untouched.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from api import problems, tus
from api.counters import REQUESTS, SECONDS
from archive import log
from archive.ids import new_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = log.get("api")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_HTTP_SERVER_ERROR = 500
# The client's component library puts its styles into <style> elements; scripts come from our own files only.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "object-src 'none'"
)
_SECURITY = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_HSTS = "max-age=31536000"


class RequestContext:
    """Names the request, counts it, and writes its line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its id known to everything below."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id().hex
        client = scope.get("client")
        log.clear()
        log.bind(request_id=request_id, ip=client[0] if client else None)
        started, status = time.perf_counter(), _HTTP_SERVER_ERROR

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _HSTS)
                if scope["path"].startswith(tus.PATH):
                    headers.setdefault("Tus-Resumable", tus.VERSION)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        finally:
            self._record(scope, status, time.perf_counter() - started)

    @staticmethod
    def _record(scope: Scope, status: int, seconds: float) -> None:
        # The route's pattern, not the path: paths hold ids, and every id would be a new series.
        route = getattr(scope.get("route"), "path", "other")
        REQUESTS.labels(scope["method"], route, str(status)).inc()
        SECONDS.labels(scope["method"], route).observe(seconds)
        # A part that is away (503) was logged as such; a health check that says so is doing its work.
        level = _log.error if status == _HTTP_SERVER_ERROR else _log.debug
        level("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1))


class Failures:
    """Turns what nobody expected into a problem document, once it is in the log with its traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answer for it if it fails before its answer began."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except Exception as error:
            _log.error("request.failed", exc_info=error)
            if begun:
                raise
            detail = "This is a fault of ours, and it is logged under this request_id. Please report it."
            await problems.answer(problems.INTERNAL, detail)(scope, receive, send)


# Bodies that are photos, not documents: their routes count them, and read them piece by piece.
_PHOTOS = re.compile(r"/api/v1/(uploads(/[^/]+)?|assets)/?")


class BodyLimit:
    """Refuses bodies larger than a document of ours ever is, before they are read into memory."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting its body."""
        if scope["type"] != "http" or _PHOTOS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._limit:
            await self._refuse(scope, receive, send)
            return
        received, refused = 0, False

        async def receive_counted() -> Message:
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                refused = True
                raise _TooLarge
            return message

        async def send_unless_refused(message: Message) -> None:
            # The framework answers a body it could not read with a 400 of its own; ours says more.
            if not refused:
                await send(message)

        with suppress(_TooLarge):
            await self._app(scope, receive_counted, send_unless_refused)
        if refused:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"The body is larger than {self._limit} bytes. Send less at once."
        # The rest of the body is not read; the connection cannot be used again.
        answer = problems.answer(problems.BODY_TOO_LARGE, detail, headers={"Connection": "close"})
        await answer(scope, receive, send)


class _TooLarge(Exception):  # never leaves this module
    """The body grew over the limit while it was read."""
