"""Bytes stay what they are: every kind of damage is found, healed where there is a second copy, and shown."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from fastapi import FastAPI
from sqlalchemy import func, select, text, update

from api.cli import commands
from archive import log
from archive.access import Caller, Scope
from archive.accounts import service as accounts
from archive.db import now
from archive.errors import TagphotoError
from archive.integrity import scrubbing, sweeping
from archive.integrity import service as integrity
from archive.integrity.pacing import Pace
from archive.integrity.scrubbing import Report
from archive.jobs import JOBS
from archive.libraries import service as libraries
from archive.models import Asset, Deletion, Event, File, Job, Object, Stray, Upload
from archive.queue import kinds
from archive.queue import service as queue
from archive.queue.kinds import Kind
from archive.runtime import Runtime
from archive.settings import Addresses
from archive.vault import files, reading
from archive.vault.files import OBJECT_BYTES
from archive.worker.runner import JobRunner
from storage import StoreUnavailable
from storage.base import Stat
from storage.memory import MemoryStore
from tests.conftest import MakePerson
from tests.support.people import Person, code_of
from tests.support.uploading import caller_of, stream, upload

RATE = 1 << 40
random.seed(2)


class Switched(MemoryStore):
    """A store in memory that can be away."""

    away = False

    def _find(self, key: str) -> bytes:
        self._ask()
        return super()._find(key)

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        self._ask()
        return await super().put(key, body)

    async def delete(self, key: str) -> None:
        self._ask()
        await super().delete(key)

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        self._ask()
        async for found in super().list(prefix):
            yield found

    async def ping(self) -> None:
        self._ask()

    def _ask(self) -> None:
        if self.away:
            raise StoreUnavailable("it is switched off")


class Owner:
    """Somebody with a library, without a browser."""

    def __init__(self, caller: Caller, library: str) -> None:
        self.caller, self.library = caller, library

    @classmethod
    async def make(cls, runtime: Runtime, email: str = "anna@example.org") -> Owner:
        async with runtime.database.transaction() as session:
            account = await accounts.create(session, email=email, name="anna", password_hash=None, is_admin=False)
            library = await libraries.make_for(session, account.id, "hers")
        return cls(Caller(account.id, email, is_admin=False, scopes=frozenset(Scope)), str(library.id))

    async def upload(self, runtime: Runtime, content: bytes, name: str = "photo.jpg") -> Upload:
        return await upload(runtime, self.caller, self.library, content, name)


async def read_back(runtime: Runtime, asset_id: UUID | None) -> bytes:
    async with runtime.database.transaction() as session:
        asset = await session.get_one(Asset, asset_id)
        plan = await reading.plan(session, runtime.vault.keys, await session.get_one(File, asset.original_id))
    return b"".join([piece async for piece in reading.read(runtime.vault.stores, plan)])


async def objects(runtime: Runtime, upload: Upload | None = None) -> list[Object]:
    statement = select(Object).order_by(Object.start)
    if upload is not None:
        statement = statement.join(Asset, Asset.original_id == Object.file_id).where(Asset.id == upload.asset_id)
    async with runtime.database.transaction() as session:
        return list(await session.scalars(statement))


async def scrub_all(runtime: Runtime) -> Report:
    async def show(_done: int, _total: int) -> None:
        pass

    async with runtime.database.transaction() as session:
        moment = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    plan = scrubbing.plan_everything(moment, RATE)
    return await scrubbing.run(runtime.database.transaction, runtime.vault, plan, show)


async def run_job(runtime: Runtime, kind: Kind, args: dict[str, Any] | None = None) -> Job:
    """Run a job of the product's, as a worker does."""
    async with runtime.database.transaction() as session:
        await session.execute(update(Job).where(Job.state == "ready").values(run_after=now() + timedelta(days=1)))
        job_id = await queue.enqueue(session, kind, args)
    assert job_id is not None
    assert await JobRunner(runtime, JOBS, [kind.queue], "w1").run_one()
    async with runtime.database.transaction() as session:
        return await queue.get(session, job_id)


