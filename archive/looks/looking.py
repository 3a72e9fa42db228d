"""Look: see a picture or film as duplicates and quality do, find what is like it, and put it into its groups.

Twice under the library's lock, and between the two without it: first the look is kept, which tells everybody who comes
later, and candidates are found; then, when all are compared, the likenesses are kept. Of two that come at once the
later one sees the other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive.assets import renditions
from archive.duplicates import grouping, linking, members
from archive.duplicates.candidates import candidates
from archive.duplicates.nearby import Nearby, hold
from archive.forms import given
from archive.ingest import originals
from archive.ingest.outcome import require_last_word
from archive.media.looked import BLOB, Looked, looked
from archive.media.sandbox import Gathered
from archive.media.verdict import Verdict
from archive.models import Asset, Metadata
from archive.quality import service as quality
from archive.steps import catalogue
from archive.steps import service as steps
from ml.duplicates.compare import Kind, Likeness
from ml.duplicates.grouping import Member, relate

if TYPE_CHECKING:
    from archive.duplicates.members import Other
    from archive.ingest.tools import Tools, Transactions

_MEDIA_TYPE = "application/octet-stream"
_MOST = 4 << 20
# Of so many that show the same, more would tell nothing new; of many that are similar a dozen holds a burst together.
_ENOUGH = {Kind.IDENTICAL: 16, Kind.SAME: 16, Kind.SIMILAR: 12}


@dataclass(frozen=True, slots=True)
class _Kept:
    """A look that is kept, and whom to compare it with."""

    member: Member
    whole: UUID
    others: Sequence[Other]


async def look(transaction: Transactions, tools: Tools, nearby: Nearby, asset_id: UUID, attempt: int) -> None:
    """Look at an asset. One that was purged meanwhile needs nothing."""
    async with transaction() as session:
        asset = await session.get(Asset, asset_id)
        if asset is None:
            return
        kept_as = await given.of(session, tools.vault.keys, asset)
    gathered = Gathered(_MOST)
    async with originals.opened(tools.giver, kept_as) as source:
        result = await tools.sandbox.run("look", {}, source, blobs=gathered)
    require_last_word(result, attempt)
    if result.verdict is not Verdict.OK:
        await _failed(transaction, asset_id, result.verdict, result.detail or "It cannot be looked at.")
        return
    try:
        seen = looked(result.value or {}, gathered.blobs)
    except ValueError as error:
        await _failed(transaction, asset_id, Verdict.CRASH, f"The decoder said nonsense: {error}")
        return
    made = await renditions.write(tools.vault, asset.library_id, BLOB, _MEDIA_TYPE, _once(gathered.blobs[BLOB]))
    kept = await _keep(transaction, tools, nearby, asset_id, seen, made)
    if kept is not None:
        likenesses = await _compared(tools, kept)
        await _finish(transaction, asset_id, likenesses)


async def _keep(
    transaction: Transactions, tools: Tools, nearby: Nearby, asset_id: UUID, seen: Looked, made: renditions.Made
) -> _Kept | None:
    async with transaction() as session:
        library_id = await session.scalar(select(Asset.library_id).where(Asset.id == asset_id))
        if library_id is None:
            return None
        await hold(session, library_id)
        asset = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update(key_share=True))
        if asset is None:
            return None
        await renditions.keep(session, tools.vault.keys, asset, [made])
        await session.flush()
        keys = linking.keys_of(seen.look)
        await linking.keep(session, asset, seen.look, keys)
        await quality.keep(session, asset, seen.scores)
        record = await session.scalar(select(Metadata.record).where(Metadata.asset_id == asset_id))
        found = await candidates(session, nearby, asset, seen.look, keys)
        others = await members.others(session, tools.vault.keys, found)
        return _Kept(members.of(asset, record, seen.look), asset.shown_with or asset.id, others)


async def _compared(tools: Tools, kept: _Kept) -> dict[UUID, Likeness]:
    found: dict[UUID, Likeness] = {}
    enough = dict.fromkeys(Kind, 0)
    for number, other in enumerate(kept.others, 1):
        if other.whole == kept.whole or any(enough[kind] >= most for kind, most in _ENOUGH.items()):
            continue
        there = await members.member(tools.vault, number, other)
        likeness = relate(kept.member, there) if there else None
        if likeness is not None:
            found[other.asset_id] = likeness
            enough[likeness.kind] += 1
    return found


async def _finish(transaction: Transactions, asset_id: UUID, likenesses: dict[UUID, Likeness]) -> None:
    async with transaction(finish=True) as session:
        library_id = await session.scalar(select(Asset.library_id).where(Asset.id == asset_id))
        if library_id is None:
            return
        await hold(session, library_id)
        asset = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update(key_share=True))
        if asset is None:
            return
        await linking.relink(session, asset_id, likenesses)
        await grouping.regroup(session, library_id, [asset_id])
        await steps.done(session, asset, catalogue.LOOK)


async def _failed(transaction: Transactions, asset_id: UUID, verdict: Verdict, detail: str) -> None:
    async with transaction(finish=True) as session:
        asset = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
        if asset is not None:
            await steps.fail(session, asset, catalogue.LOOK, verdict, detail)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
