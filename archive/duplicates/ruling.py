"""Resolve all groups that meet a rule: in the background, a group a transaction, going on where it was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from archive import audit
from archive.access import Caller, Role
from archive.duplicates import queries
from archive.duplicates.nearby import hold
from archive.duplicates.resolving import Choice, decide
from archive.errors import Conflict, NotFound
from archive.libraries import service as libraries
from archive.models import Resolution
from archive.queue import kinds
from archive.queue.service import enqueue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.duplicates.queries import Link
    from archive.models import Asset

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """Which groups: of which kind, for which reasons, and how much of what both show agrees at least."""

    kind: str = "same"
    reasons: tuple[str, ...] = ("pixels",)
    alike: float = 0.95
    # Only where nobody but the one that stays is in an album, a favourite or rated.
    unloved: bool = False

    def meets(self, members: Sequence[Asset], links: Sequence[Link], albums: dict[UUID, list[UUID]]) -> bool:
        """Whether a group meets it: every likeness in it has to."""
        sure = all(link.reason in self.reasons and (link.alike is None or link.alike >= self.alike) for link in links)
        if not (links and sure):
            return False
        return not self.unloved or not any(
            asset.favourite or (asset.rating or 0) > 0 or albums.get(asset.id) for asset in members
        )


async def start(
    session: AsyncSession, caller: Caller, library_id: UUID, rule: Rule, *, merge: bool, dry_run: bool
) -> Resolution:
    """Begin to resolve all that meets a rule, or to count what that would be."""
    await libraries.get_for(session, caller, library_id, Role.EDITOR)
    resolution = Resolution(
        library_id=library_id,
        account_id=caller.account_id,
        rule=asdict(rule) | {"reasons": list(rule.reasons)},
        dry_run=dry_run,
        merge=merge,
        state="running",
    )
    session.add(resolution)
    await session.flush()
    await session.refresh(resolution)
    audit.record(session, "duplicates.ruled", caller=caller, library_id=library_id, target=resolution.id)
    await enqueue(session, kinds.RESOLVE, {"resolution": str(resolution.id)}, library_id=library_id)
    return resolution


async def left(session: AsyncSession, resolution: Resolution) -> list[UUID]:
    """Give the next groups a running resolution has to look at."""
    rule = _rule(resolution)
    return await queries.behind(session, resolution.library_id, rule.kind, resolution.after_id, _BATCH)


async def step(session: AsyncSession, caller: Caller, resolution: Resolution, group_id: UUID) -> None:
    """Decide one group of a running resolution, if it meets the rule now."""
    await hold(session, resolution.library_id)
    await session.refresh(resolution, with_for_update=True)
    members = (await queries.members(session, [group_id])).get(group_id, [])
    ids = [asset.id for asset in members]
    related = await queries.related(session, ids)
    if _rule(resolution).meets(members, await queries.links(session, ids), related.albums):
        try:
            await decide(session, caller, resolution, Choice(group_id))
        except (Conflict, NotFound):
            resolution.passed_over += 1
    resolution.after_id = group_id
    await session.flush()


def _rule(resolution: Resolution) -> Rule:
    said = dict(resolution.rule or {})
    return Rule(**(said | {"reasons": tuple(said["reasons"])}))
