"""Describe: what a file is by its content, what it says of itself, where it was taken, what it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from archive.assets import recorded
from archive.ingest import clocks, originals, together
from archive.ingest.outcome import require_last_word
from archive.media.facts import Facts
from archive.media.verdict import Verdict
from archive.models import Asset, Metadata
from archive.steps import catalogue
from archive.steps import service as steps
from archive.vault import reading

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.ingest.tools import Tools, Transactions
    from archive.media.sandbox import Result
    from archive.vault.reading import Plan


@dataclass(frozen=True, slots=True)
class Wanted:
    """An asset whose step is to be done."""

    name: str
    plan: Plan


async def describe(transaction: Transactions, tools: Tools, asset_id: UUID, attempt: int) -> None:
    """Describe an asset. One that was purged meanwhile needs nothing."""
    async with transaction() as session:
        asset = await session.get(Asset, asset_id)
        if asset is None:
            return
        wanted = Wanted(asset.name, await reading.plan_whole(session, tools.vault.keys, asset.original_id))
    async with originals.opened(tools.vault, wanted.plan) as source:
        result = await tools.sandbox.run("describe", {"name": wanted.name}, source)
    require_last_word(result, attempt)
    async with transaction(finish=True) as session:
        found = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
        if found is not None:
            await _note(session, tools, found, result)


async def _note(session: AsyncSession, tools: Tools, asset: Asset, result: Result) -> None:
    if result.verdict is not Verdict.OK or result.value is None:
        await steps.skip(session, asset, catalogue.RENDER)
        await steps.fail(session, asset, catalogue.DESCRIBE, result.verdict, result.detail or "It cannot be read.")
        return
    try:
        facts = Facts.from_json(result.value["facts"])
    except (KeyError, ValueError) as error:
        # Somebody else than our code wrote this: the file has taken its decoder over.
        await steps.fail(session, asset, catalogue.DESCRIBE, Verdict.CRASH, f"The decoder said nonsense: {error}")
        return
    asset.kind, asset.media_type = facts.kind, facts.media_type
    asset.live_id, asset.shot_key = facts.live_id, facts.shot_key
    await together.find(session, asset)
    facts = await together.with_sidecar(session, asset, clocks.on_the_wall(facts))
    with session.no_autoflush:  # the asset is written once, at the end
        await _show(session, asset, facts)
    await _go_on(session, tools, asset, result.value)
    await steps.done(session, asset, catalogue.DESCRIBE)


async def _show(session: AsyncSession, asset: Asset, facts: Facts) -> None:
    """Have an asset show what its file says, but for what its users have corrected."""
    record = facts.to_json()
    raw = record.pop("raw", None) or {}
    row = {"record": record, "raw": raw}
    kept = insert(Metadata).values(asset_id=asset.id, **row)
    await session.execute(kept.on_conflict_do_update(index_elements=[Metadata.asset_id], set_=row))
    asset.width, asset.height, asset.duration_ms = facts.width, facts.height, facts.duration_ms
    asset.camera, asset.lens = facts.camera, facts.lens
    names = (recorded.FIELDS | {recorded.TAGS}) - set(asset.corrected)
    await recorded.show(session, asset, recorded.of(asset, record), names)


async def _go_on(session: AsyncSession, tools: Tools, asset: Asset, value: dict[str, Any]) -> None:
    """Ask for the steps that follow from what the file is."""
    if asset.kind not in {"photo", "video"}:
        await steps.skip(session, asset, catalogue.RENDER)
        return
    await steps.ask(session, asset.library_id, asset.id, [catalogue.RENDER])
    if asset.kind == "video":
        when = tools.playing.when
        if when == "all" or (when == "needed" and not value.get("plays_in_browser")):
            await steps.ask(session, asset.library_id, asset.id, [catalogue.PLAY])
        else:
            await steps.skip(session, asset, catalogue.PLAY)
