"""Make links to albums, change and end them; let guests in, and show them what the link shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from archive import audit
from archive.access import Caller, Guest, Role, Scope
from archive.albums import service as albums
from archive.albums.queries import Position
from archive.albums.service import Listed
from archive.db import now
from archive.errors import Forbidden, Invalid, PassExpired, ShareEnded, SharePasswordWrong
from archive.models import Share
from archive.shares import queries, tokens
from archive.shares.queries import Standing
from archive.shares.tokens import Pass

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.keyring import Keyring
    from archive.models import Account, Album, Asset, Selection
    from archive.timeline.tiles import Tile

LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Visit:
    """A guest, for one request: what the link is now, and the pass it came with."""

    share: Share
    album: Album
    maker: Account
    guest: Guest

    def uploader(self) -> Caller:
        """Act in the name of who made the link, to send something into its album and for nothing else."""
        if not self.share.uploads:
            message = "This link takes no uploads."
            raise Forbidden(message)
        return Caller(
            self.maker.id,
            self.maker.email,
            is_admin=False,
            scopes=frozenset({Scope.UPLOAD}),
            only_library=self.album.library_id,
            guest=self.guest,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """What somebody gets who opens a link."""

    share: Share
    listed: Listed
    given: Pass


async def of_album(session: AsyncSession, caller: Caller, album_id: UUID) -> list[Share]:
    """List an album's links, for those who may make some."""
    await albums.get(session, caller, album_id, Role.EDITOR)
    return await queries.of_album(session, album_id)


async def create(session: AsyncSession, caller: Caller, album_id: UUID, fields: Mapping[str, Any]) -> Share:
    """Make a link to an album."""
    album = await albums.get(session, caller, album_id, Role.EDITOR)
    share = Share(album_id=album_id, created_by=caller.account_id, **fields)
    session.add(share)
    await session.flush()
    await session.refresh(share)
    _require_sense(share)
    audit.record(session, "share.created", caller=caller, library_id=album.library_id, target=share.id, **_said(share))
    return share


async def change(session: AsyncSession, caller: Caller, share_id: UUID, fields: Mapping[str, Any]) -> Share:
    """Change a link. With another password, whoever came in by the old one has to come in again."""
    share, album = await queries.get(session, caller, share_id)
    for name, value in fields.items():
        setattr(share, name, value)
    if "password_hash" in fields:
        share.generation += 1
    _require_sense(share)
    await session.flush()
    audit.record(session, "share.changed", caller=caller, library_id=album.library_id, target=share.id, **_said(share))
    return share


async def end(session: AsyncSession, caller: Caller, share_id: UUID) -> None:
    """End a link, and what guests are just sending by it."""
    share, album = await queries.get(session, caller, share_id)
    audit.record(session, "share.ended", caller=caller, library_id=album.library_id, target=share.id)
    await session.delete(share)
    await session.flush()


async def find(session: AsyncSession, keyring: Keyring, token: str) -> Share:
    """Find the link that a token is of, while it works."""
    return _lasting(await queries.standing(session, tokens.share_of(keyring, token))).share


async def enter(session: AsyncSession, keyring: Keyring, token: str, password_hash: str | None) -> Opened:
    """Let a guest in who has shown the token, and the password that this hash is of."""
    standing = _lasting(await queries.standing(session, tokens.share_of(keyring, token)))
    share = standing.share
    if share.password_hash != password_hash:
        raise SharePasswordWrong  # it was changed just now
    await queries.count_view(session, share.id)
    expires_at = min(now() + LASTS, share.expires_at or now() + LASTS)
    given = Pass(share.id, uuid4(), share.generation, expires_at)
    return Opened(share, (await albums.listed(session, [standing.album]))[0], given)


async def visit(session: AsyncSession, keyring: Keyring, written: str) -> Visit:
    """Find out which guest is calling, and that the link still works as it did when the guest came in."""
    given = tokens.read(keyring, written)
    standing = _lasting(await queries.standing(session, given.share_id))
    if standing.share.generation != given.generation:
        raise PassExpired
    guest = Guest(given.guest_id, standing.share.id, standing.album.id)
    return Visit(standing.share, standing.album, standing.maker, guest)


async def assets(
    session: AsyncSession, visit: Visit, *, after: Position | None, limit: int
) -> tuple[list[Tile], Position | None]:
    """List what a guest sees, in the album's order."""
    return await albums.seen(session, visit.album, after=after, limit=limit)


async def asset(session: AsyncSession, visit: Visit, asset_id: UUID) -> Asset:
    """Find one of the assets a guest sees."""
    return await albums.member(session, visit.album, asset_id)


async def select(session: AsyncSession, visit: Visit) -> Selection:
    """Choose all of the album for a guest's zip."""
    if not visit.share.downloads:
        message = "This link gives no originals."
        raise Forbidden(message)
    audit.record(
        session,
        "share.downloaded",
        actor=(visit.maker.id, visit.maker.email),
        library_id=visit.album.library_id,
        target=visit.share.id,
    )
    return await albums.selected(session, visit.album, visit.maker.id)


def _lasting(standing: Standing | None) -> Standing:
    """Refuse a link that was ended or grew old, or whose maker may not change the album any more."""
    if standing is None or (standing.share.expires_at is not None and standing.share.expires_at <= now()):
        raise ShareEnded
    if standing.maker.disabled_at is not None or standing.role is None:
        raise ShareEnded
    if not Role(standing.role).at_least(Role.EDITOR):
        raise ShareEnded
    return standing


def _require_sense(share: Share) -> None:
    if share.downloads and not share.metadata_:
        message = "Originals carry their metadata: a link that hides it cannot give them out. Turn 'downloads' off."
        raise Invalid(message)


def _said(share: Share) -> dict[str, Any]:
    return {
        "album": str(share.album_id),
        "password": share.password_hash is not None,
        "expires_at": share.expires_at.isoformat() if share.expires_at else None,
        "downloads": share.downloads,
        "uploads": share.uploads,
        "metadata": share.metadata_,
    }
