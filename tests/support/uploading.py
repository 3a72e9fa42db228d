"""Put bytes into an archive the way the routes do, for tests that begin where uploads end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

from archive.access import Caller, Scope
from archive.models import Upload
from archive.runtime import Runtime
from archive.uploads import finishing, writing
from archive.uploads.service import Announced, Intake, Limits
from tests.support.people import Person

LIMITS = Limits(max_upload=1 << 40, at_once=16, kept=timedelta(days=7))


def caller_of(person: Person) -> Caller:
    return Caller(UUID(person.id), person.email, is_admin=False, scopes=frozenset(Scope))


async def stream(content: bytes, piece: int = 1 << 18) -> AsyncIterator[bytes]:
    for start in range(0, len(content), piece):
        yield content[start : start + piece]


async def upload(runtime: Runtime, caller: Caller, library: str, content: bytes, name: str = "photo.jpg") -> Upload:
    """Upload some bytes whole."""
    announced = Announced(UUID(library), len(content), name, "image/jpeg")
    intake = Intake(runtime.database, runtime.vault, runtime.hashes, LIMITS)
    writer = await writing.begin(intake, caller, announced)
    outcome = await finishing.take_in(intake, writer, stream(content))
    assert outcome.upload is not None
    return outcome.upload
