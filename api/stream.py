"""Server-sent events: what happens, as it happens. A browser that reconnects misses nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from api.deps import Reader, Running, identify
from api.problems import responses
from archive.access import Caller, Scope
from archive.errors import NotSignedIn
from archive.events.hub import Hub
from archive.events.service import Position, Published
from archive.libraries import service as libraries
from archive.runtime import Runtime

router = APIRouter(tags=["stream"])
# A comment this often keeps proxies from closing a quiet stream, and is the occasion to ask again who may see what.
_QUIET = 15.0
_EXAMPLE = 'id: 812-44\nevent: job\ndata: {"id": "…", "kind": "upkeep.prune", "state": "done"}\n\n'


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses=responses(401, 403) | {200: {"content": {"text/event-stream": {"example": _EXAMPLE}}}},
)
async def stream(
    request: Request,
    caller: Reader,
    runtime: Running,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> StreamingResponse:
    """Follow what happens in the caller's libraries; admins also see the jobs of the installation."""
    hub: Hub = request.app.state.hub
    after = Position.parse(last_event_id) if last_event_id else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(hub, runtime, caller, request, after), 200, headers, "text/event-stream")


async def _lines(
    hub: Hub, runtime: Runtime, caller: Caller, request: Request, after: Position | None
) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    async with hub.subscribe(after) as events:
        yield "retry: 2000\n\n"
        visible, asked = await _visible(runtime, caller), clock()
        upcoming = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                done, _ = await asyncio.wait([upcoming], timeout=_QUIET)
                if clock() - asked >= _QUIET:
                    if not await _still_valid(runtime, request):
                        return
                    visible, asked = await _visible(runtime, caller), clock()
                if not done:
                    yield ": quiet\n\n"
                    continue
                event = upcoming.result()
                if event is None:
                    return
                upcoming = asyncio.ensure_future(anext(events, None))
                if event.library_id in visible:
                    yield _written(event)
        finally:
            upcoming.cancel()


async def _visible(runtime: Runtime, caller: Caller) -> frozenset[object]:
    """Give the libraries whose events this caller sees; None stands for those of the installation."""
    async with runtime.database.transaction() as session:
        seen = await libraries.visible_ids(session, caller)
    admin = caller.is_admin and Scope.ADMIN in caller.scopes and caller.only_library is None
    return seen | {None} if admin else seen


async def _still_valid(runtime: Runtime, request: Request) -> bool:
    """Ask again who is calling: a stream must not outlive a sign-out."""
    try:
        async with runtime.database.transaction() as session:
            await identify(session, request, runtime.session_lifetime)
    except NotSignedIn:
        return False
    return True


def _written(event: Published) -> str:
    return f"id: {event.position}\nevent: {event.kind}\ndata: {json.dumps(event.data)}\n\n"
