"""Turn an asset to another form, or back to the one before: each in the one transaction that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from archive.events.service import publish
from archive.models import Asset, File, Form, Tombstone
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.usage import service as usage
from archive.vault import files
from archive.vault.files import Durable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.vault.keys import LibraryKeys


@dataclass(frozen=True, slots=True)
class Made:
    """A form whose bytes are durable and proven, and that no table knows yet."""

    form: str
    file: Durable
    codec: str
    # Bytes it gives back.
    size: int
    media_type: str | None = None
    setting: float | None = None
    score: float | None = None


async def turn(session: AsyncSession, keys: LibraryKeys, asset: Asset, made: Made, kept: timedelta) -> None:
    """Have a locked asset kept in another form. All it had before stays at least this long."""
    old = await session.get_one(File, asset.original_id)
    await files.keep(session, keys, asset.library_id, [made.file])
    await _note_former(session, asset, old, kept)
    file_id = made.file.binding.file_id
    fields = ("form", "codec", "size", "media_type", "setting", "score")
    values = {name: getattr(made, name) for name in fields}
    session.add(Form(file_id=file_id, asset_id=asset.id, **values))
    asset.original_id = file_id
    await _count(session, asset, made.file.size - old.size)
    await enqueue(session, kinds.VERIFY, {"file": str(file_id)}, library_id=asset.library_id)
    _tell(session, asset)


async def turn_back(session: AsyncSession, asset: Asset, former: Form) -> None:
    """Have a locked asset kept in a form it had before, and destroy the present one."""
    present, back = asset.original_id, await session.get_one(File, former.file_id)
    size = (await session.get_one(File, present)).size
    former.former_at = former.leaves_at = None
    asset.original_id = former.file_id
    await _count(session, asset, back.size - size)
    await let_go(session, present)
    _tell(session, asset)


async def replace(session: AsyncSession, asset: Asset, file: File) -> None:
    """Have a locked asset kept in a file just received with the same bytes, since what is kept is damaged."""
    broken = await session.get_one(File, asset.original_id)
    size, row = asset.size, insert(Form)
    noted = row.values(file_id=broken.id, asset_id=asset.id, form="received", size=size)
    await session.execute(noted.on_conflict_do_nothing())
    asset.original_id = file.id
    await _count(session, asset, file.size - broken.size)
    await let_go(session, broken.id)


async def formers(session: AsyncSession, asset_id: UUID) -> list[Form]:
    """List what an asset was kept in before and is still there, the one that gives back most first."""
    order = func.array_position(["received", "exact", "lossy"], Form.form)
    statement = select(Form).where(Form.asset_id == asset_id, Form.former_at.is_not(None), Form.gone_at.is_(None))
    return list(await session.scalars(statement.order_by(order, Form.made_at)))


async def let_go(session: AsyncSession, file_id: UUID) -> None:
    """Destroy the file of a form. The asset lives on, so an older backup that has this file restores it."""
    await session.flush()
    await session.execute(update(Form).where(Form.file_id == file_id).values(gone_at=func.clock_timestamp()))
    await files.discard(session, [file_id], buried=False)


async def suspect(session: AsyncSession, file_id: UUID, library_id: UUID) -> None:
    """Have a form proven soon: somebody was given other bytes by it than were received."""
    await enqueue(session, kinds.PROVE, {"file": str(file_id)}, key=f"file-{file_id}", library_id=library_id)


async def all_of(session: AsyncSession, asset_ids: Sequence[UUID]) -> list[UUID]:
    """Name every file that assets which are to be destroyed have or had as a form; what is gone is buried, too."""
    statement = select(Form.file_id, Asset.library_id).join(Asset, Asset.id == Form.asset_id)
    of_assets = statement.where(Asset.id.in_(asset_ids))
    buried = insert(Tombstone).from_select(["file_id", "library_id"], of_assets).on_conflict_do_nothing()
    await session.execute(buried)
    return [file_id for file_id, _ in await session.execute(of_assets)]


async def _note_former(session: AsyncSession, asset: Asset, old: File, kept: timedelta) -> None:
    moment = func.clock_timestamp()
    row = insert(Form).values(file_id=old.id, asset_id=asset.id, form="received", size=asset.size, former_at=moment)
    turned = {"former_at": moment}
    await session.execute(row.on_conflict_do_update(index_elements=[Form.file_id], set_=turned))
    # Also what was a former already: behind a lossy form it is all that gives the received bytes back.
    there = update(Form).where(Form.asset_id == asset.id, Form.gone_at.is_(None), Form.former_at.is_not(None))
    await session.execute(there.values(leaves_at=func.greatest(Form.leaves_at, moment + kept)))


async def _count(session: AsyncSession, asset: Asset, more: int) -> None:
    moved = {"originals": more} if asset.trashed_at is None else {"trash": more}
    await usage.add(session, asset.library_id, **moved)


def _tell(session: AsyncSession, asset: Asset) -> None:
    asset.updated_at = func.clock_timestamp()
    publish(session, "asset.changed", {"id": str(asset.id)}, asset.library_id)
