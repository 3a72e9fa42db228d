"""Render: previews, the thumb and its hash; for films a poster and a short animation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from archive.assets import renditions
from archive.ingest import originals
from archive.ingest.outcome import require_last_word
from archive.media.sandbox import Gathered
from archive.media.verdict import Verdict
from archive.models import Asset, Metadata
from archive.steps import catalogue
from archive.steps import service as steps
from archive.vault import files, reading
from archive.vault.contexts import Binding
from archive.vault.files import Secret

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.ingest.tools import Tools, Transactions
    from archive.media.sandbox import Result
    from archive.vault.files import Written
    from archive.vault.vault import Vault

_MEDIA_TYPE = "image/webp"
# All renditions of one picture together; a clip is the largest of them.
_MOST = 32 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """A rendition whose bytes are durable, and that no table knows yet."""

    name: str
    media_type: str
    binding: Binding
    secret: Secret
    written: list[Written]


async def render(transaction: Transactions, tools: Tools, asset_id: UUID, attempt: int) -> None:
    """Make an asset's pictures."""
    async with transaction() as session:
        row = (
            await session.execute(
                select(Asset, Metadata.record).join(Metadata, Metadata.asset_id == Asset.id).where(Asset.id == asset_id)
            )
        ).one_or_none()
        if row is None:
            return
        asset, record = row
        plan = await reading.plan_whole(session, tools.vault.keys, asset.original_id)
    gathered = Gathered(_MOST)
    async with originals.opened(tools.vault, plan) as source:
        result = await tools.sandbox.run("render", {"facts": record}, source, blobs=gathered)
    require_last_word(result, attempt)
    made = [
        await write(tools.vault, asset.library_id, name, _MEDIA_TYPE, _once(content))
        for name, content in (gathered.blobs.items() if result.verdict is Verdict.OK else ())
    ]
    async with transaction(finish=True) as session:
        found = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
        if found is not None:
            await _note(session, tools, found, result, made)


async def _note(session: AsyncSession, tools: Tools, asset: Asset, result: Result, made: list[Made]) -> None:
    if result.verdict is not Verdict.OK or result.value is None:
        await steps.fail(session, asset, catalogue.RENDER, result.verdict, result.detail or "It cannot be decoded.")
        return
    for one in made:
        await keep(session, tools.vault, asset, one)
    asset.thumbhash = bytes.fromhex(result.value["thumbhash"])
    asset.width, asset.height = result.value["width"], result.value["height"]
    await steps.done(session, asset, catalogue.RENDER)


async def write(vault: Vault, library_id: UUID, name: str, media_type: str, body: AsyncIterator[bytes]) -> Made:
    """Write a rendition's bytes. Until a table knows them they are nobody's, and swept away if it stays so."""
    binding, secret = Binding.new(library_id, "rendition"), Secret()
    return Made(name, media_type, binding, secret, await files.write_all(vault.store, secret, binding, body))


async def keep(session: AsyncSession, vault: Vault, asset: Asset, made: Made) -> None:
    """Have an asset shown by a rendition."""
    await renditions.keep(
        session, vault.keys, asset, made.name, made.media_type, made.binding, made.secret, made.written
    )


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def parts_of(value: dict[str, Any]) -> tuple[int, int] | None:
    """Say where in the original a motion photo's film lies."""
    motion = value.get("motion")
    return (motion["offset"], motion["length"]) if motion else None
