"""Jobs: the truth about work. Redis only carries wake-ups."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.models.base import Base, Created, Id, Json

STATES = ("ready", "running", "done", "failed", "cancelled", "quarantined")


class Job(Base):
    """One piece of work. ``fence`` grows with every claim: a worker whose fence is old can no longer write."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        # What a claim reads: the best ready job of a queue.
        Index("ix_job_ready", "queue", "priority", "run_after", "id", postgresql_where=text("state = 'ready'")),
        # What the reconciler reads: leases, and running jobs a kind.
        Index("ix_job_running", "kind", "lease_until", postgresql_where=text("state = 'running'")),
        # One unfinished job a key: asking twice for the same work is asking once.
        Index("uq_job_key", "kind", "key", unique=True, postgresql_where=text("state IN ('ready', 'running')")),
        Index("ix_job_kind_state", "kind", "state"),
        Index("ix_job_finished_at", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    queue: Mapped[str]
    key: Mapped[str | None]
    args: Mapped[Json]
    library_id: Mapped[UUID | None] = mapped_column(ForeignKey("library.id", ondelete="CASCADE"), index=True)
    request_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=text("'ready'"))
    priority: Mapped[int]
    run_after: Mapped[datetime] = mapped_column(server_default=func.now())
    fence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    worker: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    max_attempts: Mapped[int]
    crashes: Mapped[int] = mapped_column(server_default=text("0"))
    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    progress_done: Mapped[int | None] = mapped_column(BigInteger)
    progress_total: Mapped[int | None] = mapped_column(BigInteger)
    progress_message: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Worker(Base):
    """A live worker process, as its heartbeats say."""

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    queues: Mapped[str]
    started_at: Mapped[Created]
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
