"""Ask for steps, note how they ended, ask again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ARRAY, String, case, cast, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from archive.events.service import publish
from archive.models import Asset, Job, Step
from archive.models.asset import VERDICTS
from archive.queue.service import enqueue
from archive.steps import catalogue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.steps.catalogue import Work

_DETAIL_LENGTH = 1000
_GIVEN_UP = frozenset({"failed", "cancelled", "quarantined"})


async def ask(session: AsyncSession, library_id: UUID, asset_id: UUID, works: Sequence[Work]) -> None:
    """Ask for steps of an asset, anew where they were done before; each gets its job in this transaction."""
    for work in works:
        row = insert(Step).values(asset_id=asset_id, name=work.name)
        anew = {"state": "waiting", "verdict": None, "detail": None, "updated_at": func.now()}
        await session.execute(row.on_conflict_do_update(index_elements=[Step.asset_id, Step.name], set_=anew))
        await enqueue(session, work.kind, {"asset": str(asset_id)}, key=str(asset_id), library_id=library_id)


async def ask_once(session: AsyncSession, library_id: UUID, asset_id: UUID, work: Work) -> None:
    """Ask for a step of an asset, unless it was asked for before and is done as it is now."""
    known = select(Step.asset_id).where(
        Step.asset_id == asset_id, Step.name == work.name, or_(Step.state == "waiting", Step.version >= work.version)
    )
    if await session.scalar(known) is None:
        await ask(session, library_id, asset_id, [work])


async def done(session: AsyncSession, asset: Asset, *works: Work) -> None:
    """Note that steps have been done."""
    await _end(session, asset, works, "done")


async def skip(session: AsyncSession, asset: Asset, work: Work) -> None:
    """Note that there is nothing to do."""
    await _end(session, asset, (work,), "skipped")


async def fail(session: AsyncSession, asset: Asset, work: Work, verdict: str, detail: str) -> None:
    """Note why a step cannot be done."""
    await _end(session, asset, (work,), "failed", verdict, detail[:_DETAIL_LENGTH])


async def _end(
    session: AsyncSession,
    asset: Asset,
    works: Sequence[Work],
    state: str,
    verdict: str | None = None,
    detail: str | None = None,
) -> None:
    ended = {"state": state, "verdict": verdict, "detail": detail, "updated_at": func.now()}
    rows = insert(Step).values(
        [{"asset_id": asset.id, "name": one.name, "version": one.version} | ended for one in works]
    )
    values = ended | {"version": rows.excluded.version}
    with session.no_autoflush:  # what is still to be written to the asset goes with the last of it
        await session.execute(rows.on_conflict_do_update(index_elements=[Step.asset_id, Step.name], set_=values))
    if verdict is None and asset.problem is None:
        if not all(work.quiet for work in works):
            await _tell(session, asset)
    else:
        await settle(session, asset)


async def settle(session: AsyncSession, asset: Asset) -> None:
    """Show on an asset the worst of what its steps say, and tell who is looking at it."""
    order = case({verdict: number for number, verdict in enumerate(VERDICTS)}, value=Step.verdict)
    worst = select(Step.verdict).where(Step.asset_id == asset.id, Step.state == "failed").order_by(order).limit(1)
    asset.problem = await session.scalar(worst)
    await _tell(session, asset)


async def _tell(session: AsyncSession, asset: Asset) -> None:
    asset.updated_at = func.clock_timestamp()
    publish(session, "asset.changed", {"id": str(asset.id)}, asset.library_id)


async def of(session: AsyncSession, asset_id: UUID) -> list[Step]:
    """List an asset's steps in the order in which they are done."""
    found = await session.scalars(select(Step).where(Step.asset_id == asset_id))
    order = list(catalogue.ALL)
    return sorted(found, key=lambda step: (order.index(step.name) if step.name in order else len(order), step.name))


async def retry(session: AsyncSession, assets: Sequence[Asset]) -> int:
    """Ask anew for the failed steps of assets; says how many there were."""
    libraries = {asset.id: asset.library_id for asset in assets}
    failed = await session.scalars(
        update(Step)
        .where(Step.asset_id.in_(libraries), Step.state == "failed")
        .values(state="waiting", verdict=None, detail=None, updated_at=func.now())
        .returning(Step)
    )
    found = list(failed)
    for step in found:
        if (work := catalogue.ALL.get(step.name)) is not None:
            await _enqueue(session, work, step.asset_id, libraries[step.asset_id])
    for asset in assets:
        await settle(session, asset)
    return len(found)


async def missing(session: AsyncSession, work: Work, limit: int) -> int:
    """Ask anew for a step where it waits and its job was lost, and note where its job has given up; says how many."""
    last = (
        select(Job.state, Job.error)
        .where(Job.kind == work.kind.name, Job.key == cast(Step.asset_id, String))
        .order_by(Job.id.desc())
        .limit(1)
        .lateral()
    )
    waiting = (
        select(Asset, last.c.state, last.c.error)
        .join(Step, Step.asset_id == Asset.id)
        .join(last, true(), isouter=True)
        .where(
            Step.name == work.name,
            Step.state == "waiting",
            or_(last.c.state.is_(None), last.c.state.not_in(("ready", "running"))),
        )
        .order_by(Asset.id)
        .limit(limit)
        .with_for_update(of=Step, skip_locked=True)
    )
    found = (await session.execute(waiting)).all()
    for asset, state, error in found:
        if state in _GIVEN_UP:
            await fail(session, asset, work, "crash", error or f"Its job is {state}.")
        else:
            await _enqueue(session, work, asset.id, asset.library_id)
    return len(found)


async def rebuild(session: AsyncSession, works: Sequence[Work], library_id: UUID | None, *, outdated: bool) -> int:
    """Have steps that have ended done again; with ``outdated`` only those done in an older way. Says how many."""
    names = cast([work.name for work in works], ARRAY(String))
    statement = update(Step).where(Step.name == func.any(names), Step.state != "waiting")
    if library_id is not None:
        statement = statement.where(Step.asset_id.in_(select(Asset.id).where(Asset.library_id == library_id)))
    if outdated:
        versions = case({work.name: work.version for work in works}, value=Step.name)
        statement = statement.where(Step.version < versions)
    changed = await session.execute(statement.values(state="waiting", verdict=None, detail=None, updated_at=func.now()))
    return int(changed.rowcount)  # type: ignore[attr-defined]  # an UPDATE has it


async def _enqueue(session: AsyncSession, work: Work, asset_id: UUID, library_id: UUID) -> None:
    await enqueue(session, work.kind, {"asset": str(asset_id)}, key=str(asset_id), library_id=library_id)
