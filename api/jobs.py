"""Jobs, for admins: what runs, what waits, what failed and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import Admin, Transaction
from api.fields import Document, View
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of
from api.problems import responses
from archive import audit
from archive.queue import service as queue
from archive.queue.document import document
from archive.queue.kinds import SELFCHECK

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=responses(401, 403))
State = Literal["ready", "running", "done", "failed", "cancelled", "quarantined"]


class Progress(View):
    """How far a job is."""

    done: int
    total: int
    message: str | None


class JobView(View):
    """A job."""

    id: UUID
    kind: str = Field(examples=["upkeep.selfcheck"])
    queue: str
    state: State
    priority: int
    progress: Progress | None
    attempts: int
    max_attempts: int
    crashes: int
    error: str | None
    cancel_requested: bool
    library_id: UUID | None
    asset_id: UUID | None
    request_id: str | None
    created_at: datetime
    run_after: datetime
    started_at: datetime | None
    finished_at: datetime | None


class KindCounts(View):
    """How many jobs of a kind are in each state."""

    kind: str
    ready: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    quarantined: int = 0


class Summary(View):
    """All kinds that have jobs."""

    kinds: list[KindCounts]


class NewJob(Document):
    """A job that admins may start by hand."""

    kind: Literal["upkeep.selfcheck"]


@router.get("")
async def list_jobs(  # filters
    _caller: Admin,
    session: Transaction,
    state: State | None = None,
    kind: Annotated[str | None, Query(max_length=100, pattern=r"^[a-z_.]+$")] = None,
    cursor: CursorQuery = None,
    limit: Limit = 50,
) -> Page[JobView]:
    """List jobs, newest first."""
    rows = await queue.page(session, state=state, kind=kind, before=id_of(cursor), limit=limit)
    following = cursor_of(rows[-1].id) if len(rows) == limit else None
    return Page(items=[JobView.model_validate(document(row)) for row in rows], next=following)


@router.get("/summary")
async def summarise(_caller: Admin, session: Transaction) -> Summary:
    """Count jobs by kind and state."""
    counts = await queue.summary(session)
    return Summary(kinds=[KindCounts(kind=kind, **states) for kind, states in counts.items()])


@router.post("", status_code=202)
async def start_job(caller: Admin, session: Transaction, given: NewJob) -> JobView:
    """Start a self-check: each part of the service is used once, for real."""
    job = await queue.ensure(session, SELFCHECK, "by-hand")
    audit.record(session, "job.started", caller=caller, target=job.id, kind=given.kind)
    return JobView.model_validate(document(job))


@router.get("/{job_id}", responses=responses(404))
async def show_job(_caller: Admin, session: Transaction, job_id: UUID) -> JobView:
    """Show a job."""
    return JobView.model_validate(document(await queue.get(session, job_id)))


@router.post("/{job_id}/cancel", responses=responses(404, 409))
async def cancel_job(caller: Admin, session: Transaction, job_id: UUID) -> JobView:
    """Cancel a job that waits or runs."""
    audit.record(session, "job.cancelled", caller=caller, target=job_id)
    return JobView.model_validate(document(await queue.cancel(session, job_id)))


@router.post("/{job_id}/retry", responses=responses(404, 409))
async def retry_job(caller: Admin, session: Transaction, job_id: UUID) -> JobView:
    """Let a job that failed, crashed or was cancelled run again."""
    audit.record(session, "job.retried", caller=caller, target=job_id)
    return JobView.model_validate(document(await queue.retry(session, job_id)))
