"""What a job's handler holds while it works: its arguments, its transactions, its progress. Everything is fenced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive.queue import claims
from archive.runtime import Runtime

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.db import Database
    from archive.queue.claims import Claim
    from archive.queue.kinds import Kind

_PROGRESS_PAUSE = 0.5


class Work:
    """One job in the hands of its handler."""

    def __init__(self, database: Database, claim: Claim) -> None:
        self.claim = claim
        self.args = claim.args
        self._database = database
        self._finished = False
        self._shown = 0.0

    @asynccontextmanager
    async def transaction(self, *, finish: bool = False) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits only while the job is still ours; ``finish`` marks it done with it."""
        async with self._database.transaction() as session:
            yield session
            # Last, so that the job's row is locked for the moment of the commit only.
            if finish:
                await claims.finish(session, self.claim)
            else:
                await claims.hold(session, self.claim)
        self._finished = self._finished or finish

    async def progress(self, done: int, total: int, message: str | None = None) -> None:
        """Show how far the job is; often enough for people, seldom enough for the database."""
        moment = asyncio.get_running_loop().time()
        if 0 < done < total and moment - self._shown < _PROGRESS_PAUSE:
            return
        self._shown = moment
        async with self._database.transaction() as session:
            await claims.advance(session, self.claim, done, total, message)

    async def finish(self) -> None:
        """Mark the job done, unless its handler did so with its last writes."""
        if not self._finished:
            async with self.transaction(finish=True):
                pass


Handler = Callable[[Runtime, Work], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """A kind and who handles it."""

    kind: Kind
    handler: Handler


def with_handlers(kinds: Sequence[Kind], jobs: Sequence[Job]) -> Mapping[str, Job]:
    """Give the jobs by name. Kinds with no handler or two are refused: their work would wait for ever."""
    names = [job.kind.name for job in jobs]
    wrong = {kind.name for kind in kinds} ^ set(names) or {name for name in names if names.count(name) > 1}
    if wrong:
        message = f"job kinds without exactly one handler: {', '.join(sorted(wrong))}"
        raise ValueError(message)
    return {job.kind.name: job for job in jobs}
