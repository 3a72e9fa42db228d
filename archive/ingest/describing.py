"""Describe: what a file is by its content, what it says of itself, where it was taken, what it belongs to.

A picture that has never been rendered is rendered at the same sight of it: the file is read once, by one child.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from archive.assets import recorded, renditions
from archive.forms import given
from archive.ingest import clocks, originals, rendering, together
from archive.ingest.outcome import require_last_word
from archive.ingest.rendering import Look
from archive.media.facts import DESCRIPTION, Facts
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """An asset whose step is to be done."""

    library_id: UUID
    name: str
    given: Given
    rendered: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What a child found out: what the file is, or why nobody can say."""

    verdict: Verdict
    detail: str | None = None
    facts: Facts | None = None
    plays_in_browser: bool = False
    # Of a picture that was rendered too: how it looks, and its renditions.
    look: Look | None = None
    made: Sequence[Made] = ()


async def describe(transaction: Transactions, tools: Tools, asset_id: UUID, attempt: int) -> None:
    """Describe an asset. One that was purged meanwhile needs nothing."""
    async with transaction() as session:
        asset = await session.get(Asset, asset_id)
        if asset is None:
            return
        kept = await given.of(session, tools.vault.keys, asset)
        wanted = Wanted(asset.library_id, asset.name, kept, rendered=asset.thumbhash is not None)
    seen = await _see(tools, wanted, attempt)
    async with transaction(finish=True) as session:
        found = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
        if found is not None:
            await _note(session, tools, found, seen)


async def _see(tools: Tools, wanted: Wanted, attempt: int) -> Seen:
    gathered = Gathered(rendering.MOST)
    async with originals.opened(tools.giver, wanted.given) as source:
        task = "describe" if wanted.rendered else "describe_and_render"
        result = await tools.sandbox.run(task, {"name": wanted.name}, source, blobs=gathered)
    first = gathered.blobs.pop(DESCRIPTION, None)
    if first is None:
        require_last_word(result, attempt)
    try:
        # If rendering failed, what the file is is known nevertheless; why it failed is for its own job to find out.
        description = json.loads(first) if first is not None else result.value
        if description is None:
            return Seen(result.verdict, result.detail or "It cannot be read.")
        seen = Seen(
            Verdict.OK,
            facts=Facts.from_json(description["facts"]),
            plays_in_browser=bool(description.get("plays_in_browser")),
            look=Look.of((result.value or {}).get("rendered")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # Somebody else than our code wrote this: the file has taken its decoder over.
        return Seen(Verdict.CRASH, f"The decoder said nonsense: {error}")
    if seen.facts is None or seen.look is None:
        return seen
    made = await rendering.write(tools, wanted.library_id, wanted.given, gathered.blobs, seen.facts.motion)
    return replace(seen, made=made)


async def _note(session: AsyncSession, tools: Tools, asset: Asset, seen: Seen) -> None:
    if seen.facts is None:
        await steps.skip(session, asset, catalogue.RENDER)
        await steps.fail(session, asset, catalogue.DESCRIBE, seen.verdict, seen.detail or "")
        return
    if seen.look is not None:  # first, while nothing of the asset waits to be written
        await renditions.keep(session, tools.vault.keys, asset, seen.made)
    asset.kind, asset.media_type = seen.facts.kind, seen.facts.media_type
    asset.live_id, asset.shot_key = seen.facts.live_id, seen.facts.shot_key
    await together.find(session, asset)
    facts = await together.with_sidecar(session, asset, clocks.on_the_wall(seen.facts))
    with session.no_autoflush:  # the asset is written once, at the end
        await _show(session, asset, facts)
    await _go_on(session, tools, asset, seen)


async def _show(session: AsyncSession, asset: Asset, facts: Facts) -> None:
    """Have an asset show what its file says, but for what its users have corrected."""
    record = facts.to_json()
    raw = record.pop("raw", None) or {}
    row = {"record": record, "raw": raw}
    kept = insert(Metadata).values(asset_id=asset.id, **row)
    await session.execute(kept.on_conflict_do_update(index_elements=[Metadata.asset_id], set_=row))
    asset.duration_ms = facts.duration_ms
    if asset.thumbhash is None:  # else its decoder has said how large it is, which knows better than a header
        asset.width, asset.height = facts.width, facts.height
    asset.camera, asset.lens = facts.camera, facts.lens
    names = (recorded.FIELDS | {recorded.TAGS}) - set(asset.corrected)
    await recorded.show(session, asset, recorded.of(asset, record), names)


async def _go_on(session: AsyncSession, tools: Tools, asset: Asset, seen: Seen) -> None:
    """Note what has been done, and ask for the steps that follow from what the file is."""
    if seen.look is not None:
        rendering.show(asset, seen.look)
        await steps.done(session, asset, catalogue.DESCRIBE, catalogue.RENDER)
        await steps.ask_once(session, asset.library_id, asset.id, catalogue.LOOK)
        return
    if asset.kind not in {"photo", "video"}:
        await steps.skip(session, asset, catalogue.RENDER)
    elif asset.thumbhash is None:
        await steps.ask(session, asset.library_id, asset.id, [catalogue.RENDER])
    if asset.kind == "video":
        await _play(session, tools, asset, seen)
    await steps.done(session, asset, catalogue.DESCRIBE)


async def _play(session: AsyncSession, tools: Tools, asset: Asset, seen: Seen) -> None:
    when = tools.playing.when
    if when == "all" or (when == "needed" and not seen.plays_in_browser):
        await steps.ask(session, asset.library_id, asset.id, [catalogue.PLAY])
    else:
        await steps.skip(session, asset, catalogue.PLAY)
