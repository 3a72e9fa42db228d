"""Backups, for admins: which there are, when the next is due, and one now."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from api.deps import Admin, Running, Transaction
from api.fields import View
from api.jobs import JobView
from api.paging import CursorQuery, Limit, Page, cursor_of, number_of
from api.problems import responses
from archive import audit
from archive.backups import service as backups
from archive.backups.service import Plan
from archive.queue.document import document
from archive.runtime import Runtime

router = APIRouter(prefix="/backups", tags=["backups"], responses=responses(401, 403))


class BackupView(View):
    """A backup. Where it went is shown without a password."""

    id: str = Field(examples=["20261121t034500z"])
    target: str = Field(examples=["file:///mnt/backup"])
    state: Literal["running", "verified", "damaged", "failed", "removed", "restoring"] = Field(
        description="`damaged`: it is there, but lacks objects that the store did not give whole."
    )
    started_at: datetime
    finished_at: datetime | None
    objects: int = Field(description="How many objects it names.")
    bytes: int = Field(description="How many bytes they have.")
    new_objects: int = Field(description="How many of them were copied for it.")
    new_bytes: int
    missing: int = Field(description="How many objects could not be read whole and are not in it.")
    proof: str | None = Field(description="How its tables were proven: `restored` into a database, or `read back`.")
    error: str | None


class Backups(Page[BackupView]):
    """A page of backups, and how they stand."""

    target: str | None = Field(description="Where scheduled backups go; null when none are scheduled.")
    last_verified_at: datetime | None = Field(description="When the newest one that was found right began.")
    next_due_at: datetime | None


@router.get("")
async def list_backups(
    caller: Admin, runtime: Running, session: Transaction, cursor: CursorQuery = None, limit: Limit = 50
) -> Backups:
    """List backups, newest first, and say when the last good one was made and the next is due."""
    rows = await backups.page(session, caller, before=_id_of(cursor), limit=limit)
    standing = await backups.standing(session, caller, _plan(runtime))
    return Backups(
        items=[BackupView.model_validate(row) for row in rows],
        next=cursor_of(re.sub(r"\D", "", rows[-1].id)) if len(rows) == limit else None,
        target=standing.target,
        last_verified_at=standing.last_verified_at,
        next_due_at=standing.next_due_at,
    )


@router.post("", status_code=202, responses=responses(409))
async def start_backup(caller: Admin, runtime: Running, session: Transaction) -> JobView:
    """Start a backup now. One that somebody started and that has not ended stands for it."""
    job = await backups.start(session, caller, _plan(runtime))
    audit.record(session, "backup.started", caller=caller, target=job.id)
    return JobView.model_validate(document(job))


def _id_of(cursor: str | None) -> str | None:
    """Read a cursor, which is the digits of an id."""
    number = number_of(cursor)
    return None if number is None else f"{number // 1_000_000:08d}t{number % 1_000_000:06d}z"


def _plan(runtime: Runtime) -> Plan:
    settings = runtime.settings
    return Plan(settings.backup_url, timedelta(hours=settings.backup_hours), settings.backup_keep)
