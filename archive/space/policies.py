"""Policies: which level a library has chosen, or an album of it; and what holds for one asset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, func, select, update

from archive import audit
from archive.access import Caller, Role
from archive.albums import service as albums
from archive.errors import Invalid
from archive.libraries import service as libraries
from archive.models import AlbumAsset, Asset, Policy, Recompression
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.space import levels
from archive.space.levels import Level

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants a policy to be. Lossy levels are accepted only with the words that they cannot be undone."""

    level: str
    score: float | None = None
    codec: str | None = None
    most_pixels: int | None = None
    keep_days: int = 30
    understood: bool = False


async def listed(session: AsyncSession, caller: Caller, library_id: UUID) -> list[Policy]:
    """List the policies of a library: its own first, then those of its albums."""
    await libraries.get(session, caller, library_id)
    statement = select(Policy).where(Policy.library_id == library_id)
    return list(await session.scalars(statement.order_by(Policy.album_id.nulls_first())))


async def choose(session: AsyncSession, caller: Caller, library_id: UUID, album_id: UUID | None, wish: Wish) -> Policy:
    """Choose the level of a library, or of one of its albums; owners do. What it changes begins at once."""
    await _require_owner(session, caller, library_id, album_id)
    require_sense(wish)
    policy = await _locked(session, library_id, album_id)
    if policy is None:
        policy = Policy(library_id=library_id, album_id=album_id)
        session.add(policy)
    old = policy.level
    policy.level, policy.keep_days = wish.level, wish.keep_days
    custom = wish.level == levels.CUSTOM
    policy.score, policy.most_pixels = (wish.score, wish.most_pixels) if custom else (None, None)
    policy.codec = wish.codec if custom else None
    policy.changed_at, policy.changed_by = func.clock_timestamp(), caller.account_id
    audit.record(
        session, "policy.chosen", caller=caller, library_id=library_id, target=album_id, old=old, new=wish.level
    )
    await session.flush()
    await session.refresh(policy)
    await _reconsider(session, library_id, album_id)
    return policy


async def drop(session: AsyncSession, caller: Caller, library_id: UUID, album_id: UUID | None) -> None:
    """Have an album do as its library does, or a library as the installation."""
    await _require_owner(session, caller, library_id, album_id)
    policy = await _locked(session, library_id, album_id)
    if policy is None:
        return
    audit.record(session, "policy.dropped", caller=caller, library_id=library_id, target=album_id, old=policy.level)
    await session.execute(delete(Policy).where(Policy.id == policy.id))
    await _reconsider(session, library_id, album_id)


async def level_of(session: AsyncSession, asset: Asset, default: str) -> Level:
    """Say what is wanted of an asset: by its albums, else its library, else the installation."""
    of_albums = select(Policy).join(AlbumAsset, AlbumAsset.album_id == Policy.album_id)
    found = [levels.of(one) for one in await session.scalars(of_albums.where(AlbumAsset.asset_id == asset.id))]
    if found:
        return levels.most_careful(found)
    of_library = select(Policy).where(Policy.library_id == asset.library_id, Policy.album_id.is_(None))
    policy = await session.scalar(of_library)
    return Level(default) if policy is None else levels.of(policy)


def require_sense(wish: Wish) -> None:
    """Refuse what contradicts itself, and a loss that nobody has agreed to."""
    if wish.level == levels.CUSTOM and (wish.score is None or wish.codec is None):
        raise Invalid("A custom policy says which score it wants to reach, 30 to 95, and with which codec.")
    if wish.level not in {levels.KEEP, levels.EXACT} and not levels.LOSSY:
        raise Invalid("This release keeps every byte: it makes no lossy forms yet. Choose keep or exact.")
    if wish.level not in {levels.KEEP, levels.EXACT} and not wish.understood:
        raise Invalid(
            "This level changes photos in a way that cannot be undone once the received files are gone. "
            "Send understood: true to say that this is wanted."
        )


async def _require_owner(session: AsyncSession, caller: Caller, library_id: UUID, album_id: UUID | None) -> None:
    await libraries.get_for(session, caller, library_id, Role.OWNER)
    if album_id is not None and (await albums.get(session, caller, album_id)).library_id != library_id:
        raise Invalid("This album is of another library.")


async def _locked(session: AsyncSession, library_id: UUID, album_id: UUID | None) -> Policy | None:
    # One owner after the other, also where there is no row yet to lock.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"policy {library_id}"))))
    which = Policy.album_id.is_(None) if album_id is None else Policy.album_id == album_id
    return await session.scalar(select(Policy).where(Policy.library_id == library_id, which))


async def _reconsider(session: AsyncSession, library_id: UUID, album_id: UUID | None) -> None:
    """Have all that a policy is about looked at again, now."""
    concerned = select(Asset.id).where(Asset.library_id == library_id)
    if album_id is not None:
        concerned = select(AlbumAsset.asset_id).where(AlbumAsset.album_id == album_id)
    anew = {"state": "due", "due_at": func.clock_timestamp(), "attempts": 0, "reason": None}
    await session.execute(update(Recompression).where(Recompression.asset_id.in_(concerned)).values(anew))
    await enqueue(session, kinds.RECOMPRESS, key="chosen")
