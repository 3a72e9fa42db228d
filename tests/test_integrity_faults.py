"""One object that cannot be read, or one store that is away, is in the way of nothing else; the last copy is kept."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from sqlalchemy import text

from archive import db
from archive.integrity import mirroring, sweeping
from archive.models import Deletion, Stray
from archive.queue import kinds
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings
from storage import StoreUnavailable
from tests.support.uploading import stream
from tests.test_integrity import (
    Owner,
    Switched,
    age_strays,
    command,
    count,
    environment,
    execute,
    objects,
    read_back,
    run_job,
    scrub_all,
)

random.seed(5)


class Disk(Switched):
    """A store with sectors that cannot be read, or written, or deleted from, and one that lies about what it took."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: set[str] = set()
        self.stuck: set[str] = set()
        self.loses = False
        self.full = False
        self.deletions: list[str] = []

    def _find(self, key: str) -> bytes:
        if key in self.bad:
            raise StoreUnavailable(f"the disk fails to read {key}")
        return super()._find(key)

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        if self.full or key in self.stuck:
            raise StoreUnavailable("the disk is full")
        size = await super().put(key, body)
        if self.loses:
            self._objects[key] = bytes(size)
        return size

    async def delete(self, key: str) -> None:
        self.deletions.append(key)
        if key in self.stuck:
            raise StoreUnavailable(f"the disk fails to delete {key}")
        await super().delete(key)


@pytest.fixture
def store() -> Disk:
    return Disk()


@pytest.fixture
def mirror() -> Disk:
    return Disk()


@pytest.fixture
async def runtime(settings: Settings, addresses: Addresses, store: Disk, mirror: Disk) -> AsyncIterator[Runtime]:
    async with open_runtime(settings, addresses, pool_size=5, store=store, mirror=mirror) as opened:
        yield opened


@pytest.fixture
async def anna(runtime: Runtime) -> Owner:
    return await Owner.make(runtime)


async def copy_all(runtime: Runtime) -> int:
    return await mirroring.run(runtime.database.transaction, runtime.vault)


async def delete_due(runtime: Runtime) -> int:
    return await sweeping.delete_due(runtime.database.transaction, runtime.vault)


# The last copy


async def test_what_was_healed_outlives_the_old_key_in_both(
    runtime: Runtime, anna: Owner, store: Disk, mirror: Disk
) -> None:
    made = await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    (one,) = await objects(runtime)
    store._objects[one.key] = b"x"
    assert (await scrub_all(runtime)).healed == 1
    await execute(runtime, "UPDATE deletion SET due_at = now()")
    assert await delete_due(runtime) == 1
    (healed,) = await objects(runtime)
    assert healed.mirrored_at is not None
    del store._objects[healed.key]  # the disk that damaged it once
    assert await read_back(runtime, made.asset_id) == b"a" * 1000
    assert one.key not in mirror._objects


async def test_the_old_copy_is_kept_while_the_store_does_not_give_back_what_it_took(
    runtime: Runtime, anna: Owner, store: Disk, mirror: Disk
) -> None:
    made = await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    (one,) = await objects(runtime)
    store._objects[one.key] = b"x"
    store.loses = True
    report = await scrub_all(runtime)
    assert (report.damaged, report.healed) == (1, 0)
    (row,) = await objects(runtime)
    assert (row.key, row.damage is not None) == (one.key, True)
    await execute(runtime, "UPDATE deletion SET due_at = now()")
    await delete_due(runtime)
    assert set(store._objects) == {one.key}  # nothing is left of what was tried
    assert {key for key in mirror._objects if key.startswith("o/")} == {one.key}
    assert await read_back(runtime, made.asset_id) == b"a" * 1000
    store.loses = False
    assert (await scrub_all(runtime)).healed == 1


