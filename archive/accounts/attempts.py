"""Count attempts at guessable things, and stop them when there are too many. Counted in their own transaction:
a refused request is rolled back, its attempt must not be.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import case, delete
from sqlalchemy.dialects.postgresql import insert

from archive.db import now
from archive.errors import TooManyAttempts
from archive.models import Attempt

if TYPE_CHECKING:
    from archive.db import Database


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts in a window of time."""

    name: str
    most: int
    window: timedelta


# From one network, so that nobody far away keeps an account's owner out with ten requests; from anywhere, more.
SIGN_IN_ACCOUNT = Limit("sign-in-account", 10, timedelta(minutes=15))
SIGN_IN_ANYWHERE = Limit("sign-in-anywhere", 100, timedelta(minutes=15))
SIGN_IN_ADDRESS = Limit("sign-in-address", 100, timedelta(minutes=15))
RESET_ACCOUNT = Limit("reset-account", 3, timedelta(hours=1))
RESET_ADDRESS = Limit("reset-address", 20, timedelta(hours=1))
LINK_ADDRESS = Limit("link-address", 60, timedelta(minutes=15))
# Guests of one party stand behind one address: opening is cheap, guessing a password is not.
SHARE_ADDRESS = Limit("share-address", 300, timedelta(minutes=15))
SHARE_PASSWORD_HERE = Limit("share-password-here", 10, timedelta(minutes=15))
SHARE_PASSWORD_ANYWHERE = Limit("share-password-anywhere", 100, timedelta(minutes=15))
SHARE_ZIP = Limit("share-zip", 60, timedelta(hours=1))
PASSWORD_ACCOUNT = Limit("password-account", 10, timedelta(minutes=15))


def network(ip: str | None) -> str:
    """Give whom an address belongs to: itself, or for IPv6 its /64, which is what one household or server has."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


async def count(database: Database, *limits: tuple[Limit, str]) -> None:
    """Count one attempt under each limit in turn. The first that is exceeded refuses it, and the rest do not count it:
    who is over the limit of an address must not use up that of somebody's account.
    """
    for limit, subject in limits:
        counted, wait = await _count_one(database, limit, subject)
        if counted > limit.most:
            raise TooManyAttempts(wait, first=counted == limit.most + 1)


async def _count_one(database: Database, limit: Limit, subject: str) -> tuple[int, int]:
    moment = now()
    over = Attempt.window_ends_at <= moment
    new = insert(Attempt).values(subject=_subject(limit, subject), count=1, window_ends_at=moment + limit.window)
    counting = new.on_conflict_do_update(
        index_elements=[Attempt.subject],
        set_={
            "count": case((over, 1), else_=Attempt.count + 1),
            "window_ends_at": case((over, moment + limit.window), else_=Attempt.window_ends_at),
        },
    ).returning(Attempt.count, Attempt.window_ends_at)
    async with database.transaction() as session:
        counted, ends_at = (await session.execute(counting)).one()
    return counted, int((ends_at - moment).total_seconds()) + 1


async def forget(database: Database, limit: Limit, subject: str) -> None:
    """Start afresh after a success."""
    async with database.transaction() as session:
        await session.execute(delete(Attempt).where(Attempt.subject == _subject(limit, subject)))


def _subject(limit: Limit, subject: str) -> bytes:
    # Hashed, so that the table is no list of addresses somebody tried.
    return hashlib.sha256(f"{limit.name}:{subject.casefold()}".encode()).digest()