async def execute(runtime: Runtime, statement: str, **values: object) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(text(statement), values)


async def count(runtime: Runtime, table: type[Any], *where: Any) -> int:
    async with runtime.database.transaction() as session:
        return await session.scalar(select(func.count()).select_from(table).where(*where)) or 0


@pytest.fixture
async def anna(runtime: Runtime) -> Owner:
    return await Owner.make(runtime)


def contents(runtime: Runtime) -> dict[str, bytes]:
    store = runtime.store
    assert isinstance(store, MemoryStore)
    return store._objects


# What the scrub finds

Damage = Callable[[dict[str, bytes], str, str], None]


def flip(store: dict[str, bytes], key: str, _other: str) -> None:
    place = len(store[key]) // 2
    store[key] = store[key][:place] + bytes([store[key][place] ^ 1]) + store[key][place + 1 :]


def cut(store: dict[str, bytes], key: str, _other: str) -> None:
    store[key] = store[key][:-1]


def extend(store: dict[str, bytes], key: str, _other: str) -> None:
    store[key] += b"\0"


def empty(store: dict[str, bytes], key: str, _other: str) -> None:
    store[key] = b""


def lose(store: dict[str, bytes], key: str, _other: str) -> None:
    del store[key]


def swap(store: dict[str, bytes], key: str, other: str) -> None:
    store[key], store[other] = store[other], store[key]


def replace(store: dict[str, bytes], key: str, other: str) -> None:
    store[key] = store[other]


DAMAGES = [flip, cut, extend, empty, lose, swap, replace]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("other_is", ["of the same file", "of another file"])
async def test_the_scrub_finds_it(runtime: Runtime, anna: Owner, damage: Damage, other_is: str) -> None:
    first = await anna.upload(runtime, random.randbytes(OBJECT_BYTES) + b"x" * 20000)
    second = await anna.upload(runtime, b"y" * 20000)
    one, two = await objects(runtime, first)
    other = two if other_is == "of the same file" else (await objects(runtime, second))[0]
    assert (await scrub_all(runtime)).damaged == 0
    damage(contents(runtime), two.key if other is not two else one.key, other.key)
    found = await scrub_all(runtime)
    expected = {two.key, other.key} if other is not two else {one.key, two.key}
    damaged = {row.key for row in await objects(runtime) if row.damage}
    assert damaged == (expected if damage is swap else {two.key if other is not two else one.key})
    assert (found.objects, found.damaged, found.healed, found.complete) == (3, len(damaged), 0, True)
    assert all(row.verified_at for row in await objects(runtime))


async def test_damage_is_told_once_and_forgotten_when_the_bytes_are_back(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 1000)
    (one,) = await objects(runtime)
    whole = contents(runtime)[one.key]
    flip(contents(runtime), one.key, "")
    for _ in range(2):
        await scrub_all(runtime)
    async with runtime.database.transaction() as session:
        told = list(await session.scalars(select(Event).where(Event.kind == "integrity.damaged")))
    assert [(event.library_id, event.data["key"]) for event in told] == [(None, one.key)]
    since = (await objects(runtime))[0].damaged_at
    contents(runtime)[one.key] = whole
    await scrub_all(runtime)
    (again,) = await objects(runtime)
    assert since is not None
    assert (again.damage, again.damaged_at) == (None, None)


@pytest.mark.parametrize(
    "change",
    ["UPDATE file SET size = size + 1", "UPDATE file SET wrapped = '\\x00'", "UPDATE object SET start = 16384"],
)
async def test_a_changed_row_is_damage_too(runtime: Runtime, anna: Owner, change: str) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await execute(runtime, change)
    assert (await scrub_all(runtime)).damaged == 1


async def test_a_store_that_is_away_is_no_damage_and_tried_again(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 1000)
    store = runtime.store
    store.__class__ = Switched
    await execute(runtime, "UPDATE object SET created_at = now() - interval '1 day'")
    store.away = True  # type: ignore[attr-defined]
    job = await run_job(runtime, kinds.SCRUB)
    assert (job.state, job.error) == ("ready", "StoreUnavailable: it is switched off")
    assert await count(runtime, Object, Object.damage.is_not(None)) == 0
    assert await count(runtime, Object, Object.verified_at.is_not(None)) == 0
    store.away = False  # type: ignore[attr-defined]
    assert (await run_job(runtime, kinds.SCRUB)).state == "done"
    assert await count(runtime, Object, Object.verified_at.is_not(None)) == 1


