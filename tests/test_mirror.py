"""The mirror: a copy of every object behind the commit, from which reading goes on and what is damaged is healed."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from archive.errors import Conflict, Damaged, TagphotoError
from archive.integrity import mirroring, sweeping
from archive.integrity import service as integrity
from archive.models import Deletion, Event, Stray
from archive.queue import kinds
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings
from archive.vault.files import OBJECT_BYTES
from storage import StoreUnavailable
from storage.memory import MemoryStore
from tests.support.uploading import stream
from tests.test_integrity import (
    DAMAGES,
    Damage,
    Owner,
    Switched,
    command,
    count,
    environment,
    execute,
    objects,
    read_back,
    run_job,
    scrub_all,
)

random.seed(3)


@pytest.fixture
def store() -> Switched:
    return Switched()


@pytest.fixture
def mirror() -> Switched:
    return Switched()


@pytest.fixture
async def runtime(
    settings: Settings, addresses: Addresses, store: Switched, mirror: Switched
) -> AsyncIterator[Runtime]:
    async with open_runtime(settings, addresses, pool_size=5, store=store, mirror=mirror) as opened:
        yield opened


@pytest.fixture
async def anna(runtime: Runtime) -> Owner:
    return await Owner.make(runtime)


async def copy_all(runtime: Runtime) -> int:
    return await mirroring.run(runtime.database.transaction, runtime.vault)


def copies(mirror: MemoryStore) -> dict[str, bytes]:
    return {key: content for key, content in mirror._objects.items() if key.startswith("o/")}


async def lag(runtime: Runtime) -> tuple[int, int]:
    async with runtime.database.transaction() as session:
        found = await mirroring.lag(session)
    assert (found.seconds > 0) == (found.objects > 0)
    return found.objects, found.bytes


# Copying


async def test_the_mirror_gets_what_the_store_has(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched
) -> None:
    await anna.upload(runtime, random.randbytes(OBJECT_BYTES + 1000))
    assert await lag(runtime) == (2, sum(map(len, store._objects.values())))
    assert (await run_job(runtime, kinds.MIRROR)).state == "done"
    assert copies(mirror) == store._objects
    assert await lag(runtime) == (0, 0)
    assert await copy_all(runtime) == 0


async def test_many_objects_are_copied_page_by_page(runtime: Runtime, anna: Owner, mirror: Switched) -> None:
    for number in range(70):
        await anna.upload(runtime, bytes([number]))
    assert await copy_all(runtime) == 70
    assert len(copies(mirror)) == 70


async def test_a_mirror_that_is_away_is_waited_for_and_no_finding(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched
) -> None:
    mirror.away = True
    made = await anna.upload(runtime, b"a" * 1000)
    job = await run_job(runtime, kinds.MIRROR)
    assert (job.state, job.error) == ("ready", "StoreUnavailable: it is switched off")
    assert (await scrub_all(runtime)).damaged == 0
    assert await read_back(runtime, made.asset_id) == b"a" * 1000
    assert (await lag(runtime))[0] == 1
    mirror.away = False
    assert await copy_all(runtime) == 1
    mirror.away = True
    report = await scrub_all(runtime)
    assert (report.objects, report.damaged, report.mirror_faults) == (1, 0, 0)
    assert await lag(runtime) == (0, 0)


async def test_a_source_that_is_damaged_is_not_copied_but_found(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched
) -> None:
    for content in (b"a", b"b", b"c"):
        await anna.upload(runtime, content)
    flipped, lost, whole = await objects(runtime)
    store._objects[flipped.key] = b"x" * flipped.sealed_size
    del store._objects[lost.key]
    await copy_all(runtime)
    assert set(copies(mirror)) == {whole.key}
    assert {row.key for row in await objects(runtime) if row.damage} == {flipped.key, lost.key}
    assert await count(runtime, Event, Event.kind == "integrity.damaged") == 2
    assert await lag(runtime) == (0, 0)  # it is not waited for what cannot be had


@pytest.mark.parametrize("there", ["the same", "something else", "a part"])
async def test_what_the_mirror_has_already_is_kept_or_replaced(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched, there: str
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    (one,) = await objects(runtime)
    whole = store._objects[one.key]
    content = {"the same": whole, "something else": b"x" * len(whole), "a part": whole[:100]}[there]
    mirror._objects[one.key] = content
    assert await copy_all(runtime) == 1
    assert copies(mirror) == store._objects
    assert (mirror._objects[one.key] is content) == (there == "the same")


async def test_a_damaged_source_replaces_nothing(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    (one,) = await objects(runtime)
    mirror._objects[one.key] = half = store._objects[one.key][:100]
    store._objects[one.key] = b"x"
    await copy_all(runtime)
    assert mirror._objects[one.key] == half


async def test_a_mirror_that_breaks_in_the_middle_keeps_what_was_copied(
    runtime: Runtime, anna: Owner, mirror: Switched
) -> None:
    for number in range(5):
        await anna.upload(runtime, bytes([number]))
    await mirroring.mark(mirror)
    last = (await objects(runtime))[3].key

    class Breaking(Switched):
        async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
            if key == last:
                self.away = True
            return await super().put(key, body)

    mirror.__class__ = Breaking
    with pytest.raises(StoreUnavailable):
        await copy_all(runtime)
    assert (await lag(runtime))[0] == 5 - len(copies(mirror)) > 0


# Which mirror it is


async def test_an_empty_place_is_not_taken_for_the_mirror_before_somebody_says_so(
    runtime: Runtime, anna: Owner, mirror: Switched
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    mirror._objects.clear()  # as when its disk is not mounted
    with pytest.raises(Conflict, match="--mirror-anew"):
        await copy_all(runtime)
    assert (await scrub_all(runtime)).mirror_faults == 0
    assert mirror._objects == {}
    await mirroring.mark(mirror)
    assert await mirroring.forget(runtime.database.transaction) == 1
    assert await copy_all(runtime) == 1
    assert len(copies(mirror)) == 1


async def test_a_mirror_fills_for_an_archive_that_is_there(
    settings: Settings, addresses: Addresses, store: Switched
) -> None:
    async with open_runtime(settings, addresses, pool_size=5, store=store) as without:
        anna = await Owner.make(without)
        await anna.upload(without, b"a" * 1000)
        assert await copy_all(without) == 0
        (one,) = await objects(without)
        store._objects[one.key] = b""
        assert (await scrub_all(without)).healed == 0
        store._objects[one.key + "x"] = b""
        await anna.upload(without, b"b" * 1000)
    mirror = Switched()
    async with open_runtime(settings, addresses, pool_size=5, store=store, mirror=mirror) as with_mirror:
        assert await copy_all(with_mirror) == 1
        assert len(copies(mirror)) == 1


# Healing


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_is_damaged_is_healed_under_a_new_key(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched, damage: Damage
) -> None:
    content = random.randbytes(OBJECT_BYTES) + b"x" * 20000
    made = await anna.upload(runtime, content)
    await copy_all(runtime)
    one, two = await objects(runtime)
    damage(store._objects, two.key, one.key)
    report = await scrub_all(runtime)
    assert report.healed == report.damaged > 0
    rows = {row.start: row for row in await objects(runtime)}
    healed = [row for row in rows.values() if row.key not in {one.key, two.key}]
    assert len(healed) == report.healed
    assert all(row.damage is None and row.mirrored_at and row.verified_at for row in healed)
    assert all(copies(mirror)[row.key] == store._objects[row.key] for row in healed)
    async with runtime.database.transaction() as session:
        gone = set(await session.scalars(select(Deletion.key).where(Deletion.due_at > func.now())))
    assert gone == {one.key, two.key} - {row.key for row in rows.values()}
    # A second look, the new copies, and what is deleted later: nothing is lost on the way.
    assert (await scrub_all(runtime)).damaged == 0
    await copy_all(runtime)
    await execute(runtime, "UPDATE deletion SET due_at = now()")
    await sweeping.delete_due(runtime.database.transaction, runtime.vault)
    assert copies(mirror) == store._objects
    assert await read_back(runtime, made.asset_id) == content
    assert await count(runtime, Event, Event.kind == "integrity.healed") == report.healed


async def test_the_job_of_a_received_asset_heals_too(runtime: Runtime, anna: Owner, store: Switched) -> None:
    made = await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    (one,) = await objects(runtime)
    store._objects[one.key] = b""
    assert (await run_job(runtime, kinds.VERIFY, {"file": str(one.file_id)})).state == "done"
    (healed,) = await objects(runtime)
    assert healed.key != one.key
    assert store._objects[healed.key]
    assert await read_back(runtime, made.asset_id) == b"a" * 1000


async def test_healing_waits_for_the_mirror_and_goes_on_by_itself(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    (one,) = await objects(runtime)
    del store._objects[one.key]
    mirror.away = True
    report = await scrub_all(runtime)
    assert (report.damaged, report.healed) == (1, 0)
    mirror.away = False
    assert (await run_job(runtime, kinds.SCRUB)).state == "done"
    (healed,) = await objects(runtime)
    assert healed.damage is None
    assert healed.key != one.key


async def test_what_is_damaged_in_both_is_a_finding_and_not_healed_for_ever(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched
) -> None:
    made = await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    (one,) = await objects(runtime)
    store._objects[one.key] = mirror._objects[one.key] = b"x"
    for _ in range(2):
        report = await scrub_all(runtime)
        assert (report.damaged, report.healed) == (1, 0)
    (row,) = await objects(runtime)
    assert (row.key, row.mirrored_at) == (one.key, None)
    with pytest.raises(Damaged, match="second copy"):
        await read_back(runtime, made.asset_id)


async def test_a_changed_row_is_not_healed_by_copying_its_bytes(runtime: Runtime, anna: Owner, store: Switched) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    await execute(runtime, "UPDATE object SET start = 16384")
    before = dict(store._objects)
    assert (await scrub_all(runtime)).healed == 0
    assert store._objects == before


async def test_a_full_store_is_no_reason_to_fail(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    (one,) = await objects(runtime)
    store._objects[one.key] = b""

    class Full(Switched):
        async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
            raise StoreUnavailable(f"the disk is full: {key}, {body}")

    store.__class__ = Full
    report = await scrub_all(runtime)
    assert (report.damaged, report.healed) == (1, 0)
    store.__class__ = Switched
    assert (await scrub_all(runtime)).healed == 1


@pytest.mark.parametrize("damage", ["another", "lost", "cut"])
async def test_a_damaged_copy_is_found_by_the_scrub_and_made_again(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched, damage: str
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    (one,) = await objects(runtime)
    if damage == "lost":
        del mirror._objects[one.key]
    else:
        mirror._objects[one.key] = store._objects[one.key][:-1] if damage == "cut" else b"x" * one.sealed_size
    report = await scrub_all(runtime)
    assert (report.damaged, report.mirror_faults) == (0, 1)
    assert (await lag(runtime))[0] == 1
    assert await copy_all(runtime) == 1
    assert copies(mirror) == store._objects


# Reading


@pytest.mark.parametrize("damage", DAMAGES)
async def test_reading_goes_on_from_the_mirror_in_the_middle_of_a_file(
    runtime: Runtime, anna: Owner, store: Switched, damage: Damage
) -> None:
    content = random.randbytes(2 * OBJECT_BYTES + 1000)
    made = await anna.upload(runtime, content)
    await copy_all(runtime)
    one, two, _ = await objects(runtime, made)
    damage(store._objects, two.key, one.key)
    assert await read_back(runtime, made.asset_id) == content


async def test_reading_goes_on_while_the_store_is_away(runtime: Runtime, anna: Owner, store: Switched) -> None:
    made = await anna.upload(runtime, b"a" * 100_000)
    await copy_all(runtime)
    store.away = True
    assert await read_back(runtime, made.asset_id) == b"a" * 100_000


# Deleting


async def test_a_deletion_is_over_when_both_have_it(
    runtime: Runtime, anna: Owner, store: Switched, mirror: Switched
) -> None:
    for one in (store, mirror):
        await one.put("o/aa/x", stream(b"x"))
    await execute(runtime, "INSERT INTO deletion (key, due_at) VALUES ('o/aa/x', now())")
    mirror.away = True
    job = await run_job(runtime, kinds.DELETE)
    assert job.state == "ready"
    assert (set(store._objects), await count(runtime, Deletion)) == (set(), 1)
    mirror.away = False
    assert await sweeping.delete_due(runtime.database.transaction, runtime.vault) == 1
    assert (set(mirror._objects), await count(runtime, Deletion)) == (set(), 0)


async def test_the_mirror_is_swept_too(runtime: Runtime, anna: Owner, mirror: Switched) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await copy_all(runtime)
    await mirror.put("o/aa/x", stream(b"x"))
    for deleted in (0, 1):
        swept = await sweeping.sweep(runtime.database.transaction, runtime.vault)
        assert [(one.place, one.deleted) for one in swept] == [("store", 0), ("mirror", deleted)]
        async with runtime.database.transaction() as session:
            await session.execute(update(Stray).values(seen_at=func.now() - func.make_interval(0, 0, 0, 2)))
    assert len(copies(mirror)) == 1
    assert (await mirror.stat("mirror/begun")).size > 0


async def test_the_figures_say_how_far_behind_it_is(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 1000)
    async with runtime.database.transaction() as session:
        figures = await integrity.figures(session, mirrored=True)
    assert figures.lag is not None
    assert (figures.lag.objects, figures.lag.seconds >= 0) == (1, True)


# The command


async def test_scrub_verifies_heals_and_says_what_it_could_not(
    settings: Settings, addresses: Addresses, tmp_path: Path
) -> None:
    variables = environment(addresses, tmp_path)
    at = Addresses(addresses.database, addresses.redis, (tmp_path / "store").as_uri())
    async with open_runtime(settings, at, pool_size=2) as runtime:
        anna = await Owner.make(runtime)
        await anna.upload(runtime, b"a" * 1000)
    assert (await command(variables, "scrub"))["objects"] == 0  # what was received just now has a job of its own
    assert (await command(variables, "scrub", "--all"))["objects"] == 1
    with pytest.raises(TagphotoError, match="There is no mirror"):
        await command(variables, "scrub", "--mirror-anew")
    mirror = variables | {"TAGPHOTO_MIRROR_URL": (tmp_path / "mirror").as_uri()}
    assert await command(mirror, "scrub", "--mirror-anew") == {"to_be_copied": 0}
    (file,) = [path for path in (tmp_path / "store" / "o").rglob("*") if path.is_file()]
    copy = tmp_path / "mirror" / file.relative_to(tmp_path / "store")
    copy.parent.mkdir(parents=True)
    copy.write_bytes(file.read_bytes())
    file.write_bytes(b"x")
    found = await command(variables, "scrub", "--all", status=1)
    assert (found["damaged"], found["healed"], found["left_damaged"]) == (1, 0, 1)
    healed = await command(mirror, "scrub", "--all")
    assert (healed["healed"], healed["left_damaged"], healed["mirror_behind"]) == (1, 0, 0)
