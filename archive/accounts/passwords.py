"""Passwords: Argon2id, off the event loop, and few at a time because each hash takes 64 MiB."""

from __future__ import annotations

import asyncio
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

from archive.errors import WeakPassword

SHORTEST = 10
LONGEST = 200
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_at_once = asyncio.Semaphore(4)


def check_strength(password: str, email: str) -> None:
    """Refuse passwords that would not hold: too short, too plain, or the address itself. Length beats symbols."""
    if len(password) < SHORTEST:
        message = f"Use at least {SHORTEST} characters; three or four words are easy to remember."
        raise WeakPassword(message)
    if len(password) > LONGEST:
        message = f"Use at most {LONGEST} characters."
        raise WeakPassword(message)
    lowered = password.casefold()
    if len(set(lowered)) < 5 or lowered in {email.casefold(), email.partition("@")[0].casefold()}:  # noqa: PLR2004
        message = "This password is too easy to guess. Three or four unrelated words are better."
        raise WeakPassword(message)


async def hash_password(password: str) -> str:
    """Hash a password for the database."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Compare; without a stored hash it takes as long and is false."""
    async with _at_once:
        same = await asyncio.to_thread(_verify, stored or _nobody(), password)
    return same and stored is not None


def is_outdated(stored: str) -> bool:
    """Say whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


@cache
def _nobody() -> str:
    """Give what an unknown address is compared with, so that it takes as long as a known one."""
    return _hasher.hash(secrets.token_hex())


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False
