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
from archive.vault.files import Durable, Secret

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.vault.keys import LibraryKeys
    from archive.vault.reading import Plan
    from archive.vault.vault import Vault


# What is kept as renditions are, and for nobody to see.
INWARD = ("look",)
# What conversions are named with: kept for who asks again, listed nowhere, and only so many of an asset.
PASSING = "as-"
_MOST_PASSING = 8


@dataclass(frozen=True, slots=True)
class Made:
    """A rendition whose bytes are durable, and that no table knows yet."""

    name: str
    media_type: str
    file: Durable


async def write(vault: Vault, library_id: UUID, name: str, media_type: str, body: AsyncIterator[bytes]) -> Made:
    """Write a rendition's bytes. Until a table knows them they are nobody's, and swept away if it stays so."""
    binding, secret = Binding.new(library_id, "rendition"), Secret()
    written = await files.write_all(vault.store, secret, binding, body)
    return Made(name, media_type, Durable(binding, secret, written))


async def keep(session: AsyncSession, keys: LibraryKeys, asset: Asset, made: Sequence[Made]) -> None:
    """Show an asset by these renditions, instead of those of the same names before."""
    await _discard(session, asset, [one.name for one in made])
    await files.keep(session, keys, asset.library_id, [one.file for one in made])
    for one in made:
        file_id = one.file.binding.file_id
        session.add(Rendition(asset_id=asset.id, name=one.name, file_id=file_id, media_type=one.media_type))
    await usage.add(session, asset.library_id, renditions=sum(one.file.size for one in made))


async def pass_on(session: AsyncSession, asset: Asset) -> None:
    """Discard an asset's oldest conversions, but for the last few."""
    statement = select(Rendition.name).where(Rendition.asset_id == asset.id, Rendition.name.startswith(PASSING))
    newest_first = statement.order_by(Rendition.created_at.desc(), Rendition.name).offset(_MOST_PASSING)
    if old := list(await session.scalars(newest_first)):
        await _discard(session, asset, old)


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
    found = None if name in INWARD else await queries.rendition(session, asset_id, name)
    if found is None:
        noun = "rendition"
        raise NotFound(noun)
    return found, await reading.plan_whole(session, keys, found.file_id)


async def listed(session: AsyncSession, caller: Caller, asset_id: UUID) -> list[Rendition]:
    """List an asset's renditions."""
    await queries.get(session, caller, asset_id)
    statement = select(Rendition).where(Rendition.asset_id == asset_id, Rendition.name.not_in(INWARD))
    statement = statement.where(~Rendition.name.startswith(PASSING))
    statement = statement.order_by(Rendition.name)
    return list(await session.scalars(statement))
