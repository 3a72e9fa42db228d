"""Make, read and use one-time links."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from archive.db import now
from archive.errors import LinkExpired, LinkNotFound
from archive.ids import new_token, token_hash
from archive.models import Link

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

LinkKind = Literal["first_admin", "invite", "password_reset"]
_LIFETIME: dict[LinkKind, timedelta] = {
    "first_admin": timedelta(days=7),
    "invite": timedelta(days=7),
    "password_reset": timedelta(hours=2),
}


async def make(  # noqa: PLR0913  # the columns of a link
    session: AsyncSession,
    kind: LinkKind,
    *,
    account_id: UUID | None = None,
    email: str | None = None,
    library_id: UUID | None = None,
    role: str | None = None,
    is_admin: bool = False,
    created_by: UUID | None = None,
) -> tuple[Link, str]:
    """Make a link. Its token is given once and is not in the database."""
    token = new_token()
    link = Link(
        kind=kind,
        token_hash=token_hash(token),
        account_id=account_id,
        email=email,
        library_id=library_id,
        role=role,
        is_admin=is_admin,
        created_by=created_by,
        expires_at=now() + _LIFETIME[kind],
    )
    session.add(link)
    await session.flush()
    return link, token


def address(public_url: str, token: str) -> str:
    """Write the link as a person opens it. The token stands behind '#': browsers send that part to no server or log."""
    return f"{public_url}/welcome#{token}"


async def find(session: AsyncSession, token: str, *, for_use: bool = False) -> Link:
    """Find a link that still works."""
    statement = select(Link).where(Link.token_hash == token_hash(token))
    link = await session.scalar(statement.with_for_update() if for_use else statement)
    if link is None:
        raise LinkNotFound
    if link.used_at is not None or link.expires_at <= now():
        raise LinkExpired
    return link


async def revoke_made_by(session: AsyncSession, account_id: UUID, *to_what: ColumnElement[bool]) -> None:
    """Make the open invitations of somebody useless who lost the right to invite (to what the conditions say)."""
    made = update(Link).where(Link.created_by == account_id, Link.kind == "invite", Link.used_at.is_(None), *to_what)
    await session.execute(made.values(used_at=now()))


async def installation_invites(session: AsyncSession) -> list[Link]:
    """List the invitations to the installation itself that still work."""
    open_ones = select(Link).where(
        Link.kind == "invite", Link.library_id.is_(None), Link.used_at.is_(None), Link.expires_at > now()
    )
    return list(await session.scalars(open_ones.order_by(Link.id)))


async def revoke(session: AsyncSession, kind: LinkKind, *, account_id: UUID | None = None) -> None:
    """Make earlier links of this kind (for this account) useless: only the newest may work."""
    await session.execute(
        update(Link)
        .where(Link.kind == kind, Link.used_at.is_(None), Link.account_id == account_id)
        .values(used_at=now())
    )
