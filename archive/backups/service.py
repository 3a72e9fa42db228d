"""Backups as admins see them: which there are, whether one is due, and starting one now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from archive.access import Caller, Scope
from archive.backups.target import url_of
from archive.db import now
from archive.errors import BackupNotConfigured
from archive.events.service import publish
from archive.models import Backup, Job
from archive.queue.kinds import BACKUP
from archive.queue.service import enqueue
from archive.settings import masked

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

# A backup that failed is tried again after this long, not with every look.
_AFTER_FAILURE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where scheduled backups go and how often; without a place there are none."""

    url: str | None
    every: timedelta
    keep: int

    @property
    def target(self) -> str | None:
        """Name the place as rows name it."""
        return masked(url_of(self.url)) if self.url else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How backups stand."""

    target: str | None
    last_verified_at: datetime | None
    next_due_at: datetime | None


async def page(session: AsyncSession, caller: Caller, *, before: str | None, limit: int) -> list[Backup]:
    """List backups, newest first."""
    caller.require(Scope.ADMIN)
    statement = select(Backup).order_by(Backup.id.desc()).limit(limit)
    return list(await session.scalars(statement.where(Backup.id < before) if before else statement))


async def standing(session: AsyncSession, caller: Caller, plan: Plan) -> Standing:
    """Say when the last good backup began and when the next is due."""
    caller.require(Scope.ADMIN)
    last = await _last(session, plan.target, "verified")
    if plan.target is None:
        return Standing(None, last, None)
    newest = await _last(session, plan.target, "verified", "damaged")
    return Standing(plan.target, last, newest + plan.every if newest else now())


async def is_due(session: AsyncSession, plan: Plan) -> bool:
    """Say whether it is time for a backup. One that lacks objects counts: another at once would lack them, too."""
    newest = await _last(session, plan.target, "verified", "damaged")
    if newest is not None and newest + plan.every > now():
        return False
    failed = await _last(session, plan.target, "failed")
    return failed is None or failed + min(_AFTER_FAILURE, plan.every) < now()


async def start(session: AsyncSession, caller: Caller, plan: Plan) -> Job:
    """Start a backup now, or give the one that somebody started."""
    caller.require(Scope.ADMIN)
    if plan.url is None:
        raise BackupNotConfigured
    unfinished = select(Job).where(Job.kind == BACKUP.name, Job.key == "by-hand", Job.state.in_(("ready", "running")))
    while True:
        job_id = await enqueue(session, BACKUP, {"now": True}, key="by-hand")
        if job_id is not None:
            return await session.get_one(Job, job_id)
        # It may have ended since; then there is room for a new one.
        if (job := await session.scalar(unfinished)) is not None:
            return job


def document(row: Backup) -> dict[str, Any]:
    """Describe a backup, for the API and its events."""
    return {
        "id": row.id,
        "target": row.target,
        "state": row.state,
        "started_at": row.started_at.isoformat(),
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
        "objects": row.objects,
        "bytes": row.bytes,
        "new_objects": row.new_objects,
        "new_bytes": row.new_bytes,
        "missing": row.missing,
        "proof": row.proof,
        "error": row.error,
    }


async def told(session: AsyncSession, row: Backup) -> None:
    """Tell admins that a backup is another now."""
    publish(session, "backup.changed", document(row))


async def _last(session: AsyncSession, target: str | None, *states: str) -> datetime | None:
    statement = select(func.max(Backup.started_at)).where(Backup.state.in_(states))
    return await session.scalar(statement.where(Backup.target == target) if target else statement)
