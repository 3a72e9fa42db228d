"""Renditions: files derived from an asset, kept beside its original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive.access import Caller
from archive.assets import queries
from archive.errors import NotFound
from archive.models import Asset, File, Rendition
from archive.usage import service as usage
from archive.vault import files, reading

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.vault.contexts import Binding
    from archive.vault.files import Secret, Written
    from archive.vault.keys import LibraryKeys
    from archive.vault.reading import Plan


async def keep(  # noqa: PLR0913, PLR0917  # what was written, and for which asset under which name
    session: AsyncSession,
    keys: LibraryKeys,
    asset: Asset,
    name: str,
    media_type: str,
    binding: Binding,
    secret: Secret,
    written: Sequence[Written],
) -> Rendition:
    """Keep objects that were written before as an asset's rendition, instead of the one of this name before."""
    before = await session.get(Rendition, (asset.id, name), with_for_update=True)
    if before is not None:
        old = await session.get_one(File, before.file_id)
        await usage.add(session, asset.library_id, renditions=-old.size)
        await session.delete(before)
        await session.flush()
        await files.discard(session, [old.id])
    file = await files.keep(session, keys, binding, secret, written)
    await usage.add(session, asset.library_id, renditions=file.size)
    made = Rendition(asset_id=asset.id, name=name, file_id=file.id, media_type=media_type)
    session.add(made)
    await session.flush()
    return made


async def plan_for(
    session: AsyncSession, keys: LibraryKeys, caller: Caller | None, asset_id: UUID, name: str
) -> tuple[Rendition, Plan]:
    """Find out how to read a rendition; without a caller somebody has a signed link to it."""
    if caller is not None:
        await queries.get(session, caller, asset_id)
    found = await queries.rendition(session, asset_id, name)
    if found is None:
        noun = "rendition"
        raise NotFound(noun)
    return found, await reading.plan_whole(session, keys, found.file_id)


async def listed(session: AsyncSession, caller: Caller, asset_id: UUID) -> list[Rendition]:
    """List an asset's renditions."""
    await queries.get(session, caller, asset_id)
    statement = select(Rendition).where(Rendition.asset_id == asset_id).order_by(Rendition.name)
    return list(await session.scalars(statement))
