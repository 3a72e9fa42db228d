"""Keep what was measured, list what is asked about, take answers, put a shoot in order best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from archive import audit
from archive.access import Caller, Role
from archive.assets import service as assets
from archive.errors import NotFound
from archive.events.service import publish
from archive.libraries import service as libraries
from archive.models import Quality
from archive.quality import queries
from archive.timeline import tiles
from ml.quality.pages import Sort
from ml.quality.ranking import merit
from ml.quality.verdicts import film_verdicts, verdicts

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Asset
    from archive.quality.queries import Place
    from archive.quality.shoots import Shoot
    from archive.timeline.tiles import Tile
    from ml.quality.scores import Scores

Answer = Literal["keep", "trash", "never", "ask"]
# What cannot be compared with photos, films and pages, comes after photos that are fine and before those that are not.
_NO_PHOTO = -5.0
_PHOTOS = (Sort.PHOTO, Sort.EMPTY)


@dataclass(frozen=True, slots=True)
class Rated:
    """An asset, what was measured, and the part of its library or shoot that is less sharp."""

    tile: Tile
    quality: Quality
    percentile: float | None


async def keep(session: AsyncSession, asset: Asset, scores: Scores | None) -> None:
    """Keep what was measured of an asset; without scores it is a film. Answers stay as they are."""
    found = verdicts(scores) if scores else film_verdicts(asset.duration_ms)
    values: dict[str, Any] = {
        "library_id": asset.library_id,
        "measured_at": func.now(),
        "scores": None if scores is None else asdict(scores) | {"sort": scores.sort.value},
        "sharpness": scores.sharpness if scores else None,
        "merit": merit(scores) if scores and scores.sort in _PHOTOS else _NO_PHOTO,
        "verdicts": [one.value for one in found],
    }
    row = insert(Quality).values(asset_id=asset.id, **values)
    await session.execute(row.on_conflict_do_update(index_elements=[Quality.asset_id], set_=values))


async def counts(session: AsyncSession, caller: Caller, library_id: UUID) -> dict[str, int]:
    """Count what is asked about by verdict; an asset with two counts for both."""
    await libraries.get(session, caller, library_id)
    return await queries.counts(session, library_id)


async def queue(
    session: AsyncSession, caller: Caller, library_id: UUID, verdict: str | None, *, after: Place | None, limit: int
) -> list[Rated]:
    """List what is asked about, the worst first."""
    await libraries.get(session, caller, library_id)
    rows = await queries.asked(session, library_id, verdict, after=after, limit=limit)
    return await _rated(session, rows, await queries.scale(session, library_id, None))


async def ranked(
    session: AsyncSession, caller: Caller, library_id: UUID, shoot: Shoot, *, after: Place | None, limit: int
) -> list[Rated]:
    """List the pictures of a library, or of an album, a batch or some days of it, the best first."""
    await libraries.get(session, caller, library_id)
    rows = await queries.ranked(session, library_id, shoot, after=after, limit=limit)
    return await _rated(session, rows, await queries.scale(session, library_id, shoot))


async def of(session: AsyncSession, caller: Caller, asset_id: UUID) -> tuple[Quality, float | None]:
    """Give what was measured of an asset, and its place in its library."""
    asset = await assets.get(session, caller, asset_id)
    found = await session.get(Quality, asset_id)
    if found is None:
        noun = "quality of this asset: it has not been looked at yet"
        raise NotFound(noun)
    return found, _share(await queries.scale(session, asset.library_id, None), found.sharpness)


async def answer(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID], given: Answer) -> int:
    """Answer for some assets, all of them or none: it stays, it goes, or nobody wants to be asked; says how many."""
    found = await queries.locked(session, caller, asset_ids, Role.EDITOR)
    if given == "trash":
        await assets.trash(session, caller, asset_ids)
    for row in found:
        if given == "keep":
            row.kept = sorted({*row.kept, *row.verdicts})
        elif given == "never":
            row.never = True
        elif given == "ask":
            row.kept, row.never = [], False
    await session.flush()
    for library_id in sorted({row.library_id for row in found}):
        count = sum(row.library_id == library_id for row in found)
        audit.record(session, "quality.answered", caller=caller, library_id=library_id, answer=given, count=count)
        publish(session, "quality.changed", {}, library_id)
    return len(found)


async def _rated(session: AsyncSession, rows: Sequence[tuple[Asset, Quality]], scale: Sequence[float]) -> list[Rated]:
    shown = await tiles.of(session, [asset for asset, _ in rows])
    return [Rated(tile, row, _share(scale, row.sharpness)) for tile, (_, row) in zip(shown, rows, strict=True)]


def _share(scale: Sequence[float], sharpness: float | None) -> float | None:
    """Give the part of a library or shoot that is less sharp; its sharpness at equal steps says so to a hundredth."""
    if sharpness is None or not scale:
        return None
    below, upto = sum(one < sharpness for one in scale), sum(one <= sharpness for one in scale)
    return round((below + upto) / 2 / len(scale), 2)
