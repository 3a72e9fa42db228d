"""What is put in order together, best first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from archive.timeline.filters import Conditions, Filters, conditions


@dataclass(frozen=True, slots=True)
class Shoot:
    """What is put in order together; without anything it is the library."""

    album: UUID | None = None
    batch: UUID | None = None
    first: date | None = None
    last: date | None = None

    def conditions(self, library_id: UUID) -> Conditions:
        """Write it as SQL."""
        return conditions(
            library_id, Filters(kind="photo", album=self.album, batch=self.batch, first=self.first, last=self.last)
        )
