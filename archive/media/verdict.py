"""How decoding a file can end, and the exceptions by which the child's code says so."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """How a task ended; all but the first is why there is no result."""

    OK = "ok"
    UNSUPPORTED = "unsupported"
    CORRUPT = "corrupt"
    RESOURCE_LIMIT = "resource_limit"
    TIMEOUT = "timeout"
    CRASH = "crash"


class Refused(Exception):
    """A task that ends without a result."""

    verdict = Verdict.CRASH

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Unsupported(Refused):
    """There is no decoder for this content."""

    verdict = Verdict.UNSUPPORTED


class Corrupt(Refused):
    """What the file says cannot be read. Said only when no decoder could."""

    verdict = Verdict.CORRUPT


class LimitExceeded(Refused):
    """It would take more than it may."""

    verdict = Verdict.RESOURCE_LIMIT
