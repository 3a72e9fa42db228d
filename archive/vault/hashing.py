"""The hashes of received bytes, kept running between the requests of one upload."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from hashlib import _Hash

_REMEMBERED = 1000


@dataclass(slots=True)
class Pair:
    """SHA-256 and SHA-1 of the same bytes."""

    sha256: _Hash = field(default_factory=hashlib.sha256)
    sha1: _Hash = field(default_factory=lambda: hashlib.sha1(usedforsecurity=False))

    def update(self, piece: bytes) -> None:
        """Take more bytes."""
        self.sha256.update(piece)
        self.sha1.update(piece)


class Hashes:
    """Running hashes of unfinished uploads, in this process alone. One that is not here is computed by reading back."""

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[int, Pair]] = {}

    def take(self, upload_id: UUID, offset: int) -> Pair | None:
        """Give the hashes of an upload's first bytes, if they are known here."""
        kept_offset, pair = self._kept.pop(upload_id, (0, Pair()))
        return pair if kept_offset == offset else None

    def keep(self, upload_id: UUID, offset: int, pair: Pair) -> None:
        """Remember the hashes of what is committed."""
        self._kept[upload_id] = (offset, pair)
        while len(self._kept) > _REMEMBERED:
            del self._kept[next(iter(self._kept))]

    def forget(self, upload_id: UUID) -> None:
        """Forget those of an upload that is over."""
        self._kept.pop(upload_id, None)
