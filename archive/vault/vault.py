"""What reading and writing files needs, in one hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.vault.keys import LibraryKeys
    from storage import Store


@dataclass(frozen=True, slots=True)
class Vault:
    """The store, its mirror if there is one, and the keys."""

    store: Store
    mirror: Store | None
    keys: LibraryKeys

    @property
    def stores(self) -> tuple[Store, ...]:
        """Give where to read, in the order to try."""
        return (self.store,) if self.mirror is None else (self.store, self.mirror)
