"""What a step's attempt in the sandbox means for its job: done, to be tried again, or failed with a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive.errors import TagphotoError
from archive.media.verdict import Verdict

if TYPE_CHECKING:
    from archive.media.sandbox import Result

# What may be the moment's fault, and not the file's.
_MAY_PASS = frozenset({Verdict.RESOURCE_LIMIT, Verdict.TIMEOUT, Verdict.CRASH})
_TRIES = 2


class TryAgain(TagphotoError):
    """The attempt failed in a way that may not happen twice."""


def require_last_word(result: Result, attempt: int) -> None:
    """Have the job tried again, unless its outcome is certain or was the same before."""
    if result.verdict in _MAY_PASS and attempt < _TRIES:
        message = f"{result.verdict}: {result.detail or 'no more is known'}"
        raise TryAgain(message)
