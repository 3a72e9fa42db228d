"""Identifiers and secrets: UUIDs that sort by time, and random tokens that are stored only as hashes."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """Make a version 7 UUID: rows made later sort later, so pages and indexes stay in order of time."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)  # version 7
    value = (value & ~(0x3 << 62)) | (0x2 << 62)  # RFC 9562 variant
    return UUID(int=value)


def new_token() -> str:
    """Make a secret of 256 bits, safe in URLs and cookies."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Hash a random token for the database. It has 256 bits of entropy, so no salt and no slow hash are needed."""
    return hashlib.sha256(token.encode()).digest()
