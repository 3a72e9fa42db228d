"""The tables, one file a noun. Importing this package gives the whole schema, as migrations need it."""

from archive.models.account import Account, ApiKey, Attempt, RecoveryCode, Session
from archive.models.audit import AuditEntry
from archive.models.base import Base
from archive.models.event import Event
from archive.models.installation import Installation
from archive.models.job import Job, Worker
from archive.models.library import Library, Membership
from archive.models.link import Link

__all__ = [
    "Account",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "Base",
    "Event",
    "Installation",
    "Job",
    "Library",
    "Link",
    "Membership",
    "RecoveryCode",
    "Session",
    "Worker",
]
