"""Look at groups of duplicates, and say that some are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations, product
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from archive import audit
from archive.access import Caller, Role
from archive.assets import service as assets
from archive.db import among
from archive.duplicates import grouping, queries
from archive.duplicates.nearby import hold
from archive.duplicates.suggesting import Suggestion, suggest
from archive.errors import Invalid, NotFound
from archive.libraries import service as libraries
from archive.models import Different
from archive.timeline import tiles

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.duplicates.queries import Link, Related, Spare
    from archive.models import Asset, Group
    from archive.timeline.tiles import Tile

_SHOWN = 100
_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Shown:
    """A group as people decide about it. Of a very large one only some members are shown, the keeper among them."""

    group: Group
    version: str
    count: int
    tiles: list[Tile]
    links: list[Link]
    related: Related
    suggestion: Suggestion
    spare_bytes: int


async def page(
    session: AsyncSession, caller: Caller, library_id: UUID, kind: str | None, *, before: UUID | None, limit: int
) -> list[Shown]:
    """List the groups of a library that nobody has decided yet, the latest first."""
    await libraries.get(session, caller, library_id)
    return await _shown(session, await queries.page(session, library_id, kind, before=before, limit=limit))


async def summary(session: AsyncSession, caller: Caller, library_id: UUID) -> dict[str, Spare]:
    """Add up what there is to decide, by kind."""
    await libraries.get(session, caller, library_id)
    return await queries.spare(session, library_id)


async def get(session: AsyncSession, caller: Caller, group_id: UUID) -> Shown:
    """Show one group, also one that is decided, while two of it are to be seen."""
    found = await _shown(session, [await queries.get(session, caller, group_id)])
    if not found:
        noun = "group of duplicates with more than one left"
        raise NotFound(noun)
    return found[0]


async def holding(session: AsyncSession, caller: Caller, asset_id: UUID) -> list[Shown]:
    """Show the groups an asset is in."""
    await assets.get(session, caller, asset_id)
    return await _shown(session, await queries.groups_of(session, asset_id))


async def different(session: AsyncSession, caller: Caller, group_id: UUID, asset_ids: Sequence[UUID]) -> list[UUID]:
    """Remember that some of a group are none of it, or, without naming any, that nothing of it belongs together.

    Gives everybody it was said of, for who wants to take it back.
    """
    group = await queries.get(session, caller, group_id, Role.EDITOR)
    await hold(session, group.library_id)
    members = [asset.id for asset in (await queries.members(session, [group_id]))[group_id]]
    if not set(asset_ids) <= set(members):
        message = "Name assets of this group only; it may have changed since you looked."
        raise Invalid(message)
    rest = [one for one in members if one not in set(asset_ids)]
    pairs = list(product(asset_ids, rest)) if asset_ids else list(combinations(members, 2))
    await _remember(session, caller, pairs)
    audit.record(session, "duplicates.different", caller=caller, library_id=group.library_id, target=group_id)
    await grouping.regroup(session, group.library_id, members)
    return members


async def alike(session: AsyncSession, caller: Caller, asset_ids: Sequence[UUID]) -> None:
    """Forget that some assets were called different from each other."""
    found = [await assets.get(session, caller, asset_id, Role.EDITOR) for asset_id in asset_ids]
    library_ids = {asset.library_id for asset in found}
    if len(library_ids) != 1:
        message = "Name assets of one library."
        raise Invalid(message)
    (library_id,) = library_ids
    await hold(session, library_id)
    both = among(Different.first_id, asset_ids) & among(Different.second_id, asset_ids)
    await session.execute(delete(Different).where(both))
    audit.record(session, "duplicates.alike", caller=caller, library_id=library_id, count=len(found))
    await grouping.regroup(session, library_id, asset_ids)


def version_of(members: Sequence[Asset]) -> str:
    """Name a group as it is now: who decides about it says which one was looked at."""
    return sha256(b"".join(sorted(asset.id.bytes for asset in members))).hexdigest()[:16]


async def _remember(session: AsyncSession, caller: Caller, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    ordered = [sorted(pair) for pair in pairs]
    rows = [{"first_id": first, "second_id": second, "said_by": caller.account_id} for first, second in ordered]
    for start in range(0, len(rows), _ROWS):
        statement = insert(Different).values(rows[start : start + _ROWS])
        await session.execute(statement.on_conflict_do_nothing())


async def _shown(session: AsyncSession, groups: Sequence[Group]) -> list[Shown]:
    """Show groups of which two are to be seen, in a number of queries that does not grow with them."""
    members = await queries.members(session, [group.id for group in groups])
    ids = list({asset.id for some in members.values() for asset in some})
    related, links = await queries.related(session, ids), await queries.links(session, ids)
    chosen: list[tuple[Group, list[Asset], list[Link], Suggestion]] = []
    for group in groups:
        some = members.get(group.id, [])
        if len(some) > 1:
            there = {asset.id for asset in some}
            mine = [link for link in links if link.first_id in there and link.second_id in there]
            chosen.append((group, some, mine, suggest(group.kind, some, mine, related)))
    visible = {group.id: _some(some, said.keep) for group, some, _, said in chosen}
    made = await tiles.of(session, list({asset.id: asset for some in visible.values() for asset in some}.values()))
    by_id = {tile.asset.id: tile for tile in made}
    return [
        Shown(
            group,
            version_of(some),
            len(some),
            [by_id[asset.id] for asset in visible[group.id]],
            [link for link in mine if {link.first_id, link.second_id} <= {one.id for one in visible[group.id]}],
            related,
            said,
            sum(asset.size for asset in some if asset.id != said.keep),
        )
        for group, some, mine, said in chosen
    ]


def _some(members: Sequence[Asset], keep: UUID) -> list[Asset]:
    first = [asset for asset in members if asset.id == keep]
    return (first + [asset for asset in members if asset.id != keep])[:_SHOWN]
