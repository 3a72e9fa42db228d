"""Time-based one-time passwords (RFC 6238: SHA-1, six digits, thirty seconds), as authenticator apps make them."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from urllib.parse import quote

STEP_SECONDS = 30
_DIGITS = 6
# One step either way, for clocks that are a little off.
_WINDOW = 1
_SECRET_BYTES = 20


def new_secret() -> bytes:
    """Make a secret as long as the hash, as RFC 4226 advises."""
    return secrets.token_bytes(_SECRET_BYTES)


def written(secret: bytes) -> str:
    """Write the secret the way people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, email: str) -> str:
    """Write the URI that the QR code carries."""
    return f"otpauth://totp/Tagphoto:{quote(email)}?secret={written(secret)}&issuer=Tagphoto"


def code(secret: bytes, step: int) -> str:
    """Give the code of one time step."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def accepted_step(secret: bytes, given: str, last_step: int, at: float | None = None) -> int | None:
    """Give the step this code belongs to, if it is near now and later than the last one accepted."""
    present = int((time.time() if at is None else at) // STEP_SECONDS)
    for step in range(present - _WINDOW, present + _WINDOW + 1):
        if step > last_step and hmac.compare_digest(code(secret, step).encode(), given.encode()):
            return step
    return None
