"""Tokens of links, and the passes of guests: MACs under the root keys, so that nothing that is stored opens anything.

What was made under an earlier root key stays valid for as long as that key is in the ring.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from archive.db import now
from archive.errors import LinkNotFound, PassExpired

if TYPE_CHECKING:
    from archive.keyring import Keyring

_TOKEN, _PASS = "share-token", "share-pass"  # purposes, no secrets
_MAC = 32
# The link, the guest, the link's generation, and the second in which the pass ends.
_FIELDS = struct.Struct(">16s16sIQ")


@dataclass(frozen=True, slots=True)
class Pass:
    """What a guest shows with every request."""

    share_id: UUID
    guest_id: UUID
    generation: int
    expires_at: datetime


def token_of(keyring: Keyring, share_id: UUID) -> str:
    """Give the token of a link."""
    return _written(share_id.bytes + keyring.mac(_TOKEN, share_id.bytes))


def share_of(keyring: Keyring, token: str) -> UUID:
    """Give the link that a token is of."""
    content = _read(token)
    if len(content) != 16 + _MAC or not keyring.verify(_TOKEN, content[:16], content[16:]):
        raise LinkNotFound
    return UUID(bytes=content[:16])


def write(keyring: Keyring, given: Pass) -> str:
    """Write a pass."""
    end = int(given.expires_at.timestamp())
    fields = _FIELDS.pack(given.share_id.bytes, given.guest_id.bytes, given.generation, end)
    return _written(fields + keyring.mac(_PASS, fields))


def read(keyring: Keyring, written: str) -> Pass:
    """Read a pass, and refuse one that was not made here or is over."""
    content = _read(written)
    fields, code = content[: _FIELDS.size], content[_FIELDS.size :]
    if len(code) != _MAC or not keyring.verify(_PASS, fields, code):
        raise PassExpired
    share, guest, generation, end = _FIELDS.unpack(fields)
    found = Pass(UUID(bytes=share), UUID(bytes=guest), generation, datetime.fromtimestamp(end, UTC))
    if found.expires_at <= now():
        raise PassExpired
    return found


def _written(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _read(written: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))
    except ValueError:
        return b""