async def test_what_is_purged_while_it_is_read_is_no_damage(runtime: Runtime, anna: Owner) -> None:
    made = await anna.upload(runtime, b"a" * 1000)
    (one,) = await objects(runtime)
    plan = scrubbing.plan_everything(now() + timedelta(hours=1), RATE)

    class Purging(MemoryStore):
        async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
            async with runtime.database.transaction() as session:
                await session.execute(text("DELETE FROM upload"))
                await session.execute(text("DELETE FROM asset"))
                await files.discard(session, [one.file_id])
            contents(runtime).pop(key)
            async for piece in super().read_range(key, start, length):
                yield piece

    async def show(_done: int, _total: int) -> None:
        pass

    runtime.store.__class__ = Purging
    report = await scrubbing.run(runtime.database.transaction, runtime.vault, plan, show)
    assert made.asset_id is not None
    assert report.objects == 1
    assert await count(runtime, Object) == 0
    assert await count(runtime, Event, Event.kind == "integrity.damaged") == 0


# Which objects, and how fast


async def test_what_waited_longest_is_first_and_what_is_fresh_costs_nothing(runtime: Runtime, anna: Owner) -> None:
    for number in range(4):
        await anna.upload(runtime, bytes([number]) * 100)
    new, never, old, overdue = [row.key for row in sorted(await objects(runtime), key=lambda row: row.key)]
    ages = {new: "1 day", old: "16 days", overdue: "31 days"}
    await execute(runtime, "UPDATE object SET created_at = now() - interval '1 year'")
    for key, age in ages.items():
        await execute(runtime, f"UPDATE object SET verified_at = now() - interval '{age}' WHERE key = :key", key=key)
    async with runtime.database.transaction() as session:
        plan = await scrubbing.plan_run(session, 30, RATE)
        assert plan is not None
        assert [row.key for row in await scrubbing._next(session, plan, 10)] == [never, overdue, old]
        assert plan.most_bytes is None  # something is overdue
    for key in (never, overdue):
        await execute(runtime, "UPDATE object SET verified_at = now() WHERE key = :key", key=key)
    async with runtime.database.transaction() as session:
        plan = await scrubbing.plan_run(session, 30, RATE)
        assert plan is not None
        # Now a part of the whole is enough: what 5 minutes are of half the period, begun with a byte.
        assert plan.most_bytes == 1 + int(2 * sum(row.sealed_size for row in await objects(runtime)) / (30 * 24 * 12))
    await execute(runtime, "UPDATE object SET verified_at = now() WHERE key = :key", key=old)
    async with runtime.database.transaction() as session:
        assert await scrubbing.plan_run(session, 30, RATE) is None


async def test_what_was_received_just_now_is_left_to_its_own_job(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 100)
    async with runtime.database.transaction() as session:
        assert await scrubbing.plan_run(session, 30, RATE) is None
    assert (await run_job(runtime, kinds.SCRUB)).state == "done"
    assert await count(runtime, Object, Object.verified_at.is_not(None)) == 0


async def test_no_more_than_allowed_is_read_in_a_second() -> None:
    moment, slept = 0.0, []

    async def sleep(seconds: float) -> None:
        nonlocal moment
        slept.append(seconds)
        moment += seconds

    pace = Pace(1000, clock=lambda: moment, sleep=sleep)
    for size in (500, 1500, 0, 10_000):
        await pace.spend(size)
    assert moment == pytest.approx(12.0)
    assert max(slept) <= 0.5
    moment += 100  # a pause is not made up for
    await pace.spend(1000)
    assert moment == pytest.approx(113.0)
    assert pace.spent == 13_000


