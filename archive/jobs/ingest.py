"""The steps of assets, and asking anew for those whose job was lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from archive.errors import Damaged, NotFound
from archive.ingest import describing, playing, rendering
from archive.looks import looking
from archive.queue.claims import LeaseLost, Permanent
from archive.steps import catalogue
from archive.steps import service as steps
from storage import StoreUnavailable

if TYPE_CHECKING:
    from archive.runtime import Runtime
    from archive.work import Work

# Whatever it is that nobody expected, it will not change by being tried for days.
_TRIES = 3
_OF_THE_MOMENT = (LeaseLost, StoreUnavailable, DBAPIError, PoolTimeout, asyncpg.InterfaceError, OSError)
_BATCH = 500


async def describe(runtime: Runtime, work: Work) -> None:
    """Find out what a file is."""
    async with _patience(work):
        await describing.describe(work.transaction, runtime.tools, UUID(work.args["asset"]), work.claim.attempt)


async def render(runtime: Runtime, work: Work) -> None:
    """Make its pictures."""
    async with _patience(work):
        await rendering.render(work.transaction, runtime.tools, UUID(work.args["asset"]), work.claim.attempt)


async def play(runtime: Runtime, work: Work) -> None:
    """Make its film."""

    async def show(done: int, total: int) -> None:
        await work.progress(done, total, "converting")

    async with _patience(work):
        await playing.play(work.transaction, runtime.tools, UUID(work.args["asset"]), work.claim.attempt, show)


async def missing(_runtime: Runtime, work: Work) -> None:
    """Ask anew for steps that wait without a job, and note those whose job has given up."""
    for step in catalogue.ALL.values():
        found = _BATCH
        while found == _BATCH:
            async with work.transaction() as session:
                found = await steps.missing(session, step, _BATCH)


async def look(runtime: Runtime, work: Work) -> None:
    """See what it is like."""
    async with _patience(work):
        asset_id, attempt = UUID(work.args["asset"]), work.claim.attempt
        await looking.look(work.transaction, runtime.tools, runtime.nearby, asset_id, attempt)


@asynccontextmanager
async def _patience(work: Work) -> AsyncIterator[None]:
    """Tell what is of the moment, which is tried for days, from what is of the file or of ours."""
    try:
        yield
    except NotFound:
        return  # purged meanwhile
    except Damaged as error:
        raise Permanent(error.message) from error
    except Exception as error:
        if isinstance(error, _OF_THE_MOMENT) or work.claim.attempt < _TRIES:
            raise
        message = f"{type(error).__name__}: {error}"
        raise Permanent(message) from error
