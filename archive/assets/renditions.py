"""Renditions: files derived from an asset, kept beside its original."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive.access import Caller
from archive.assets import queries
from archive.errors import NotFound
from archive.models import Asset, File, Rendition
from archive.usage import service as usage
from archive.vault import files, reading
from archive.vault.contexts import Binding
from archive.vault.files import Secret

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.vault.files import Written
    from archive.vault.keys import LibraryKeys
    from archive.vault.reading import Plan
    from archive.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Made:
    """A rendition whose bytes are durable, and that no table knows yet."""

    name: str
    media_type: str
    binding: Binding
    secret: Secret
    written: Sequence[Written]


async def write(vault: Vault, library_id: UUID, name: str, media_type: str, body: AsyncIterator[bytes]) -> Made:
    """Write a rendition's bytes. Until a table knows them they are nobody's, and swept away if it stays so."""
    binding, secret = Binding.new(library_id, "rendition"), Secret()
    return Made(name, media_type, binding, secret, await files.write_all(vault.store, secret, binding, body))


async def keep(session: AsyncSession, keys: LibraryKeys, asset: Asset, made: Sequence[Made]) -> None:
    """Show an asset by these renditions, instead of those of the same names before."""
    await _discard(session, asset, [one.name for one in made])
    size = 0
    for one in made:
        file = await files.keep(session, keys, one.binding, one.secret, one.written)
        size += file.size
        session.add(Rendition(asset_id=asset.id, name=one.name, file_id=file.id, media_type=one.media_type))
    await usage.add(session, asset.library_id, renditions=size)
    await session.flush()


async def _discard(session: AsyncSession, asset: Asset, names: Sequence[str]) -> None:
    statement = (
        select(Rendition, File.size)
        .join(File, File.id == Rendition.file_id)
        .where(Rendition.asset_id == asset.id, Rendition.name.in_(names))
        .with_for_update(of=Rendition)
    )
    old = (await session.execute(statement)).all()
    if not old:
        return
    for rendition, size in old:
        await usage.add(session, asset.library_id, renditions=-size)
        await session.delete(rendition)
    await session.flush()
    await files.discard(session, [rendition.file_id for rendition, _ in old])


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
