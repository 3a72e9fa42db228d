"""Which of a group should stay, and why: from what the archive knows of each now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from ml.duplicates.compare import Kind, Likeness, Reason
from ml.duplicates.keeper import Candidate, Why, cut_of, keeper

if TYPE_CHECKING:
    from archive.duplicates.queries import Link, Related
    from archive.models import Asset, Quality

# How the keeper's rules call formats, where that is not what comes after the slash.
_FORMATS = {"image/x-adobe-dng": "dng", "image/jpg": "jpeg", "image/vnd.adobe.photoshop": "psd"}
_RAW = "dng"
# Nobody but a camera, its user or a film says when it was taken for certain.
_GUESSED = frozenset({"name", "sent", "received"})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Who should stay, why, and who shows less than another one of the group."""

    keep: UUID
    why: Why
    cut: frozenset[UUID]


def suggest(kind: str, assets: Sequence[Asset], links: Sequence[Link], related: Related) -> Suggestion:
    """Suggest one of some assets."""
    numbers = {asset.id: number for number, asset in enumerate(assets)}
    cut = {asset_id for link in links for asset_id in _cut(link, numbers)}
    if kind == Kind.SIMILAR and (best := _best(assets, related.quality)) is not None:
        return Suggestion(best, Why.SHARPNESS, frozenset(cut))
    candidates = [_candidate(numbers[asset.id], asset, related) for asset in assets]
    found = keeper([replace(one, cut=assets[one.number].id in cut) for one in candidates])
    return Suggestion(assets[found.number].id, found.why, frozenset(cut))


def _best(assets: Sequence[Asset], quality: Mapping[UUID, Quality]) -> UUID | None:
    """Give the best of a burst; none where not all have been measured."""
    measured = [(quality[asset.id].merit, asset.id) for asset in assets if asset.id in quality]
    if len(measured) != len(assets):
        return None
    best = max(merit for merit, _ in measured)
    return min(asset_id for merit, asset_id in measured if merit == best)


def _candidate(number: int, asset: Asset, related: Related) -> Candidate:
    found = related.quality.get(asset.id)
    return Candidate(
        number,
        asset.width or 0,
        asset.height or 0,
        _RAW if asset.id in related.with_raw else _format(asset.media_type),
        asset.size,
        _richness(asset, related),
        found.sharpness if found else None,
        asset.taken_at,
        asset.created_at,
        len(related.albums.get(asset.id, ())),
        asset.favourite,
    )


def _format(media_type: str) -> str:
    return _FORMATS.get(media_type) or media_type.partition("/")[2].removeprefix("x-").rpartition("-")[2]


def _richness(asset: Asset, related: Related) -> int:
    said = (asset.camera, asset.lens, asset.latitude, asset.title, asset.description, asset.rating)
    dated = asset.taken_from not in _GUESSED
    return sum(one is not None for one in said) + dated + bool(related.tags.get(asset.id))


def _cut(link: Link, numbers: Mapping[UUID, int]) -> list[UUID]:
    if link.reason != Reason.PART or not {link.first_id, link.second_id} <= numbers.keys():
        return []
    likeness = Likeness(
        Kind(link.kind),
        Reason.PART,
        first_shown=link.first_shown,
        second_shown=link.second_shown,
        border=link.border,
    )
    ids = (link.first_id, link.second_id)
    return [ids[place - 1] for place in cut_of(1, 2, likeness)]
