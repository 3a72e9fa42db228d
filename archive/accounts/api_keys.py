"""API keys: made, listed, revoked. The key itself is shown once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from archive import audit
from archive.access import ADMINS_ONLY, Scope
from archive.accounts import queries
from archive.db import now
from archive.errors import Forbidden, Invalid, NotFound
from archive.ids import new_token, token_hash
from archive.libraries import queries as libraries
from archive.models import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller

PREFIX = "tp_"
_SHOWN = 8


async def create(  # the columns of a key
    session: AsyncSession,
    caller: Caller,
    *,
    name: str,
    scopes: Iterable[Scope],
    library_id: UUID | None,
    expires_at: datetime | None,
) -> tuple[ApiKey, str]:
    """Make a key for the caller's account."""
    wanted = sorted(set(scopes))
    if expires_at is not None and expires_at <= now():
        message = "This expiry lies in the past."
        raise Invalid(message)
    if needs_admin := ADMINS_ONLY.intersection(wanted):
        if not caller.is_admin:
            message = f"Only admins may create keys with the scope '{min(needs_admin)}'."
            raise Forbidden(message)
        if library_id is not None:
            message = f"A key for one library cannot have the scope '{min(needs_admin)}', which is about all of them."
            raise Invalid(message)
    if library_id is not None:
        await libraries.get(session, caller, library_id)
    key = PREFIX + new_token()
    row = ApiKey(
        account_id=caller.account_id,
        library_id=library_id,
        name=name,
        prefix=key[: len(PREFIX) + _SHOWN],
        key_hash=token_hash(key),
        scopes=wanted,
        expires_at=expires_at,
    )
    session.add(row)
    await session.flush()
    await session.refresh(row)
    audit.record(
        session, "api_key.created", caller=caller, library_id=library_id, target=row.id, name=name, scopes=wanted
    )
    return row, key


async def mine(session: AsyncSession, caller: Caller) -> list[ApiKey]:
    """List the caller's keys."""
    return await queries.api_keys(session, caller.account_id)


async def revoke(session: AsyncSession, caller: Caller, key_id: UUID) -> None:
    """Make a key useless at once."""
    row = await session.get(ApiKey, key_id)
    if row is None or row.account_id != caller.account_id or row.revoked_at is not None:
        raise NotFound("API key")
    row.revoked_at = now()
    audit.record(session, "api_key.revoked", caller=caller, target=key_id, name=row.name)
