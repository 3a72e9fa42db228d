"""The SQL of links to albums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import and_, func, select, update

from archive.access import Caller, Role
from archive.albums import service as albums
from archive.errors import NotFound
from archive.models import Account, Album, Membership, Share

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Standing:
    """A link, its album, and how who made it stands to the album's library now."""

    share: Share
    album: Album
    maker: Account
    role: str | None


async def of_album(session: AsyncSession, album_id: UUID) -> list[Share]:
    """List an album's links, the newest first."""
    return list(await session.scalars(select(Share).where(Share.album_id == album_id).order_by(Share.id.desc())))


async def get(session: AsyncSession, caller: Caller, share_id: UUID) -> tuple[Share, Album]:
    """Find a link to an album that the caller may change."""
    share = await session.get(Share, share_id, with_for_update=True)
    noun = "link"
    if share is None:
        raise NotFound(noun)
    try:
        return share, await albums.get(session, caller, share.album_id, Role.EDITOR)
    except NotFound as error:
        raise NotFound(noun) from error


async def standing(session: AsyncSession, share_id: UUID) -> Standing | None:
    """Find a link, for somebody who has shown that he has it."""
    belongs = and_(Membership.library_id == Album.library_id, Membership.account_id == Share.created_by)
    statement = (
        select(Share, Album, Account, Membership.role)
        .join(Album, Album.id == Share.album_id)
        .join(Account, Account.id == Share.created_by)
        .outerjoin(Membership, belongs)
        .where(Share.id == share_id)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Standing(row[0], row[1], row[2], row[3])


async def count_view(session: AsyncSession, share_id: UUID) -> None:
    """Count that somebody has opened a link."""
    seen = update(Share).where(Share.id == share_id).values(views=Share.views + 1, last_seen_at=func.now())
    await session.execute(seen, execution_options={"synchronize_session": False})
