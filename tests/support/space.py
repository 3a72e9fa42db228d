"""Assets on their way to another form, for tests: what the hours between would bring, brought at once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update

from archive.jobs import JOBS
from archive.models import Asset, File, Form, Object, Recompression, Step
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.runtime import Runtime
from archive.space import recompressing, retiring
from archive.space.recompressing import Rules
from archive.worker.runner import JobRunner
from tests.support.people import Person

RULES = Rules("exact", 7)
NO_SECOND_PLACE = retiring.Safety(mirrored=False, backups=None)


async def send(person: Person, content: bytes, name: str = "photo.jpg", media_type: str = "image/jpeg") -> str:
    """Upload a file."""
    answer = await person.http.post(
        f"/api/v1/assets?library={person.library}&name={name}", content=content, headers={"Content-Type": media_type}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def settled(runtime: Runtime) -> None:
    """Do every job there is, but the low ones of this part."""
    runner = JobRunner(runtime, JOBS, ["ingest", "analysis", "upkeep", "default"], "w1")
    while await runner.run_one():
        pass


async def described(runtime: Runtime) -> None:
    """Have every step be over and every object verified, without the time that takes."""
    async with runtime.database.transaction() as session:
        await session.execute(update(Step).values(state="skipped"))
        await session.execute(update(Object).values(verified_at=func.clock_timestamp()))


async def hours_pass(runtime: Runtime) -> None:
    """Have all be due that waits for its hour."""
    async with runtime.database.transaction() as session:
        await session.execute(update(Recompression).values(due_at=func.now() - timedelta(minutes=1)))


async def recompress(runtime: Runtime) -> int:
    """Make smaller what is due."""
    await hours_pass(runtime)
    return await recompressing.run(runtime.database.transaction, runtime.giver, RULES, _nobody)


async def days_pass(runtime: Runtime) -> None:
    """Have the days of all formers be over."""
    async with runtime.database.transaction() as session:
        await session.execute(update(Form).where(Form.former_at.is_not(None)).values(leaves_at=text("now()")))


async def retire(runtime: Runtime, safety: retiring.Safety = NO_SECOND_PLACE) -> int:
    """Let go what may."""
    return await retiring.run(runtime.database.transaction, runtime.giver, safety)


async def kept(runtime: Runtime, asset_id: str) -> tuple[Asset, File]:
    """Give an asset, and the file it is kept in."""
    async with runtime.database.transaction() as session:
        asset = await session.get_one(Asset, UUID(asset_id))
        return asset, await session.get_one(File, asset.original_id)


async def outcome(runtime: Runtime, asset_id: str) -> Recompression:
    """Give what became of making it smaller."""
    async with runtime.database.transaction() as session:
        return await session.get_one(Recompression, UUID(asset_id))


async def forms(runtime: Runtime, asset_id: str) -> list[tuple[str, bool, bool]]:
    """Give the forms an asset has had: which, whether it is a former, whether it is gone."""
    async with runtime.database.transaction() as session:
        found = await session.scalars(select(Form).where(Form.asset_id == UUID(asset_id)).order_by(Form.made_at))
        return sorted((one.form, one.former_at is not None, one.gone_at is not None) for one in found)


async def verified(runtime: Runtime) -> None:
    """Have every object be verified now, as a scrub would note it."""
    async with runtime.database.transaction() as session:
        await session.execute(update(Object).values(verified_at=func.clock_timestamp()))


async def ask(runtime: Runtime, kind: kinds.Kind, args: dict[str, str] | None = None) -> None:
    """Add a job."""
    async with runtime.database.transaction() as session:
        await enqueue(session, kind, args)


async def _nobody(_done: int, _total: int) -> None:
    pass


async def run_only(runtime: Runtime, queue: str) -> None:
    """Do the jobs of one queue."""
    runner = JobRunner(runtime, JOBS, [queue], "w1")
    while await runner.run_one():
        pass