async def test_the_old_copy_is_kept_while_the_mirror_takes_no_new_one(
    runtime: Runtime, anna: Owner, store: Disk, mirror: Disk
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    (one,) = await objects(runtime)
    store._objects[one.key] = b"x"
    mirror.full = True
    assert (await scrub_all(runtime)).healed == 0
    assert (await objects(runtime))[0].key == one.key
    await execute(runtime, "UPDATE deletion SET due_at = now()")
    await delete_due(runtime)
    assert set(store._objects) == {one.key}
    mirror.full = False
    assert (await scrub_all(runtime)).healed == 1


# One bad sector


async def test_an_object_that_cannot_be_read_is_damaged_healed_and_stops_nothing(
    runtime: Runtime, anna: Owner, store: Disk, mirror: Disk
) -> None:
    for number in range(4):
        await anna.upload(runtime, bytes([number]) * 1000)
    await copy_all(runtime)
    first, second = sorted(row.key for row in await objects(runtime))[:2]
    store.bad, mirror.bad = {first, second}, {second}
    report = await scrub_all(runtime)
    # What is healed is verified again in the same run.
    assert (report.objects, report.damaged, report.healed, report.mirror_faults) == (5, 2, 1, 1)
    rows = {row.key: row for row in await objects(runtime)}
    assert all(row.verified_at for row in rows.values())
    damage = {key: row.damage for key, row in rows.items() if row.damage}
    assert damage == {second: f"the store could not read it: the disk fails to read {second}"}
    assert first not in rows


async def test_a_bad_sector_of_the_mirror_is_a_fault_of_that_copy_and_written_over(
    runtime: Runtime, anna: Owner, store: Disk, mirror: Disk
) -> None:
    for number in range(3):
        await anna.upload(runtime, bytes([number]) * 1000)
    await copy_all(runtime)
    bad, other, _ = sorted(row.key for row in await objects(runtime))
    mirror.bad = {bad}
    mirror._objects[other] = b"x"
    report = await scrub_all(runtime)
    assert (report.objects, report.damaged, report.mirror_faults) == (3, 0, 2)
    deleted = mirror.delete

    async def delete(key: str) -> None:
        await deleted(key)
        mirror.bad.discard(key)  # what is written next is elsewhere on the disk

    mirror.delete = delete  # type: ignore[method-assign]
    assert await copy_all(runtime) == 2
    assert {key: body for key, body in mirror._objects.items() if key.startswith("o/")} == store._objects


async def test_a_source_that_cannot_be_read_does_not_stop_the_others(
    runtime: Runtime, anna: Owner, store: Disk, mirror: Disk
) -> None:
    for number in range(3):
        await anna.upload(runtime, bytes([number]) * 1000)
    bad = (await objects(runtime))[0].key
    store.bad = {bad}
    assert await copy_all(runtime) == 2
    assert {row.key for row in await objects(runtime) if row.damage} == {bad}
    assert bad not in mirror._objects


async def test_what_the_mirror_does_not_take_waits_and_the_others_do_not(
    runtime: Runtime, anna: Owner, mirror: Disk
) -> None:
    for number in range(70):  # more than a page
        await anna.upload(runtime, bytes([number]))
    stuck = (await objects(runtime))[0].key
    mirror.stuck = {stuck}
    assert await copy_all(runtime) == 69
    assert {row.key for row in await objects(runtime) if row.mirrored_at is None} == {stuck}
    assert not any(row.damage for row in await objects(runtime))
    with pytest.raises(StoreUnavailable):  # it takes nothing at all: somebody shall hear of it
        await copy_all(runtime)
    mirror.stuck = set()
    assert await copy_all(runtime) == 1


async def test_what_was_examined_before_the_store_went_away_is_noted(
    runtime: Runtime, anna: Owner, store: Disk
) -> None:
    for number in range(3):
        await anna.upload(runtime, bytes([number]) * 1000)
    last = max(row.key for row in await objects(runtime))

    class Leaving(Disk):
        def _find(self, key: str) -> bytes:
            self.away = self.away or key == last
            return super()._find(key)

    store.__class__ = Leaving
    with pytest.raises(StoreUnavailable):
        await scrub_all(runtime)
    rows = await objects(runtime)
    assert {row.key for row in rows if row.verified_at is None} == {last}
    assert not any(row.damage for row in rows)


async def test_a_store_that_was_away_for_a_moment_has_no_damage(runtime: Runtime, anna: Owner, store: Disk) -> None:
    await anna.upload(runtime, b"a" * 1000)
    (one,) = await objects(runtime)
    store.bad = {one.key}

    async def ping() -> None:
        store.bad = set()

    store.ping = ping  # type: ignore[method-assign]
    report = await scrub_all(runtime)
    assert (report.objects, report.damaged) == (1, 0)


# Deleting


async def queue_deletions(runtime: Runtime, number: int) -> list[str]:
    keys = [f"o/00/{one:04}" for one in range(number)]
    async with runtime.database.transaction() as session:
        await session.execute(
            text("INSERT INTO deletion (key, due_at) SELECT unnest(CAST(:keys AS text[])), now()"), {"keys": keys}
        )
    return keys


async def test_a_mirror_that_is_away_keeps_nothing_in_the_store(runtime: Runtime, store: Disk, mirror: Disk) -> None:
    keys = await queue_deletions(runtime, 1200)  # more than a page
    for key in keys:
        for one in (store, mirror):
            await one.put(key, stream(b"x"))
    mirror.away = True
    assert (await run_job(runtime, kinds.DELETE)).error == "StoreUnavailable: it is switched off"
    assert store._objects == {}
    assert sorted(store.deletions) == keys  # each of them once
    assert await count(runtime, Deletion) == 1200
    mirror.away = False
    assert await delete_due(runtime) == 1200
    assert (mirror._objects, await count(runtime, Deletion)) == ({}, 0)


async def test_one_that_cannot_be_deleted_is_tried_again_and_stops_nothing(
    runtime: Runtime, store: Disk, mirror: Disk
) -> None:
    keys = await queue_deletions(runtime, 30)
    for key in keys:
        await mirror.put(key, stream(b"x"))
    mirror.stuck = {keys[3]}
    with pytest.raises(StoreUnavailable, match=keys[3]):
        await delete_due(runtime)
    assert (set(mirror._objects), await count(runtime, Deletion)) == ({keys[3]}, 1)
    mirror.stuck = set()
    assert await delete_due(runtime) == 1


async def test_a_stray_that_cannot_be_deleted_stops_no_other(runtime: Runtime, store: Disk) -> None:
    for key in ("o/00/a", "o/00/b"):
        await store.put(key, stream(b"x"))
    await sweeping.sweep(runtime.database.transaction, runtime.vault)
    await age_strays(runtime)
    store.stuck = {"o/00/a"}
    with pytest.raises(StoreUnavailable):
        await sweeping.sweep(runtime.database.transaction, runtime.vault)
    assert set(store._objects) == {"o/00/a"}
    assert await count(runtime, Stray) == 1


# The clock


async def test_scrub_all_goes_by_the_clock_of_the_database(
    settings: Settings, addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = environment(addresses, tmp_path)
    at = Addresses(addresses.database, addresses.redis, (tmp_path / "store").as_uri())
    async with open_runtime(settings, at, pool_size=2) as runtime:
        await (await Owner.make(runtime)).upload(runtime, b"a" * 1000)
    assert (await command(variables, "scrub", "--all"))["objects"] == 1

    class Late(datetime):
        """The clock of this host goes behind."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Late:
            return super().now(tz) - timedelta(hours=1)

    monkeypatch.setattr(db, "datetime", Late)
    assert (await command(variables, "scrub", "--all"))["objects"] == 1
