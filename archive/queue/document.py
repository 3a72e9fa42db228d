"""A job as the outside sees it: the same document in the API's answers and in its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from archive.models import Job


def document(job: Job) -> dict[str, Any]:
    """Describe a job. Its arguments stay inside, for they are for the worker; but for the asset that it is about."""
    return {
        "id": str(job.id),
        "kind": job.kind,
        "queue": job.queue,
        "state": job.state,
        "priority": job.priority,
        "progress": _progress(job),
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "crashes": job.crashes,
        "error": job.error,
        "cancel_requested": job.cancel_requested,
        "library_id": str(job.library_id) if job.library_id else None,
        "asset_id": job.args.get("asset"),
        "request_id": job.request_id,
        "created_at": _written(job.created_at),
        "run_after": _written(job.run_after),
        "started_at": _written(job.started_at),
        "finished_at": _written(job.finished_at),
    }


def _progress(job: Job) -> dict[str, Any] | None:
    if job.progress_total is None:
        return None
    return {"done": job.progress_done or 0, "total": job.progress_total, "message": job.progress_message}


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
