"""The kinds of jobs: what each may cost and how it is retried. Handlers live in ``archive.jobs``, found by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job."""

    name: str
    queue: str = "default"
    # Lower goes first.
    priority: int = 100
    max_attempts: int = 5
    # How many may run at once, over all workers of all hosts.
    limit: int | None = None
    # A worker that does not renew its lease within this time has lost the job.
    lease: timedelta = timedelta(seconds=30)
    # Runs by itself this often.
    every: timedelta | None = None


SELFCHECK = Kind("upkeep.selfcheck", queue="upkeep", priority=10, max_attempts=1)
PRUNE = Kind("upkeep.prune", queue="upkeep", priority=200, limit=1, every=timedelta(hours=1))
PASSWORD_RESET = Kind("mail.password_reset", queue="mail", priority=10)
# A received original is read back from the store and compared with what was received.
VERIFY = Kind("integrity.verify", queue="upkeep", priority=50)
# An upload that has all its bytes and whose last request did not live to finish it.
FINISH = Kind("uploads.finish", priority=20)
PURGE = Kind("assets.purge", queue="upkeep", priority=150, limit=1, every=timedelta(hours=1))
EMPTY_TRASH = Kind("assets.empty_trash", priority=60)

ALL = (SELFCHECK, PRUNE, PASSWORD_RESET, VERIFY, FINISH, PURGE, EMPTY_TRASH)
QUEUES = ("mail", "default", "upkeep")
