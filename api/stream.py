"""Server-sent events: what happens, as it happens. A browser that reconnects misses nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError

from api.deps import Reader, Running, identify
from api.problems import responses
from archive import log
from archive.access import Caller, Scope
from archive.errors import NotSignedIn
from archive.events.hub import Hub, Subscription
from archive.events.service import Position, Published
from archive.libraries import service as libraries
from archive.runtime import Runtime

router = APIRouter(tags=["stream"])
# A comment this often keeps proxies from closing a quiet stream, and is the occasion to ask again who may see what.
_QUIET = 15.0
_AWAY = (SQLAlchemyError, asyncpg.InterfaceError, OSError)
_log = log.get("api")
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
    """Follow what happens in the caller's libraries; admins also see the jobs of the installation.

    An event `reset` says that what came before cannot be told any more: load afresh what is shown.
    """
    hub: Hub = request.app.state.hub
    after = Position.parse(last_event_id) if last_event_id else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(hub, _Follower(runtime, request, caller), after), 200, headers, "text/event-stream")


async def _lines(hub: Hub, follower: _Follower, after: Position | None) -> AsyncGenerator[str, None]:
    try:
        # Closed here and now, not when somebody gets to it: a client that went away leaves nothing behind.
        async with hub.subscribe(after) as subscription, aclosing(follower.follow(subscription)) as blocks:
            async for block in blocks:
                yield block
    except _AWAY as error:
        # The browser comes back by itself, to where it was.
        _log.warning("stream.ended", error=str(error).split("\n", 1)[0])


class _Follower:
    """Writes what one caller may see of a subscription, and asks every so often who that is by now."""

    def __init__(self, runtime: Runtime, request: Request, caller: Caller, quiet: float = _QUIET) -> None:
        self._runtime = runtime
        self._request = request
        self._caller = caller
        self._quiet = quiet
        self._clock = asyncio.get_running_loop().time
        self._visible: frozenset[object] = frozenset()
        self._asked = 0.0

    async def follow(self, subscription: Subscription) -> AsyncGenerator[str, None]:
        """Give block after block, until the hub ends the stream or the caller is signed out."""
        position = subscription.start
        yield f"retry: 2000\nid: {position}\n\n"
        if subscription.gap:
            yield "event: reset\ndata: {}\n\n"
        await self._look()
        upcoming = asyncio.ensure_future(anext(subscription.events, None))
        try:
            while True:
                done, _ = await asyncio.wait([upcoming], timeout=self._asked + self._quiet - self._clock())
                if self._clock() - self._asked >= self._quiet:
                    if not await self._still_valid():
                        return
                    await self._look()
                    # Also where others' events alone keep the stream busy: the position moves with them.
                    yield f": quiet\nid: {position}\n\n"
                if done:
                    event = upcoming.result()
                    if event is None:
                        return
                    upcoming = asyncio.ensure_future(anext(subscription.events, None))
                    position = event.position
                    if event.library_id in self._visible:
                        yield _written(event)
        finally:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)

    async def _look(self) -> None:
        self._visible, self._asked = await _visible(self._runtime, self._caller), self._clock()

    async def _still_valid(self) -> bool:
        """Ask again who is calling: a stream must not outlive a sign-out, nor what an admin was."""
        try:
            async with self._runtime.database.transaction() as session:
                self._caller = await identify(session, self._request, self._runtime.session_lifetime)
        except NotSignedIn:
            return False
        return True


async def _visible(runtime: Runtime, caller: Caller) -> frozenset[object]:
    """Give the libraries whose events this caller sees; None stands for those of the installation."""
    async with runtime.database.transaction() as session:
        seen = await libraries.visible_ids(session, caller)
    admin = caller.is_admin and Scope.ADMIN in caller.scopes and caller.only_library is None
    return seen | {None} if admin else seen


def _written(event: Published) -> str:
    return f"id: {event.position}\nevent: {event.kind}\ndata: {json.dumps(event.data)}\n\n"
