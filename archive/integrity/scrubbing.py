"""The scrub: every object is read back again and again, what waited longest first, within a budget of reading."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, func, or_, select

from archive.integrity import healing, mirroring, verifying
from archive.integrity.pacing import Pace, paced
from archive.integrity.verifying import Examination, known
from archive.models import Object
from archive.queue import kinds

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.integrity.verifying import Examined, Known, Open
    from archive.vault.vault import Vault

Progress = Callable[[int, int], Awaitable[None]]
# How long a run may keep its worker; less than kinds.SCRUB.every, which says how often one is begun.
LONGEST = timedelta(minutes=4)
# What was received within this time is verified by the job of its asset; reading it twice would help nobody.
_SETTLED = timedelta(hours=1)
# What is noted in one transaction, and so lost by a crash: at most so many objects, and so many seconds of reading.
_BATCH, _BATCH_SECONDS = 100, 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is to verify: what was verified before some moment or never, up to so many bytes and seconds."""

    before: datetime
    rate: int
    never: datetime | None = None
    most_bytes: int | None = None
    seconds: float | None = None

    def whole(self) -> Plan:
        """Give the plan without its bounds: for somebody who waits for all of it."""
        return replace(self, most_bytes=None, seconds=None)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    objects: int = 0
    bytes: int = 0
    damaged: int = 0
    healed: int = 0
    mirror_faults: int = 0
    # Nothing of what was planned is left.
    complete: bool = False


async def plan_run(session: AsyncSession, days: int, rate: int) -> Plan | None:
    """Plan a periodic run; None while all is fresh.

    Everything older than half the period is due, so the other half is there to verify it in, a part of it each run.
    What is overdue, or was never verified, does not wait for its part: as much as the rate and the run's time allow.
    """
    period = timedelta(days=days)
    moment = await _moment(session)
    plan = Plan(moment - period / 2, rate, moment - _SETTLED, seconds=LONGEST.total_seconds())
    if not await _next(session, plan, 1):
        return None
    if await _next(session, replace(plan, before=moment - period), 1):
        return plan
    total, every = await session.scalar(select(func.sum(Object.sealed_size))), kinds.SCRUB.every
    assert every is not None
    return replace(plan, most_bytes=int(2 * int(total or 0) * (every / period)) + 1)


def plan_everything(since: datetime, rate: int, seconds: float | None = None) -> Plan:
    """Plan to verify whatever was not since a moment."""
    return Plan(since, rate, seconds=seconds)


async def plan_all(session: AsyncSession, rate: int) -> Plan:
    """Plan to verify whatever was not since now, by the clock that says when something was."""
    return plan_everything(await _moment(session), rate)


async def heal(open_: Open, vault: Vault, rate: int) -> int:
    """Heal what can be, where nothing is to be verified: a mirror may have come, or come back. Gives how many."""
    async with open_() as session:
        if await session.scalar(select(Object.key).where(Object.damage.is_not(None)).limit(1)) is None:
            return 0
    examination = await _examination(vault, Pace(rate))
    return await healing.heal_all(open_, vault.keys, examination, LONGEST.total_seconds())


async def run(open_: Open, vault: Vault, plan: Plan, progress: Progress) -> Report:
    """Heal what can be, then verify what is planned. A store that is away ends the run: that is no damage."""
    pace = Pace(plan.rate)
    made = _Run(open_, vault, plan, pace, await _examination(vault, pace))
    return await made.run(progress)


async def _moment(session: AsyncSession) -> datetime:
    found: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return found


async def _examination(vault: Vault, pace: Pace) -> Examination:
    mirror = await mirroring.usable(vault)
    return Examination(paced(vault.store, pace), paced(mirror, pace) if mirror else None)


class _Run:
    def __init__(self, open_: Open, vault: Vault, plan: Plan, pace: Pace, examination: Examination) -> None:
        self._open, self._vault, self._plan = open_, vault, plan
        self._pace, self._examination = pace, examination
        self._report = Report()
        self._until = None if plan.seconds is None else time.monotonic() + plan.seconds

    async def run(self, progress: Progress) -> Report:
        # At most half of the time, so that something is verified also where much is damaged.
        most = None if self._plan.seconds is None else self._plan.seconds / 2
        self._add(healed=await healing.heal_all(self._open, self._vault.keys, self._examination, most))
        async with self._open() as session:
            planned = await _waiting(session, self._plan)
        planned = planned if self._plan.most_bytes is None else min(planned, self._plan.most_bytes)
        while not self._is_spent():
            async with self._open() as session:
                objects = await _next(session, self._plan, _BATCH)
                batch = await known(session, self._vault.keys, objects)
            if not objects:
                return replace(self._report, complete=True)
            await self._verify(batch)
            await progress(self._report.bytes, max(planned, self._report.bytes))
        return self._report

    async def _verify(self, batch: list[Known]) -> None:
        """Verify objects until it is time to note what was found."""
        examined: list[Examined] = []
        begun, of_batch = self._pace.spent, {one.key: one for one in batch}
        try:
            for one in batch:
                examined.append(await self._examination.of(one))
                self._add(objects=1, bytes=one.sealed.sealed_size)
                if self._pace.spent - begun > self._plan.rate * _BATCH_SECONDS or self._is_spent():
                    break
        finally:
            # Also of a run that ends here: the next one shall go on behind what this one has read.
            async with self._open() as session:
                await verifying.note(session, examined)
        damaged = [of_batch[one.key] for one in examined if one.damage]
        self._add(damaged=len(damaged), mirror_faults=sum(one.mirror_fault is not None for one in examined))
        for one in damaged:
            self._add(healed=await healing.heal(self._open, self._examination, one))

    def _is_spent(self) -> bool:
        enough = self._plan.most_bytes is not None and self._report.bytes >= self._plan.most_bytes
        return enough or (self._until is not None and time.monotonic() >= self._until)

    def _add(self, **more: int) -> None:
        added = {name: getattr(self._report, name) + count for name, count in more.items()}
        self._report = replace(self._report, **added)


async def _next(session: AsyncSession, plan: Plan, limit: int) -> list[Object]:
    """Give the objects that waited longest. In two queries, each of which reads the beginning of one index range."""
    never = select(Object).where(_never(plan)).order_by(Object.key).limit(limit)
    found = list(await session.scalars(never))
    if len(found) < limit:
        oldest = select(Object).where(Object.verified_at < plan.before)
        order = (Object.verified_at.asc().nulls_first(), Object.key)
        found += await session.scalars(oldest.order_by(*order).limit(limit - len(found)))
    return found


async def _waiting(session: AsyncSession, plan: Plan) -> int:
    """Add up the bytes that a plan is about."""
    statement = select(func.sum(Object.sealed_size)).where(or_(_never(plan), Object.verified_at < plan.before))
    return int(await session.scalar(statement) or 0)


def _never(plan: Plan) -> ColumnElement[bool]:
    never = Object.verified_at.is_(None)
    return never if plan.never is None else and_(never, Object.created_at < plan.never)
