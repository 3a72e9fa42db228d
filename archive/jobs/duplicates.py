"""Resolve the groups that a rule chooses, in the name of who asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from archive.access import Caller, Scope
from archive.duplicates import ruling
from archive.errors import Forbidden, NotFound
from archive.events.service import publish
from archive.models import Account, Resolution
from archive.queue.claims import Permanent

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.runtime import Runtime
    from archive.work import Work


async def resolve(_runtime: Runtime, work: Work) -> None:
    """Decide group after group; an interrupted resolution goes on behind the last one that was decided."""
    resolution_id = UUID(work.args["resolution"])
    done = 0
    try:
        while group_ids := await _left(work, resolution_id):
            for group_id in group_ids:
                async with work.transaction() as session:
                    resolution = await session.get_one(Resolution, resolution_id)
                    await ruling.step(session, await _caller(session, resolution), resolution, group_id)
                done += 1
                await work.progress(done, done + len(group_ids), "resolving")
    except (Forbidden, NotFound, Permanent) as error:
        await _end(work, resolution_id, "failed")
        raise Permanent(error.message) from error
    await _end(work, resolution_id, "done")


async def _end(work: Work, resolution_id: UUID, state: str) -> None:
    async with work.transaction() as session:
        resolution = await session.get(Resolution, resolution_id, with_for_update=True)
        if resolution is not None and resolution.state == "running":
            resolution.state = state
            publish(session, "duplicates.changed", {"resolution": str(resolution_id)}, resolution.library_id)


async def _left(work: Work, resolution_id: UUID) -> list[UUID]:
    async with work.transaction() as session:
        resolution = await session.get(Resolution, resolution_id)
        if resolution is None or resolution.state != "running":
            return []
        return await ruling.left(session, resolution)


async def _caller(session: AsyncSession, resolution: Resolution) -> Caller:
    """Act for who asked: whoever may no longer change the library is refused like anybody else."""
    account = await session.get(Account, resolution.account_id) if resolution.account_id else None
    if account is None or account.disabled_at is not None:
        message = "Who asked for this has no account any more, or one that is disabled."
        raise Permanent(message)
    scopes = frozenset({Scope.READ, Scope.WRITE})
    return Caller(account.id, account.email, account.is_admin, scopes, via="rule")
