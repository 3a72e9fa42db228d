"""Signed links: whoever has one gets what it names, and nothing else, for a while, without signing in."""

from __future__ import annotations

import base64
import hmac
import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query

from archive.errors import Forbidden
from archive.keyring import Keyring

# Links made within the same half hour are the same, so that browsers find what they have.
_STEP, _LEAST = 1800, 1800
RENDITION, ORIGINAL, ZIP = "rendition-link", "original-link", "zip-link"
Expires = Annotated[int | None, Query(ge=0, lt=1 << 40)]
Signature = Annotated[str | None, Query(max_length=100)]


class Signer:
    """Signs links that work for half an hour at least, and an hour at most: one for all links of an answer."""

    def __init__(self, keyring: Keyring) -> None:
        self._keys = {purpose: keyring.derive(purpose) for purpose in (RENDITION, ORIGINAL, ZIP)}
        self.expires = (int(time.time()) + _LEAST) // _STEP * _STEP + _STEP

    @property
    def expires_at(self) -> datetime:
        """Give when the links end."""
        return datetime.fromtimestamp(self.expires, UTC)

    def rendition(self, asset_id: UUID, name: str) -> str:
        """Make a link to a rendition."""
        signed = self._signed(RENDITION, f"{asset_id}/{name}")
        return f"/api/v1/assets/{asset_id}/renditions/{name}?{signed}"

    def original(self, asset_id: UUID, *, inline: bool = False) -> str:
        """Make a link to an original: to be saved, or to be shown where it stands."""
        more = "inline=true&" if inline else ""
        return f"/api/v1/assets/{asset_id}/original?{more}{self._signed(ORIGINAL, str(asset_id))}"

    def zip(self, selection_id: UUID) -> str:
        """Make a link to a selection's zip."""
        return f"/api/v1/selections/{selection_id}/zip?{self._signed(ZIP, str(selection_id))}"

    def _signed(self, purpose: str, what: str) -> str:
        code = hmac.digest(self._keys[purpose], _message(what, self.expires), "sha256")
        return f"expires={self.expires}&signature={base64.urlsafe_b64encode(code).decode().rstrip('=')}"


def _message(what: str, expires: int) -> bytes:
    return f"{what}/{expires}".encode()


def require_signed(keyring: Keyring, purpose: str, what: str, expires: int, signature: str) -> None:
    """Refuse a link that was not made here, was changed, or is over."""
    try:
        given = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except ValueError:
        given = b""
    if expires < time.time() or not keyring.verify(purpose, _message(what, expires), given):
        message = "This link has expired or was changed. Load the page again for a new one."
        raise Forbidden(message)
