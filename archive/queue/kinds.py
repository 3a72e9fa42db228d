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


# What waits for a store that is away tries for days, as one job: periodic work adds no second one beside it.
_PATIENT = 1000

SELFCHECK = Kind("upkeep.selfcheck", queue="upkeep", priority=10, max_attempts=1)
PRUNE = Kind("upkeep.prune", queue="upkeep", priority=200, limit=1, every=timedelta(hours=1))
PASSWORD_RESET = Kind("mail.password_reset", queue="mail", priority=10)
# A received original is read back from the store and compared with what was received.
VERIFY = Kind("integrity.verify", queue="upkeep", priority=50)
# An upload that has all its bytes and whose last request did not live to finish it.
FINISH = Kind("uploads.finish", priority=20, max_attempts=_PATIENT)
PURGE = Kind("assets.purge", queue="upkeep", priority=150, limit=1, every=timedelta(hours=1))
EMPTY_TRASH = Kind("assets.empty_trash", priority=60)
SCRUB = Kind(
    "integrity.scrub", queue="upkeep", priority=150, max_attempts=_PATIENT, limit=1, every=timedelta(minutes=5)
)
MIRROR = Kind(
    "integrity.mirror", queue="upkeep", priority=120, max_attempts=_PATIENT, limit=1, every=timedelta(minutes=1)
)
DELETE = Kind(
    "integrity.delete", queue="upkeep", priority=160, max_attempts=_PATIENT, limit=1, every=timedelta(minutes=10)
)
SWEEP = Kind("integrity.sweep", queue="upkeep", priority=170, max_attempts=_PATIENT, limit=1, every=timedelta(days=1))

# Looks this often whether a backup is due; it is a backup itself only then, or when somebody asks for one.
BACKUP = Kind(
    "backups.make",
    queue="upkeep",
    priority=110,
    max_attempts=3,
    limit=1,
    lease=timedelta(minutes=2),
    every=timedelta(minutes=15),
)

# The steps of an asset. What it is comes before what it looks like, and both before what takes minutes.
DESCRIBE = Kind("ingest.describe", queue="ingest", priority=80, max_attempts=_PATIENT)
RENDER = Kind("ingest.render", queue="ingest", priority=90, max_attempts=_PATIENT)
# What nobody waits for. Workers that do only this can have machines of their own.
LOOK = Kind("analysis.look", queue="analysis", priority=120, max_attempts=_PATIENT)
PLAY = Kind("ingest.play", queue="ingest", priority=180, max_attempts=_PATIENT, limit=1)
# Asks anew for steps that wait and have no job.
MISSING = Kind("ingest.missing", queue="upkeep", priority=140, limit=1, every=timedelta(minutes=1))
# Groups that a rule chooses, resolved one after the other.
RESOLVE = Kind("duplicates.resolve", priority=60)
FOLD = Kind("timeline.fold", queue="upkeep", priority=140, limit=1, every=timedelta(minutes=1))

# Making originals smaller, and whether they still are what they were: all of it waits for everything else.
RECOMPRESS = Kind(
    "space.recompress", queue="upkeep", priority=190, max_attempts=_PATIENT, limit=1, every=timedelta(minutes=5)
)
PROVE = Kind("space.prove", queue="upkeep", priority=60)
RETIRE = Kind("space.retire", queue="upkeep", priority=180, max_attempts=_PATIENT, limit=1, every=timedelta(hours=1))
PREVIEW = Kind("space.preview", priority=70, limit=2)

ALL = (
    SELFCHECK,
    PRUNE,
    PASSWORD_RESET,
    VERIFY,
    SCRUB,
    MIRROR,
    DELETE,
    SWEEP,
    FINISH,
    PURGE,
    EMPTY_TRASH,
    BACKUP,
    DESCRIBE,
    RENDER,
    LOOK,
    PLAY,
    MISSING,
    RESOLVE,
    FOLD,
    RECOMPRESS,
    PROVE,
    RETIRE,
    PREVIEW,
)
QUEUES = ("mail", "default", "ingest", "analysis", "upkeep")
