"""Render: previews, the thumb and its hash; for films a poster and a short animation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING
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
from archive.vault import reading

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.assets.renditions import Made
    from archive.ingest.tools import Tools, Transactions
    from archive.media.sandbox import Result

_MEDIA_TYPE = "image/webp"
# All renditions of one picture together; a clip is the largest of them.
_MOST = 32 << 20


async def render(transaction: Transactions, tools: Tools, asset_id: UUID, attempt: int) -> None:
    """Make an asset's pictures."""
    async with transaction() as session:
        asset = await session.get(Asset, asset_id)
        if asset is None:
            return
        plan = await reading.plan_whole(session, tools.vault.keys, asset.original_id)
        motion = await session.scalar(select(Metadata.record["motion"]).where(Metadata.asset_id == asset_id))
    gathered = Gathered(_MOST)
    async with originals.opened(tools.vault, plan) as source:
        result = await tools.sandbox.run("render", {}, source, blobs=gathered)
    require_last_word(result, attempt)
    made = [
        await renditions.write(tools.vault, asset.library_id, name, _MEDIA_TYPE, _once(content))
        for name, content in (gathered.blobs.items() if result.verdict is Verdict.OK else ())
    ]
    if motion and result.verdict is Verdict.OK:
        # The film inside a motion photo, as it lies there.
        film = reading.read(tools.vault.stores, plan, int(motion["offset"]), int(motion["length"]))
        made.append(await renditions.write(tools.vault, asset.library_id, "motion", "video/mp4", film))
    async with transaction(finish=True) as session:
        found = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
        if found is not None:
            await _note(session, tools, found, result, made)


async def _note(session: AsyncSession, tools: Tools, asset: Asset, result: Result, made: Sequence[Made]) -> None:
    if result.verdict is not Verdict.OK or result.value is None:
        await steps.fail(session, asset, catalogue.RENDER, result.verdict, result.detail or "It cannot be decoded.")
        return
    await renditions.keep(session, tools.vault.keys, asset, made)
    asset.thumbhash = bytes.fromhex(result.value["thumbhash"])
    asset.width, asset.height = result.value["width"], result.value["height"]
    await steps.done(session, asset, catalogue.RENDER)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