async def test_a_run_ends_with_its_bytes_and_the_next_goes_on(runtime: Runtime, anna: Owner) -> None:
    for number in range(3):
        await anna.upload(runtime, bytes([number]) * 100_000)

    async def show(_done: int, _total: int) -> None:
        pass

    moment = now() + timedelta(hours=1)
    plan = scrubbing.Plan(moment, RATE, most_bytes=100_000)
    reports = [await scrubbing.run(runtime.database.transaction, runtime.vault, plan, show)]
    assert (reports[0].objects, reports[0].complete) == (1, False)
    assert await count(runtime, Object, Object.verified_at.is_not(None)) == 1
    assert not (
        await scrubbing.run(runtime.database.transaction, runtime.vault, scrubbing.Plan(moment, RATE, seconds=0), show)
    ).complete


# Deletion and the sweep


async def test_deletion_comes_when_it_is_due_and_may_be_repeated(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 1000)
    (one,) = await objects(runtime)
    for key in ("o/aa/gone", "o/bb/there"):
        await runtime.store.put(key, stream(b"x")) if key.endswith("there") else None
        await execute(runtime, "INSERT INTO deletion (key, due_at) VALUES (:key, now())", key=key)
    await execute(runtime, "INSERT INTO deletion (key, due_at) VALUES ('o/cc/later', now() + interval '1 minute')")
    await execute(runtime, "INSERT INTO deletion (key, due_at) VALUES (:key, now())", key=one.key)  # and yet kept
    assert (await run_job(runtime, kinds.DELETE)).state == "done"
    async with runtime.database.transaction() as session:
        assert sorted(await session.scalars(select(Deletion.key))) == sorted(["o/cc/later", one.key])
    assert set(contents(runtime)) == {one.key}
    assert await sweeping.delete_due(runtime.database.transaction, runtime.vault) == 0


async def age_strays(runtime: Runtime) -> None:
    await execute(runtime, "UPDATE stray SET seen_at = seen_at - interval '25 hours'")


async def test_the_sweep_deletes_what_nobody_knew_for_a_day_and_nothing_else(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 1000)
    (one,) = await objects(runtime)
    kept = {one.key, "selfcheck/x", "mirror/begun", "o/dd/waits"}
    for key in ("o/00/0000stray", "o/ff/ffffstray", "selfcheck/x", "mirror/begun", "o/dd/waits"):
        await runtime.store.put(key, stream(b"x"))
    await execute(runtime, "INSERT INTO deletion (key, due_at) VALUES ('o/dd/waits', now() + interval '1 hour')")
    (swept,) = await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert (swept.objects, swept.strays, swept.deleted) == (4, 2, 0)
    await age_strays(runtime)
    (swept,) = await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert (swept.strays, swept.deleted) == (2, 2)
    assert set(contents(runtime)) == kept
    assert await count(runtime, Stray) == 0


async def test_what_is_being_written_is_kept_for_longer_than_anybody_writes(runtime: Runtime, anna: Owner) -> None:
    """Between the write and the commit an object is nobody's."""
    seen, go_on = asyncio.Event(), asyncio.Event()

    class Slow(MemoryStore):
        async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
            size = await super().put(key, body)
            seen.set()
            await go_on.wait()
            return size

    runtime.store.__class__ = Slow
    writing = asyncio.create_task(anna.upload(runtime, b"a" * 1000))
    await seen.wait()
    (swept,) = await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert (swept.strays, swept.deleted) == (1, 0)
    # Whoever writes gives up after this time.
    await execute(runtime, "UPDATE stray SET seen_at = seen_at - CAST(:time AS interval)", time=files.LONGEST_WRITE)
    (swept,) = await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert (swept.strays, swept.deleted) == (1, 0)
    go_on.set()
    made = await writing
    (swept,) = await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert (swept.strays, swept.deleted) == (0, 0)
    assert await count(runtime, Stray) == 0
    assert await read_back(runtime, made.asset_id) == b"a" * 1000


