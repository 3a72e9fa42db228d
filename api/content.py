"""Give out the bytes of a file: whole or a range, conditionally, under any name, in bounded memory (RFC 9110)."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi.responses import Response, StreamingResponse

from archive.forms import giving
from archive.forms import turning as forms
from archive.integrity import verifying as integrity

if TYPE_CHECKING:
    from fastapi import Request

    from archive.forms.given import Given
    from archive.runtime import Runtime
    from archive.vault.reading import Plan

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
# Whatever somebody uploaded, a browser shall not run it: these are received bytes under our address.
_HARMLESS = "default-src 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Content:
    """A file as HTTP sees it."""

    given: Given
    etag: str
    media_type: str
    name: str | None
    modified: datetime
    cache: str = "private, no-cache"


class UnsatisfiableRange(Exception):  # never leaves this module
    """The range begins behind the end."""


async def deliver(request: Request, runtime: Runtime, content: Content) -> Response:
    """Answer a GET or HEAD for a file."""
    headers = _headers(content)
    if (status := _condition(request, content)) is not None:
        return Response(status_code=status, headers=headers)
    try:
        # Ranges are for GET alone.
        wanted = _wanted(request, content) if request.method == "GET" else None
    except UnsatisfiableRange:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{content.given.size}"})
    start, length = wanted or (0, content.given.size)
    headers["Content-Length"] = str(length)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{content.given.size}"
    status = 200 if wanted is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=content.media_type)
    pieces = await begun(giving.read(runtime.giver, content.given, start, length, suspect(runtime)))
    return StreamingResponse(pieces, status, headers, content.media_type)


def suspect(runtime: Runtime) -> Callable[[Plan], Awaitable[None]]:
    """Have a file verified soon that a store could not give whole: admins see what is found."""

    async def verify(plan: Plan) -> None:
        async with runtime.database.transaction() as session:
            await integrity.suspect(session, plan.file_id, plan.binding.library_id)
            if plan.binding.kind == "exact":
                await forms.suspect(session, plan.file_id, plan.binding.library_id)

    return verify


async def begun(pieces: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """Read the first piece before the answer begins: what is damaged at once is a problem, not a broken stream."""
    first = await anext(pieces, b"")

    async def whole() -> AsyncIterator[bytes]:
        async with aclosing(pieces) as rest:
            yield first
            async for piece in rest:
                yield piece

    return whole()


def attachment(name: str) -> str:
    """Name a download, in letters of any script (RFC 6266); older programs get what of it is ASCII."""
    plain = "".join(
        character if character.isascii() and character.isprintable() and character not in '"\\%' else "_"
        for character in name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _headers(content: Content) -> dict[str, str]:
    headers = {
        "ETag": content.etag,
        "Last-Modified": format_datetime(content.modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "Cache-Control": content.cache,
        "Content-Security-Policy": _HARMLESS,
    }
    if content.name is not None:
        headers["Content-Disposition"] = attachment(content.name)
    if content.given.sha256:
        digest = base64.b64encode(content.given.sha256).decode()
        headers["Repr-Digest"] = f"sha-256=:{digest}:"
    return headers


def _condition(request: Request, content: Content) -> int | None:
    """Answer what the client has, in the order RFC 9110 asks."""
    given = request.headers
    if (match := given.get("if-match")) is not None:
        # Strongly: what may only be alike is not the same.
        if match.strip() != "*" and content.etag not in [tag.strip() for tag in match.split(",")]:
            return 412
    elif (since := _moment(given.get("if-unmodified-since"))) is not None and content.modified > since:
        return 412
    if (none_match := given.get("if-none-match")) is not None:
        return 304 if matches(none_match, content.etag) else None
    since = _moment(given.get("if-modified-since"))
    return 304 if since is not None and content.modified <= since else None


def matches(listed: str, etag: str) -> bool:
    """Say whether a list of tags, as If-None-Match has it, names this one."""
    tags = [tag.strip().removeprefix("W/") for tag in listed.split(",")]
    return "*" in tags or etag in tags


def _moment(written: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written) if written else None
    except ValueError:
        return None
    # One that says no zone means the one all dates of HTTP are in.
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _wanted(request: Request, content: Content) -> tuple[int, int] | None:
    """Give start and length of the one range that is asked for; several at once are answered with the whole."""
    found = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range")
    if found is None or found.group(0) == "bytes=-" or condition not in {None, content.etag}:
        return None
    size, (first, last) = content.given.size, found.groups()
    if not first:
        length = min(int(last), size)
        start, end = size - length, size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise UnsatisfiableRange
    return start, end - start
