"""Is it alive, is it ready, and if not, which part is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.deps import Running
from api.fields import View
from archive import __version__
from archive.queue import service as queue
from archive.runtime import Runtime

router = APIRouter(tags=["operating"])
_PATIENCE, _FRESH = 3.0, 1.0


class Check(View):
    """How one part is."""

    state: Literal["ok", "down"]
    detail: str | None = Field(default=None, description="What is wrong, without addresses or secrets.")


class Health(View):
    """``ok``: all is well. ``degraded``: requests work, jobs wait. ``down``: requests fail."""

    status: Literal["ok", "degraded", "down"]
    version: str = Field(examples=["0.1.0"])
    checks: dict[str, Check]


class Examination:
    """Asks every part, at most once a second however many ask: everybody may read this page, and asking costs."""

    def __init__(self) -> None:
        self._found: tuple[float, Health] | None = None
        self._asking = asyncio.Lock()

    async def of(self, runtime: Runtime) -> Health:
        """Give what was found within the last second."""
        async with self._asking:
            moment = asyncio.get_running_loop().time()
            if self._found is None or moment - self._found[0] > _FRESH:
                self._found = (asyncio.get_running_loop().time(), await _examine(runtime))
            return self._found[1]


@router.get("/health", responses={503: {"model": Health, "description": "Not ready"}})
async def health(request: Request, runtime: Running, response: Response) -> Health:
    """Check each part this process depends on."""
    examination: Examination = request.app.state.examination
    found = await examination.of(runtime)
    response.status_code = 503 if found.status == "down" else 200
    return found


async def _examine(runtime: Runtime) -> Health:
    database, redis, store, workers = await asyncio.gather(
        _check(runtime.database.ping()), _check(runtime.bell.ping()), _check(runtime.store.ping()), _workers(runtime)
    )
    down = "down" in (database.state, store.state)
    degraded = "down" in (redis.state, workers.state)
    return Health(
        status="down" if down else "degraded" if degraded else "ok",
        version=__version__,
        checks={"database": database, "redis": redis, "store": store, "workers": workers},
    )


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process answers; nothing else is asked."""
    return {"status": "ok"}


async def _check(question: Awaitable[object]) -> Check:
    try:
        async with asyncio.timeout(_PATIENCE):
            await question
    except Exception as error:  # noqa: BLE001  # whatever is wrong with a part, the answer is that it is down
        # The kind of error only: messages of drivers hold host names, and everybody may read this page.
        return Check(state="down", detail=type(error).__name__)
    return Check(state="ok")


async def _workers(runtime: Runtime) -> Check:
    async def count() -> int:
        async with runtime.database.transaction() as session:
            return await queue.live_workers(session)

    try:
        async with asyncio.timeout(_PATIENCE):
            found = await count()
    except Exception as error:  # noqa: BLE001  # as above
        return Check(state="down", detail=type(error).__name__)
    if found:
        return Check(state="ok")
    return Check(state="down", detail="no worker is running; start one with 'tagphoto work'")
