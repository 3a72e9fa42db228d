"""Decide groups: some stay, the rest goes to the trash, what only they had is merged; and undo it.

Everything takes the library's lock first, so that two who decide about one group come one after the other, and the
second hears of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func

from archive import audit
from archive.access import Caller, Role
from archive.albums import standing_in
from archive.assets import service as assets
from archive.db import now
from archive.duplicates import merging, queries, service
from archive.duplicates.nearby import hold
from archive.duplicates.suggesting import suggest
from archive.errors import Conflict, Invalid
from archive.events.service import publish
from archive.libraries import service as libraries
from archive.models import Account, Asset, Group, Resolution, Resolved

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody decides about a group; without anybody to keep it is the suggested one."""

    group_id: UUID
    keep: tuple[UUID, ...] = ()
    # What the group was when somebody looked at it.
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is done to a group, or would be."""

    group_id: UUID
    kept: list[UUID]
    trashed: list[UUID]
    bytes: int
    merged: list[str] = field(default_factory=list)


async def resolve(
    session: AsyncSession, caller: Caller, library_id: UUID, choices: Sequence[Choice], *, merge: bool, dry_run: bool
) -> tuple[Resolution | None, list[Outcome]]:
    """Decide some groups, all of them or none. A dry run changes nothing, and there is no resolution of it."""
    await libraries.get_for(session, caller, library_id, Role.EDITOR)
    await hold(session, library_id)
    resolution = Resolution(
        library_id=library_id, account_id=caller.account_id, dry_run=dry_run, merge=merge, state="done"
    )
    if not dry_run:
        session.add(resolution)
        await session.flush()
    outcomes = [await decide(session, caller, resolution, one) for one in choices]
    if dry_run:
        return None, outcomes
    await session.flush()
    await session.refresh(resolution)
    _record(session, caller, "duplicates.resolved", resolution)
    return resolution, outcomes


async def decide(session: AsyncSession, caller: Caller, resolution: Resolution, choice: Choice) -> Outcome:
    """Decide one group as a part of a resolution. The library's lock has to be held."""
    group = await queries.get(session, caller, choice.group_id, Role.EDITOR, lock=True)
    members = (await queries.members(session, [group.id])).get(group.id, [])
    await _require_same(session, resolution, group, members, choice)
    kept = list(choice.keep) or [await _suggested(session, group, members)]
    gone = [asset for asset in members if asset.id not in set(kept)]
    keeper = next(asset for asset in members if asset.id == kept[0])
    outcome = Outcome(group.id, kept, [asset.id for asset in gone], sum(asset.size for asset in gone))
    if resolution.dry_run:
        fields = merging.gaps(keeper, gone) if resolution.merge and gone else {}
        outcome.merged.extend(merging.merged_fields({"fields": fields}))
    else:
        outcome.merged.extend(await _do(session, caller, resolution, group, keeper, gone, kept))
    resolution.groups = (resolution.groups or 0) + 1
    resolution.trashed = (resolution.trashed or 0) + len(gone)
    resolution.bytes = (resolution.bytes or 0) + outcome.bytes
    return outcome


async def undo(session: AsyncSession, caller: Caller, resolution_id: UUID) -> tuple[Resolution, int]:
    """Take a resolution back: who went comes out of the trash, what was merged goes; says how many came back.

    What was purged meanwhile is gone.
    """
    found = await queries.resolution(session, caller, resolution_id, Role.EDITOR)
    await hold(session, found.library_id)
    resolution = await queries.resolution(session, caller, resolution_id, Role.EDITOR, lock=True)
    if resolution.state == "undone" or resolution.dry_run:
        message = "This was undone already." if resolution.state == "undone" else "A dry run has changed nothing."
        raise Conflict(message)
    if resolution.state == "running":
        message = "This is still being done. Wait until it has ended, then undo it."
        raise Conflict(message)
    back = 0
    for part in await queries.resolved(session, resolution_id):
        back += await _take_back(session, caller, part)
    resolution.state, resolution.undone_at = "undone", now()
    _record(session, caller, "duplicates.undone", resolution)
    return resolution, back


async def _require_same(
    session: AsyncSession, resolution: Resolution, group: Group, members: Sequence[Asset], choice: Choice
) -> None:
    if group.library_id != resolution.library_id:
        message = "Name groups of one library."
        raise Invalid(message)
    if group.settled_at is not None:
        who = await session.get(Account, group.settled_by) if group.settled_by else None
        message = f"{who.name if who else 'Somebody'} has decided about this group already. Look at the groups anew."
        raise Conflict(message)
    changed = choice.version is not None and choice.version != service.version_of(members)
    if changed or len(members) < 2:  # noqa: PLR2004  # else there is nothing to decide
        message = "This group has changed since you looked at it. Look at it anew, and decide then."
        raise Conflict(message)
    if not set(choice.keep) <= {asset.id for asset in members}:
        message = "Keep assets of this group only."
        raise Invalid(message)


async def _suggested(session: AsyncSession, group: Group, members: Sequence[Asset]) -> UUID:
    ids = [asset.id for asset in members]
    links, related = await queries.links(session, ids), await queries.related(session, ids)
    return suggest(group.kind, members, links, related).keep


async def _do(
    session: AsyncSession,
    caller: Caller,
    resolution: Resolution,
    group: Group,
    keeper: Asset,
    gone: Sequence[Asset],
    kept: Sequence[UUID],
) -> list[str]:
    ids = [asset.id for asset in gone]
    await standing_in.hold(session, [*ids, keeper.id])
    merged = await merging.merge(session, caller, keeper, gone) if resolution.merge and gone else {}
    if ids:
        await assets.trash(session, caller, ids)
    part = Resolved(resolution_id=resolution.id, group_id=group.id, kept=list(kept), trashed=ids, merged=merged)
    session.add(part)
    group.settled_at, group.settled_by, group.resolution_id = now(), caller.account_id, resolution.id
    await session.flush()
    publish(session, "duplicates.changed", {}, group.library_id)
    return merging.merged_fields(merged)


async def _take_back(session: AsyncSession, caller: Caller, part: Resolved) -> int:
    there = await _there(session, part.trashed)
    await standing_in.hold(session, [*there, *part.kept])
    if there:
        await assets.restore(session, caller, there)
    if part.merged and await _there(session, [UUID(part.merged["keeper"])]):
        await merging.take_back(session, caller, part.merged)
    group = await session.get(Group, part.group_id, with_for_update=True)
    if group is not None and group.resolution_id == part.resolution_id:
        group.settled_at = group.settled_by = group.resolution_id = None
        group.updated_at = func.clock_timestamp()
        publish(session, "duplicates.changed", {}, group.library_id)
    return len(there)


async def _there(session: AsyncSession, asset_ids: Sequence[UUID]) -> list[UUID]:
    return [asset_id for asset_id in asset_ids if await session.get(Asset, asset_id, populate_existing=True)]


def _record(session: AsyncSession, caller: Caller, action: str, resolution: Resolution) -> None:
    audit.record(
        session,
        action,
        caller=caller,
        library_id=resolution.library_id,
        target=resolution.id,
        groups=resolution.groups,
        trashed=resolution.trashed,
    )