async def test_an_upload_under_way_keeps_no_stray_alive(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await execute(
        runtime,
        "UPDATE upload SET state = 'open', asset_id = NULL, created_at = now() - interval '3 days', "
        "writing_until = now() + interval '1 hour'",
    )
    await runtime.store.put("o/00/0000stray", stream(b"x"))
    await sweeping.sweep(runtime.database.transaction, runtime.vault)
    await age_strays(runtime)
    (swept,) = await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert (swept.strays, swept.deleted) == (1, 1)


async def test_strays_that_went_away_are_forgotten(runtime: Runtime) -> None:
    for key in ("o/11/a", "o/22/b", "o/33/c"):
        await runtime.store.put(key, stream(b"x"))
    await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert await count(runtime, Stray) == 3
    for key in ("o/11/a", "o/33/c"):
        await runtime.store.delete(key)
    await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert await count(runtime, Stray) == 1
    await runtime.store.delete("o/22/b")
    await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert await count(runtime, Stray) == 0


async def test_a_store_of_another_database_is_not_swept_empty(runtime: Runtime) -> None:
    for number in range(2500):  # more than two pages
        await runtime.store.put(f"o/00/{number:04}", stream(b"x"))
    for _ in range(2):
        log.configure("error")
        (swept,) = await sweeping.sweep(runtime.database.transaction, runtime.vault)
        assert (swept.objects, swept.strays, swept.deleted, swept.refused) == (2500, 2500, 0, True)
        await age_strays(runtime)
    assert len(contents(runtime)) == 2500
    assert (await run_job(runtime, kinds.SWEEP)).progress_message == "store: 2500 unknown"


# What admins see


@pytest.fixture
def live(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


@pytest.fixture
async def admin(person: MakePerson) -> Person:
    return await person("admin@example.org", admin=True)


async def test_admins_see_how_the_bytes_are_and_others_do_not(live: Runtime, admin: Person, person: MakePerson) -> None:
    anna = await person()
    for path in ("/integrity", "/integrity/findings"):
        assert code_of(await anna.get(path)) == "forbidden"
    assert code_of(await anna.post("/integrity/scrub")) == "forbidden"
    fresh = (await admin.get("/integrity")).json()
    assert (fresh["objects"], fresh["bytes"], fresh["oldest_unverified"], fresh["mirror"]) == (0, 0, None, None)
    await upload(live, caller_of(anna), anna.library, b"a" * 1000, "sea.jpg")
    await upload(live, caller_of(anna), anna.library, b"b" * 1000, "hill.jpg")
    seen = (await admin.get("/integrity")).json()
    assert (seen["objects"], seen["never_verified"], seen["damaged"], seen["last_verified"]) == (2, 2, 0, None)
    assert (seen["scrub_days"], seen["strays"], seen["deletions"]) == (30, 0, 0)
    assert seen["oldest_unverified"]
    assert seen["bytes"] == sum(len(content) for content in contents(live).values())
    await scrub_all(live)
    assert (await admin.get("/integrity")).json()["never_verified"] == 0


async def test_a_finding_names_what_is_damaged(live: Runtime, admin: Person, person: MakePerson) -> None:
    anna = await person()
    made = [await upload(live, caller_of(anna), anna.library, bytes([n]) * 1000, f"{n}.jpg") for n in range(3)]
    for one in await objects(live):
        flip(contents(live), one.key, "")
    await scrub_all(live)
    first = (await admin.get("/integrity/findings?limit=2")).json()
    rest = (await admin.get(f"/integrity/findings?limit=2&cursor={first['next']}")).json()
    found = first["items"] + rest["items"]
    assert rest["next"] is None
    assert {(one["asset_id"], one["asset"]) for one in found} == {
        (str(upload.asset_id), f"{n}.jpg") for n, upload in enumerate(made)
    }
    assert {(one["library"], one["library_id"], one["kind"], one["rendition"]) for one in found} == {
        ("anna", anna.library, "original", None)
    }
    assert all(one["damage"] and one["since"] and not one["healable"] and one["size"] == 1000 for one in found)


async def test_a_finding_names_the_asset_of_a_rendition(live: Runtime, admin: Person, person: MakePerson) -> None:
    anna = await person()
    made = await upload(live, caller_of(anna), anna.library, b"a" * 1000)
    (one,) = await objects(live)
    # The same file as a rendition of its asset, as far as rows go.
    await execute(
        live,
        "INSERT INTO rendition (asset_id, name, file_id, media_type) VALUES (:asset, 'preview', :file, 'image/jpeg')",
        asset=made.asset_id,
        file=one.file_id,
    )
    flip(contents(live), one.key, "")
    await scrub_all(live)
    (found,) = (await admin.get("/integrity/findings")).json()["items"]
    assert (found["asset"], found["rendition"]) == ("photo.jpg", "preview")


async def test_a_scrub_that_was_asked_for_verifies_everything_and_is_one_job(
    live: Runtime, admin: Person, person: MakePerson
) -> None:
    anna = await person()
    await upload(live, caller_of(anna), anna.library, b"a" * 1000)
    runner = JobRunner(live, JOBS, ["upkeep"], "w1")
    while await runner.run_one():  # the job that verifies what was received
        pass
    before = (await objects(live))[0].verified_at
    started = await admin.post("/integrity/scrub")
    assert started.status_code == 202
    assert (await admin.post("/integrity/scrub")).json()["id"] == started.json()["id"]
    assert await runner.run_one()
    async with live.database.transaction() as session:
        job = await queue.get(session, UUID(started.json()["id"]))
    assert (job.state, job.progress_message) == ("done", "bytes verified")
    after = (await objects(live))[0].verified_at
    assert before is not None
    assert after is not None
    assert after > before


async def test_a_scrub_that_did_not_get_to_the_end_is_gone_on_with(
    runtime: Runtime, anna: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    monkeypatch.setattr(scrubbing, "LONGEST", timedelta(0))  # a run that is over at once
    since = (now() + timedelta(hours=1)).isoformat()
    job = await run_job(runtime, kinds.SCRUB, {"since": since})
    assert job.state == "done"
    async with runtime.database.transaction() as session:
        waiting = select(Job).where(Job.kind == kinds.SCRUB.name, Job.state == "ready")
        assert [other.args for other in await session.scalars(waiting)] == [{"since": since}]


async def test_prometheus_sees_it(live: Runtime, admin: Person, person: MakePerson) -> None:
    anna = await person()
    await upload(live, caller_of(anna), anna.library, b"a" * 1000)
    lines = (await admin.get("/metrics")).text.splitlines()
    for name, value in [("objects", 1), ("unverified", 1), ("damaged", 0)]:
        assert f"tagphoto_integrity_{name} {value:.1f}" in lines
    assert "tagphoto_deletions_waiting 0.0" in lines
    assert any(line.startswith("tagphoto_integrity_oldest_verified_seconds ") for line in lines)
    assert not any("mirror_behind" in line for line in lines)


async def test_the_service_counts_what_the_tables_say(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 1000)
    async with runtime.database.transaction() as session:
        figures = await integrity.figures(session, mirrored=True)
    assert figures.lag is not None
    assert (figures.objects, figures.lag.objects, figures.lag.bytes) == (
        1,
        1,
        len(next(iter(contents(runtime).values()))),
    )


# Commands, for the tests of mirror and keys too


def environment(addresses: Addresses, folder: Path) -> dict[str, str | None]:
    """An installation with a database of its own that runs already."""
    return {
        "TAGPHOTO_DATA": str(folder),
        "TAGPHOTO_DATABASE_URL": addresses.database,
        "TAGPHOTO_REDIS_URL": addresses.redis,
        "TAGPHOTO_STORE_URL": (folder / "store").as_uri(),
    }


async def command(variables: dict[str, str | None], *arguments: str, status: int = 0) -> Any:
    """Run a command; gives the JSON it prints, or raises what it refuses with."""
    result = await asyncio.to_thread(
        CliRunner().invoke, commands, list(arguments), env=variables, standalone_mode=False
    )
    log.configure("error")  # it had the log go to where it wrote to
    if isinstance(result.exception, TagphotoError):
        raise result.exception
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)
