"""Groups: made anew around what has changed, from likenesses, without what people called different.

A group goes on as long as some of its members do: it keeps its id, and what was decided of it holds until somebody new
comes in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import aliased

from archive.db import among
from archive.events.service import publish
from archive.models import Asset, Different, Group, GroupMember, Likeness, Resolved
from ml.duplicates.compare import Kind, Reason
from ml.duplicates.compare import Likeness as Found
from ml.duplicates.grouping import Link, grouped

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_Sets = dict[UUID, tuple[str, set[UUID]]]


async def regroup(session: AsyncSession, library_id: UUID, asset_ids: Iterable[UUID]) -> None:
    """Group anew whatever hangs together with some assets. The library's lock has to be held."""
    affected, likenesses = await _reached(session, set(asset_ids))
    wanted = _wanted(likenesses)
    members = {asset_id for _, some in wanted for asset_id in some}
    # Before any row of a group is touched: whoever destroys an asset locks it first, and then its rows here.
    held = select(Asset.id).where(among(Asset.id, list(members | affected))).order_by(Asset.id)
    await session.execute(held.with_for_update(read=True, key_share=True))
    old = await _old(session, affected | members)
    taken = _continued(old, wanted)
    await _end(session, [one for one in old if one not in taken])
    for place, (kind, some) in enumerate(wanted):
        before = next((one for one, where in taken.items() if where == place), None)
        await _make(session, library_id, kind, some, before, old)
    if wanted or old:
        publish(session, "duplicates.changed", {}, library_id)


async def _reached(session: AsyncSession, start: set[UUID]) -> tuple[set[UUID], list[Likeness]]:
    """Follow likenesses and present groups as far as they lead."""
    seen, found = set[UUID](), dict[tuple[UUID, UUID], Likeness]()
    new = start | await _with(session, start)
    while new:
        seen |= new
        rows = await _likenesses(session, new)
        found |= {(one.first_id, one.second_id): one for one in rows}
        new = {asset_id for one in rows for asset_id in (one.first_id, one.second_id)} - seen
        new |= await _with(session, new) - seen
    return seen, list(found.values())


async def _with(session: AsyncSession, asset_ids: set[UUID]) -> set[UUID]:
    """Name who is in a group with some."""
    mine = select(GroupMember.group_id).where(among(GroupMember.asset_id, list(asset_ids)))
    return set(await session.scalars(select(GroupMember.asset_id).where(GroupMember.group_id.in_(mine))))


async def _likenesses(session: AsyncSession, asset_ids: set[UUID]) -> list[Likeness]:
    """Give the likenesses of some, but for pairs that people called different, and shots that are shown as one."""
    first, second = aliased(Asset), aliased(Asset)
    called = select(Different.first_id).where(
        Different.first_id == Likeness.first_id, Different.second_id == Likeness.second_id
    )
    ids = list(asset_ids)
    statement = (
        select(Likeness)
        .join(first, first.id == Likeness.first_id)
        .join(second, second.id == Likeness.second_id)
        .where(or_(among(Likeness.first_id, ids), among(Likeness.second_id, ids)), ~called.exists())
        .where(first.shown_with.is_(None), second.shown_with.is_(None))
    )
    return list(await session.scalars(statement))


def _wanted(likenesses: Iterable[Likeness]) -> list[tuple[str, set[UUID]]]:
    ids = sorted({asset_id for one in likenesses for asset_id in (one.first_id, one.second_id)})
    numbers = {asset_id: number for number, asset_id in enumerate(ids)}
    links = [
        Link(numbers[one.first_id], numbers[one.second_id], Found(Kind(one.kind), Reason(one.reason)))
        for one in sorted(likenesses, key=lambda one: (one.first_id, one.second_id))
    ]
    return [(one.kind.value, {ids[number] for number in one.members}) for one in grouped(links)]


async def _old(session: AsyncSession, asset_ids: set[UUID]) -> _Sets:
    statement = (
        select(Group.id, Group.kind, GroupMember.asset_id)
        .join(GroupMember, GroupMember.group_id == Group.id)
        .where(Group.id.in_(select(GroupMember.group_id).where(among(GroupMember.asset_id, list(asset_ids)))))
        .order_by(Group.id)
        .with_for_update(of=Group)
    )
    found: _Sets = {}
    for group_id, kind, asset_id in await session.execute(statement):
        found.setdefault(group_id, (kind, set()))[1].add(asset_id)
    return found


def _continued(old: Mapping[UUID, tuple[str, set[UUID]]], wanted: list[tuple[str, set[UUID]]]) -> dict[UUID, int]:
    """Say which group goes on as which: the largest part of it, and each as one only."""
    shared = Counter[tuple[UUID, int]]()
    for group_id, (kind, members) in old.items():
        for place, (other, some) in enumerate(wanted):
            if kind == other and (both := len(members & some)):
                shared[group_id, place] = both
    taken: dict[UUID, int] = {}
    for (group_id, place), _ in sorted(shared.items(), key=lambda one: (-one[1], one[0][0], one[0][1])):
        if group_id not in taken and place not in taken.values():
            taken[group_id] = place
    return taken


async def _end(session: AsyncSession, group_ids: list[UUID]) -> None:
    """End groups that nothing holds together any more. What was decided of some can still be undone: these stay."""
    if group_ids:
        await session.execute(delete(GroupMember).where(among(GroupMember.group_id, group_ids)))
        undoable = select(Resolved.group_id).where(Resolved.group_id == Group.id)
        await session.execute(delete(Group).where(among(Group.id, group_ids), ~undoable.exists()))
        ended = {"settled_at": func.coalesce(Group.settled_at, func.now()), "updated_at": func.now()}
        await session.execute(update(Group).where(among(Group.id, group_ids)).values(ended))


async def _make(
    session: AsyncSession, library_id: UUID, kind: str, members: set[UUID], before: UUID | None, old: _Sets
) -> None:
    was = old[before][1] if before else set[UUID]()
    if was == members:
        return
    if before is None:
        group = Group(library_id=library_id, kind=kind)
        session.add(group)
        await session.flush()
        before = group.id
    gone = list(was - members)
    if gone:
        await session.execute(
            delete(GroupMember).where(GroupMember.group_id == before, among(GroupMember.asset_id, gone))
        )
    session.add_all(GroupMember(group_id=before, asset_id=asset_id) for asset_id in sorted(members - was))
    changes: dict[str, Any] = {"updated_at": func.now()}
    if members - was:  # somebody new: what was decided of the others says nothing about these
        changes |= {"settled_at": None, "settled_by": None, "resolution_id": None}
    await session.execute(update(Group).where(Group.id == before).values(changes))
    await session.flush()
