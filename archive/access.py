"""Who is calling and what they may do. Every query that touches somebody's data starts from a ``Caller``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from archive.errors import Forbidden, SessionRequired

if TYPE_CHECKING:
    from uuid import UUID


class Scope(StrEnum):
    """What an API key may be used for. A session has all of them; the last two also need an admin's account."""

    READ = "read"
    UPLOAD = "upload"
    WRITE = "write"
    METRICS = "metrics"
    ADMIN = "admin"


ADMINS_ONLY = frozenset({Scope.METRICS, Scope.ADMIN})


class Role(StrEnum):
    """What a member may do in a library: see, change, or also decide who belongs to it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def at_least(self, other: Role) -> bool:
        """Compare roles: an owner may all that an editor may, an editor all that a viewer may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody without an account who came by a link. The id is the pass's: two with one link are two."""

    id: UUID
    share_id: UUID
    album_id: UUID


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated account, and how it proved itself."""

    account_id: UUID
    email: str
    is_admin: bool
    scopes: frozenset[Scope]
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    # An API key bound to a library sees that one only.
    only_library: UUID | None = None
    # How else the caller came in, for the audit log: the command line acts for an account nobody has signed in to.
    via: str | None = None
    # A guest acts in the name of who made the link, and only sends what goes into its album.
    guest: Guest | None = None

    def require(self, scope: Scope) -> None:
        """Refuse a key without the scope, and, for what concerns the installation, an account that is no admin."""
        if scope not in self.scopes:
            message = f"This API key lacks the scope '{scope}'. Create one that has it."
            raise Forbidden(message)
        if scope not in ADMINS_ONLY:
            return
        if not self.is_admin:
            message = "Only admins of this installation may do this."
            raise Forbidden(message)
        self.require_whole_account()

    def require_session(self) -> UUID:
        """Refuse API keys: what decides about the account itself is for a signed-in person."""
        if self.session_id is None:
            raise SessionRequired
        return self.session_id

    def require_whole_account(self) -> None:
        """Refuse a key that is bound to one library: it may not reach past it."""
        if self.only_library is not None:
            message = "This API key is bound to one library and may not do this."
            raise Forbidden(message)
