"""Play: a film as every browser plays it, made and stored as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive.assets import renditions
from archive.forms import given
from archive.ingest import originals
from archive.ingest.outcome import require_last_word
from archive.media.limits import DEFAULT, Limits
from archive.media.verdict import Verdict
from archive.models import Asset
from archive.steps import catalogue
from archive.steps import service as steps

if TYPE_CHECKING:
    from archive.assets.renditions import Made
    from archive.ingest.tools import Tools, Transactions

_MEDIA_TYPE = "video/mp4"
Show = Callable[[int, int], Awaitable[None]]

# What a film may take: a slow core needs some seconds for one of a large film, and the film's length may be a lie.
_LEAST_SECONDS, _SECONDS_A_SECOND, _LONGEST = 600, 20, 24 * 3600
_MOST_BYTES = 1 << 40


async def play(transaction: Transactions, tools: Tools, asset_id: UUID, attempt: int, show: Show) -> None:
    """Make a film's playable rendition."""
    async with transaction() as session:
        asset = await session.get(Asset, asset_id)
        if asset is None:
            return
        kept = await given.of(session, tools.vault.keys, asset)
    made: list[Made] = []

    async def store(name: str, pieces: AsyncIterator[bytes]) -> None:
        made.append(await renditions.write(tools.vault, asset.library_id, name, _MEDIA_TYPE, pieces))

    async with originals.opened(tools.giver, kept) as source:
        args, limits = {"most": tools.playing.most}, _limits(asset.duration_ms)
        result = await tools.sandbox.run("play", args, source, limits=limits, progress=show, blobs=store)
    require_last_word(result, attempt)
    async with transaction(finish=True) as session:
        found = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
        if found is None:
            return
        if result.verdict is not Verdict.OK:
            detail = result.detail or "It cannot be converted."
            await steps.fail(session, found, catalogue.PLAY, result.verdict, detail)
            return
        await renditions.keep(session, tools.vault.keys, found, made)
        await steps.done(session, found, catalogue.PLAY)


def _limits(duration_ms: int | None) -> Limits:
    seconds = min(_LONGEST, _LEAST_SECONDS + _SECONDS_A_SECOND * (duration_ms or 0) // 1000)
    return replace(DEFAULT, cpu_seconds=seconds, wall_seconds=2 * seconds, output_bytes=_MOST_BYTES)
