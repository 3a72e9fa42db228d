"""Render: previews, the thumb and its hash; for films a poster and a short animation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive.assets import renditions
from archive.forms import given, giving
from archive.ingest import originals
from archive.ingest.outcome import require_last_word
from archive.media.facts import Motion
from archive.media.sandbox import Gathered
from archive.media.verdict import Verdict
from archive.models import Asset, Metadata
from archive.steps import catalogue
from archive.steps import service as steps

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.assets.renditions import Made
    from archive.forms.given import Given
    from archive.ingest.tools import Tools, Transactions
    from archive.media.sandbox import Result

_MEDIA_TYPE = "image/webp"
# All renditions of one picture together; a clip is the largest of them.
MOST = 32 << 20
_LONGEST_SIDE = (1 << 31) - 1  # what PostgreSQL's integer holds


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture looks before anything of it has been loaded: its size, and a blur of it."""

    width: int
    height: int
    thumbhash: bytes

    @classmethod
    def of(cls, said: object) -> Look | None:
        """Read what a child said; ValueError where it is nonsense."""
        match said:
            case None:
                return None
            case {"width": int(width), "height": int(height), "thumbhash": str(digits)}:
                if min(width, height) > 0 and max(width, height) <= _LONGEST_SIDE:
                    return cls(width, height, bytes.fromhex(digits))
        raise ValueError("a look that cannot be")


async def render(transaction: Transactions, tools: Tools, asset_id: UUID, attempt: int) -> None:
    """Make an asset's pictures."""
    async with transaction() as session:
        asset = await session.get(Asset, asset_id)
        if asset is None:
            return
        kept = await given.of(session, tools.vault.keys, asset)
        said = await session.scalar(select(Metadata.record["motion"]).where(Metadata.asset_id == asset_id))
    gathered = Gathered(MOST)
    async with originals.opened(tools.giver, kept) as source:
        result = await tools.sandbox.run("render", {}, source, blobs=gathered)
    require_last_word(result, attempt)
    made: list[Made] = []
    if result.verdict is Verdict.OK:
        motion = Motion(int(said["offset"]), int(said["length"])) if said else None
        made = await write(tools, asset.library_id, kept, gathered.blobs, motion)
    async with transaction(finish=True) as session:
        found = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
        if found is not None:
            await _note(session, tools, found, result, made)


async def write(
    tools: Tools, library_id: UUID, kept: Given, pictures: Mapping[str, bytes], motion: Motion | None
) -> list[Made]:
    """Write renditions, and the film inside a motion photo as it lies there."""
    made = [
        await renditions.write(tools.vault, library_id, name, _MEDIA_TYPE, _once(content))
        for name, content in pictures.items()
    ]
    if motion:
        film = giving.read(tools.giver, kept, motion.offset, motion.length)
        made.append(await renditions.write(tools.vault, library_id, "motion", "video/mp4", film))
    return made


def show(asset: Asset, look: Look) -> None:
    """Have an asset show how it looks."""
    asset.thumbhash, asset.width, asset.height = look.thumbhash, look.width, look.height


async def _note(session: AsyncSession, tools: Tools, asset: Asset, result: Result, made: Sequence[Made]) -> None:
    try:
        look = Look.of(result.value)
    except ValueError as error:
        await steps.fail(session, asset, catalogue.RENDER, Verdict.CRASH, f"The decoder said nonsense: {error}")
        return
    if look is None:
        await steps.fail(session, asset, catalogue.RENDER, result.verdict, result.detail or "It cannot be decoded.")
        return
    await renditions.keep(session, tools.vault.keys, asset, made)
    show(asset, look)
    await steps.done(session, asset, catalogue.RENDER)
    await steps.ask_once(session, asset.library_id, asset.id, catalogue.LOOK)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
