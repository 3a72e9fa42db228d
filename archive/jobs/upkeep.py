"""Keeping house: checking that everything works, and forgetting what is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete

from archive.db import now
from archive.ids import new_id
from archive.models import Attempt, Event, Link, Selection, Session, Worker
from archive.queue import service as queue
from archive.queue.claims import Permanent
from archive.uploads import service as uploads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from archive.runtime import Runtime
    from archive.work import Work

_EVENTS_KEPT = timedelta(days=1)
_JOBS_KEPT = timedelta(days=7)
_LINKS_KEPT = timedelta(days=30)


async def selfcheck(runtime: Runtime, work: Work) -> None:
    """Use each part for real, as a photo would: write, read back, delete. A fault names its part."""
    checks = {"database": _database, "redis": _redis, "store": _store}
    for number, (name, check) in enumerate(checks.items()):
        await work.progress(number, len(checks), name)
        try:
            await check(runtime)
        except Exception as error:
            message = f"{name}: {error}"
            raise Permanent(message) from error
    await work.progress(len(checks), len(checks), "all parts work")


async def prune(_runtime: Runtime, work: Work) -> None:
    """Forget expired sessions, used links, old events and finished jobs."""
    moment = now()
    await _expire_uploads(work)
    async with work.transaction(finish=True) as session:
        await session.execute(delete(Session).where(Session.expires_at < moment))
        await session.execute(delete(Attempt).where(Attempt.window_ends_at < moment))
        await session.execute(delete(Event).where(Event.at < moment - _EVENTS_KEPT))
        await session.execute(delete(Link).where(Link.expires_at < moment - _LINKS_KEPT))
        await session.execute(delete(Selection).where(Selection.expires_at < moment))
        await session.execute(delete(Worker).where(Worker.seen_at < moment - timedelta(hours=1)))
        await queue.prune(session, _JOBS_KEPT)


async def _expire_uploads(work: Work) -> None:
    ended = 1
    while ended:
        async with work.transaction() as session:
            ended = await uploads.expire(session)


async def _database(runtime: Runtime) -> None:
    await runtime.database.ping()


async def _redis(runtime: Runtime) -> None:
    await runtime.bell.ping()


async def _store(runtime: Runtime) -> None:
    key, body = f"selfcheck/{new_id().hex}", b"tagphoto selfcheck"
    await runtime.store.put(key, _once(body))
    try:
        if await runtime.store.read(key) != body:
            message = "what was written is not what was read back"
            raise Permanent(message)
    finally:
        await runtime.store.delete(key)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
