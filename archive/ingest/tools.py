"""What the steps work with."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.forms.giving import Giver
    from archive.media.sandbox import Sandbox
    from archive.vault.vault import Vault


class Transactions(Protocol):
    """Opens transactions of a job; they commit only while it is still ours."""

    def __call__(self, *, finish: bool = False) -> AbstractAsyncContextManager[AsyncSession]:
        """Open one; ``finish`` marks the job done with it."""
        ...


@dataclass(frozen=True, slots=True)
class Playing:
    """When films get a rendition that every browser plays, and how large it is."""

    # needed, all, never.
    when: str
    # Pixels of the shorter side at most.
    most: int


@dataclass(frozen=True, slots=True)
class Tools:
    """Where bytes are, and who decodes them."""

    vault: Vault
    sandbox: Sandbox
    playing: Playing
    giver: Giver
