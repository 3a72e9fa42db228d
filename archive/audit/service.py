"""Write and read the audit log. An entry is part of the transaction it speaks of: no act without its entry."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive import log
from archive.db import do_after_commit
from archive.models import AuditEntry

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.access import Caller

_log = log.get("audit")


def record(
    session: AsyncSession,
    action: str,
    *,
    caller: Caller | None = None,
    actor: tuple[UUID, str] | None = None,
    library_id: UUID | None = None,
    target: object = None,
    **details: object,
) -> None:
    """Record an act. Who acts is the caller, or, while somebody is still signing in, the account it is about."""
    actor_id, actor_email = actor or ((caller.account_id, caller.email) if caller else (None, None))
    if caller and caller.api_key_id:
        details["api_key"] = str(caller.api_key_id)
    if caller and caller.guest:
        details["share"] = str(caller.guest.share_id)
    if caller and caller.via:
        details["via"] = caller.via
    session.add(
        AuditEntry(
            action=action,
            actor_id=actor_id,
            actor_email=actor_email,
            library_id=library_id,
            target=None if target is None else str(target),
            ip=log.bound("ip"),
            request_id=log.bound("request_id"),
            details=details,
        )
    )
    shown = {"actor": str(actor_id) if actor_id else None, "target": None if target is None else str(target)}
    do_after_commit(session, lambda: _log.info(action, **shown))


async def page(session: AsyncSession, *, before: int | None, limit: int) -> list[AuditEntry]:
    """List entries, newest first."""
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    return list(await session.scalars(statement))
