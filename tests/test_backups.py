"""Backups: consistent, incremental, proven, and never complete without everything behind them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from sqlalchemy import select, text

from archive.backups import making, objects, recovery, retention, tables
from archive.backups import target as targets
from archive.backups.making import Made, Source
from archive.backups.target import Target
from archive.errors import BackupFailed, BackupRunning, Invalid
from archive.integrity import copying
from archive.models import Backup, Event, File, Object
from archive.runtime import Runtime
from archive.vault import files
from archive.vault.vault import Vault
from storage import StoreUnavailable
from storage.local import LocalStore
from storage.memory import MemoryStore
from tests.conftest import MakePerson
from tests.support import s3
from tests.support.people import Person
from tests.support.uploading import caller_of, upload

BYTES = random.Random(5)


async def silent(_done: int, _total: int, _message: str) -> None:
    pass


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: Any, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[no-any-return]


@pytest.fixture
def target() -> Target:
    return Target(MemoryStore(), "memory")


def source_of(live: Runtime, vault: Vault | None = None) -> Source:
    return Source(live.database, live.addresses.database, vault or live.vault, live.keyring)


async def back_up(live: Runtime, target: Target, keep: int = 14, **more: Any) -> Made:
    return await making.make(source_of(live), target, keep, silent, **more)


async def photo(live: Runtime, anna: Person, size: int = 1000) -> bytes:
    content = BYTES.randbytes(size)
    await upload(live, caller_of(anna), anna.library, content)
    return content


async def purge(live: Runtime, *, delete: bool = True) -> list[str]:
    """Purge every asset as the trash does, and delete the objects at once."""
    async with live.database.transaction() as session:
        keys = list(await session.scalars(select(Object.key)))
        await session.execute(text("UPDATE upload SET file_id = NULL"))
        await session.execute(text("DELETE FROM asset"))
        await files.discard(session, list(await session.scalars(select(File.id))))
    for key in keys if delete else ():
        await live.store.delete(key)
    return keys


async def keys_in(store: Any, prefix: str = "") -> list[str]:
    return [entry.key async for entry in store.list(prefix)]


async def rows(live: Runtime) -> dict[str, str]:
    async with live.database.transaction() as session:
        return {row.id: row.state for row in await session.scalars(select(Backup).order_by(Backup.id))}


async def check_invariants(target: Target) -> None:
    """Whatever is complete has everything behind it."""
    for backup_id, names in (await targets.found(target)).items():
        if targets.COMPLETE not in names:
            continue
        complete = json.loads(await target.store.read(targets.place(backup_id, "complete")))
        assert {f"database/{table['name']}" for table in complete["tables"]} <= names
        for name, digest in complete["blake3"].items():
            assert blake3(await target.store.read(targets.place(backup_id, name))).hexdigest() == digest
        lines = (await target.store.read(targets.place(backup_id, "manifest"))).decode().splitlines()
        for digest, key in (line.split("  ") for line in lines):
            left_out = key.removeprefix("objects/") in {*complete["missing"], *complete["purged"]}
            assert left_out or blake3(await target.store.read(key)).hexdigest() == digest


# What a backup is


async def test_a_backup_holds_every_object_and_proves_its_tables(live: Runtime, anna: Person, target: Target) -> None:
    for size in (0, 1, 1000, 20_000_000):
        await photo(live, anna, size)
    made = await back_up(live, target)
    assert made.complete.verified == "restored"
    assert (made.complete.objects, made.complete.new_objects) == (4, 4)
    assert made.complete.missing == {}
    objects = await keys_in(live.store)
    assert await keys_in(target.store, "objects/") == [f"objects/{key}" for key in objects]
    await check_invariants(target)
    assert await rows(live) == {made.complete.id: "verified"}
    counts = {table.name: table.rows for table in made.complete.tables}
    assert counts["asset"] == 4
    assert not counts.keys() & {"session", "event", "worker"}


async def test_scratch_databases_are_dropped(live: Runtime, target: Target) -> None:
    connection = await tables.connect(live.addresses.database)
    try:
        await connection.execute("CREATE DATABASE tagphoto_proof_somebody_elses")
        await back_up(live, target)
        found = await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'tagphoto_proof_%'")
        assert [row["datname"] for row in found] == ["tagphoto_proof_somebody_elses"]
    finally:
        await connection.execute("DROP DATABASE tagphoto_proof_somebody_elses")
        await connection.close()


async def test_the_next_backup_copies_only_what_is_new(live: Runtime, anna: Person, target: Target) -> None:
    await photo(live, anna)
    first = await back_up(live, target)
    await photo(live, anna)
    second = await back_up(live, target)
    assert second.complete.id > first.complete.id
    assert (first.complete.new_objects, second.complete.new_objects, second.complete.objects) == (1, 1, 2)
    assert (await back_up(live, target)).complete.new_objects == 0
    await check_invariants(target)


async def test_a_folder_can_be_checked_by_b3sum_and_nothing_in_it_is_plain(
    live: Runtime, anna: Person, tmp_path: Path
) -> None:
    content = await photo(live, anna)
    store = LocalStore(tmp_path / "target")
    made = await back_up(live, Target(store, "folder"))
    await store.close()
    folder = tmp_path / "target"
    for line in (folder / "backups" / made.complete.id / "manifest").read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert blake3((folder / name).read_bytes()).hexdigest() == digest
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for secret in (content, b"photo.jpg", anna.email.encode(), hashlib.sha256(content).digest()):
        assert secret not in everything


async def test_a_bucket_is_a_target_too(live: Runtime, anna: Person, tmp_path: Path) -> None:
    await photo(live, anna)
    with s3.running("moto", tmp_path) as server:
        url = s3.url(server, s3.fresh_bucket(server) + "/below")
        async with targets.opened(url) as target:
            assert "secret" not in target.name
            await back_up(live, target)
            await photo(live, anna)
            assert (await back_up(live, target, keep=1)).complete.new_objects == 1
            assert len(await targets.found(target)) == 1
            await check_invariants(target)


async def test_admins_are_told(live: Runtime, target: Target) -> None:
    made = await back_up(live, target)
    async with live.database.transaction() as session:
        events = [
            (event.data["id"], event.data["state"], event.library_id)
            for event in await session.scalars(select(Event).where(Event.kind == "backup.changed").order_by(Event.id))
        ]
    assert events == [(made.complete.id, "running", None), (made.complete.id, "verified", None)]


async def test_the_recovery_code_is_made_once_and_read_as_people_write(live: Runtime) -> None:
    async with live.database.transaction() as session:
        code, new = await recovery.code_and_whether_new(session, live.keyring)
    async with live.database.transaction() as session:
        assert await recovery.code_and_whether_new(session, live.keyring) == (code, False)
        assert await recovery.code(session, live.keyring) == code
    assert new
    assert [len(group) for group in code.split("-")] == [4] * 8
    assert recovery.read(code.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == code.replace("-", "")
    for wrong in ("", code[:-1], code + "0", code[:-1] + "U"):
        with pytest.raises(Invalid, match="not a recovery code"):
            recovery.read(wrong)


# What the store does not give


async def _damage(live: Runtime, key: str) -> None:
    content = bytearray(await live.store.read(key))
    content[-1] ^= 1
    await live.store.delete(key)
    await live.store.put(key, targets.once(bytes(content)))


async def _lose(live: Runtime, key: str) -> None:
    await live.store.delete(key)


@pytest.mark.parametrize("harm", [_damage, _lose])
async def test_what_the_store_does_not_give_whole_is_named_and_not_held(
    live: Runtime, anna: Person, target: Target, harm: Callable[[Runtime, str], Any]
) -> None:
    await photo(live, anna)
    await photo(live, anna)
    first, second = await keys_in(live.store)
    await harm(live, first)
    made = await back_up(live, target)
    assert list(made.complete.missing) == [first]
    assert await keys_in(target.store, "objects/") == [f"objects/{second}"]
    assert await rows(live) == {made.complete.id: "damaged"}
    await check_invariants(target)


async def test_the_mirror_helps(live: Runtime, anna: Person, target: Target) -> None:
    await photo(live, anna)
    (key,) = await keys_in(live.store)
    mirror = MemoryStore()
    await mirror.put(key, targets.once(await live.store.read(key)))
    await _damage(live, key)
    vault = Vault(live.store, mirror, live.vault.keys)
    made = await making.make(source_of(live, vault), target, 14, silent)
    assert made.complete.missing == {}
    await check_invariants(target)


async def test_a_store_that_is_away_is_no_loss(live: Runtime, anna: Person, target: Target) -> None:
    await photo(live, anna)
    vault = Vault(Failing(live.store, 1), None, live.vault.keys)
    with pytest.raises(BackupFailed, match="cannot be used"):
        await making.make(source_of(live, vault), target, 14, silent)
    assert list((await rows(live)).values()) == ["failed"]


class Meddling(MemoryStore):
    """A target; while it takes the first object, something happens."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__()
        self._act: Callable[[], Any] | None = act

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        if key.startswith("objects/") and self._act:
            act, self._act = self._act, None
            await act()
        return await super().put(key, body)


async def test_a_purge_during_the_backup_is_no_loss_and_is_not_brought_back(live: Runtime, anna: Person) -> None:
    for _ in range(10):
        await photo(live, anna)
    target = Target(Meddling(lambda: purge(live)), "memory")
    made = await back_up(live, target)
    assert made.complete.missing == {}
    assert len(made.complete.purged) >= 1
    stones = await target.store.read(targets.place(made.complete.id, "tombstones"))
    assert len(stones.splitlines()) == 10
    await check_invariants(target)


async def test_an_upload_during_the_backup_is_in_the_next_one(live: Runtime, anna: Person) -> None:
    await photo(live, anna)
    target = Target(Meddling(lambda: photo(live, anna)), "memory")
    assert (await back_up(live, target)).complete.objects == 1
    assert (await back_up(live, target)).complete.new_objects == 1
    await check_invariants(target)


async def test_an_object_healed_during_the_backup_is_found_under_its_new_key(
    live: Runtime, anna: Person, target: Target
) -> None:
    await photo(live, anna)
    (key,) = await keys_in(live.store)

    async def heal() -> None:
        fresh = files.new_object_key()
        written = copying.Written(len(await live.store.read(key)), blake3(await live.store.read(key)).digest())
        await copying.copy(live.store, key, live.store, fresh, written)
        await live.store.delete(key)
        async with live.database.transaction() as session:
            await session.execute(text("UPDATE object SET key = :fresh"), {"fresh": fresh})

    async def report(_done: int, _total: int, message: str) -> None:
        pass

    class After(MemoryStore):
        async def put(self, name: str, body: AsyncIterator[bytes]) -> int:
            size = await super().put(name, body)
            if name.endswith("/manifest"):
                await heal()
            return size

    healing = Target(After(), "memory")
    made = await making.make(source_of(live), healing, 14, report)
    assert (made.complete.missing, made.complete.purged) == ({}, [])
    await check_invariants(healing)


# The target


async def test_an_object_of_another_size_in_the_target_is_copied_anew(
    live: Runtime, anna: Person, target: Target
) -> None:
    await photo(live, anna)
    await back_up(live, target)
    (key,) = await keys_in(target.store, "objects/")
    content = await target.store.read(key)
    await target.store.delete(key)
    await target.store.put(key, targets.once(content[:-1]))
    assert (await back_up(live, target)).complete.new_objects == 1
    assert await target.store.read(key) == content


async def test_a_target_that_gives_back_something_else_is_found_out(live: Runtime, anna: Person) -> None:
    class Rotten(MemoryStore):
        async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
            content = b"".join([piece async for piece in body])
            return await super().put(key, targets.once(content[:-1] + bytes([content[-1] ^ 1])))

    await photo(live, anna)
    target = Target(Rotten(), "memory")
    with pytest.raises(BackupFailed, match="damaged"):
        await back_up(live, target)
    assert not any("complete" in names for names in (await targets.found(target)).values())


@pytest.mark.parametrize(
    "line",
    [
        "ab" * 32 + "  objects/o/eb/eb22\x0b",
        "ab" * 32 + "  objects/../../etc/passwd",
        "ab" * 32 + "  elsewhere/o/eb/eb22",
        "no digest  objects/o/eb/eb22",
        "",
    ],
)
async def test_a_line_that_is_none_of_a_manifest_is_refused(target: Target, line: str) -> None:
    await targets.write(target, "backups/one/manifest", f"{'cd' * 32}  objects/o/aa/aa11\n{line}\n".encode())
    with pytest.raises(BackupFailed, match="damaged"):
        _ = [entry async for entry in objects.entries(target, "backups/one/manifest")]


async def test_a_target_whose_disk_is_not_mounted_is_refused(live: Runtime, target: Target) -> None:
    await back_up(live, target)
    empty = Target(MemoryStore(), target.name)
    with pytest.raises(BackupFailed, match=r"mounted.*--emptied"):
        await back_up(live, empty)
    made = await back_up(live, empty, emptied=True)
    assert list((await rows(live)).values()) == ["removed", "verified"]
    assert made.complete.verified == "restored"


@pytest.mark.parametrize(
    ("url", "store", "within"),
    [
        ("file:///a/store/backup", "file:///a/store", True),
        ("file:///a/store", "file:///a/store", True),
        ("file:///a/storeroom", "file:///a/store", False),
        ("file:///a", "file:///a/store", False),
        ("s3://k:s@h/b/x", "s3://k:s@h/b", True),
        ("s3://k:s@h/b2", "s3://k:s@h/b", False),
        ("s3://k:s@h2/b", "s3://k:s@h/b", False),
    ],
)
async def test_a_target_in_a_store_of_the_archive_is_refused(url: str, store: str, within: bool) -> None:
    assert targets._within(url, store) is within


async def test_two_backups_at_once_are_refused(live: Runtime, target: Target) -> None:
    async with making._alone(live.addresses.database):
        with pytest.raises(BackupRunning, match="just now"):
            await back_up(live, target)
    await back_up(live, target)


@pytest.fixture
async def modest(live: Runtime) -> AsyncIterator[Source]:
    """What is backed up by a role that may not make databases."""
    connection = await tables.connect(live.addresses.database)
    try:
        await connection.execute("DROP ROLE IF EXISTS modest; CREATE ROLE modest LOGIN")
        await connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO modest")
        yield replace(source_of(live), dsn=live.addresses.database + "&options=-c%20role%3Dmodest")
    finally:
        await connection.execute("DROP OWNED BY modest; DROP ROLE modest")
        await connection.close()


async def test_a_role_that_may_not_make_databases_is_told_what_to_grant(
    live: Runtime, anna: Person, target: Target, modest: Source
) -> None:
    await photo(live, anna)
    made = await making.make(modest, target, 14, silent)
    assert made.complete.verified == "read back"
    assert made.note is not None
    assert "ALTER ROLE modest CREATEDB" in made.note
    async with live.database.transaction() as session:
        assert await session.scalar(select(Backup.proof)) == "read back"


# Retention


async def test_old_backups_go_with_the_objects_only_they_name(live: Runtime, anna: Person, target: Target) -> None:
    await photo(live, anna)
    first = await back_up(live, target, keep=2)
    purged = await purge(live)
    await photo(live, anna)
    second = await back_up(live, target, keep=2)
    assert f"objects/{purged[0]}" in await keys_in(target.store, "objects/")
    third = await back_up(live, target, keep=2)
    assert third.removed.backups == [first.complete.id]
    assert third.removed.objects == 1
    assert f"objects/{purged[0]}" not in await keys_in(target.store, "objects/")
    assert list(await targets.found(target)) == [second.complete.id, third.complete.id]
    assert list((await rows(live)).values()) == ["removed", "verified", "verified"]
    await check_invariants(target)


async def test_the_newest_backup_that_lacks_nothing_stays(live: Runtime, anna: Person, target: Target) -> None:
    await photo(live, anna)
    whole = await back_up(live, target, keep=1)
    await photo(live, anna)
    (fresh,) = set(await keys_in(live.store)) - {one.removeprefix("objects/") for one in await keys_in(target.store)}
    await live.store.delete(fresh)
    for _ in range(3):
        made = await back_up(live, target, keep=1)
        assert made.complete.missing
    assert list(await targets.found(target)) == [whole.complete.id, made.complete.id]


async def test_what_somebody_else_is_making_is_not_touched_for_a_day(
    live: Runtime, anna: Person, target: Target
) -> None:
    await photo(live, anna)
    await back_up(live, target)
    for age, stays in ((timedelta(hours=23), True), (timedelta(hours=25), False)):
        backup_id = (datetime.now(UTC) - age).strftime(retention.FORM)
        key = f"o/{'0' if stays else '1'}0/{'0' * 32}"
        await target.store.put(f"objects/{key}", targets.once(b"theirs"))
        line = f"{blake3(b'theirs').hexdigest()}  objects/{key}\n".encode()
        await target.store.put(targets.place(backup_id, "manifest"), targets.once(line))
    await back_up(live, target)
    assert len(await targets.found(target)) == 3
    assert f"objects/o/00/{'0' * 32}" in await keys_in(target.store)
    assert f"objects/o/10/{'0' * 32}" not in await keys_in(target.store)


async def test_nothing_is_deleted_while_a_manifest_is_damaged(live: Runtime, anna: Person, target: Target) -> None:
    await photo(live, anna)
    first = await back_up(live, target, keep=2)
    second = await back_up(live, target, keep=2)
    place = targets.place(second.complete.id, "manifest")
    content = await target.store.read(place)
    await target.store.delete(place)
    await target.store.put(place, targets.once(content[:-10]))
    third = await back_up(live, target, keep=2)
    assert third.note is not None
    assert f"The manifest of backup {second.complete.id}" in third.note
    assert list(await targets.found(target)) == [first.complete.id, second.complete.id, third.complete.id]


# Killed anywhere


def copy_of(store: MemoryStore) -> MemoryStore:
    made = MemoryStore()
    made._objects = dict(store._objects)
    return made


class Failing:
    """A store whose k-th call fails, and all after it."""

    def __init__(self, within: Any, k: int) -> None:
        self.within, self.left = within, k

    def _call(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise StoreUnavailable("pulled out")

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        self._call()
        return await self.within.put(key, body)  # type: ignore[no-any-return]

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        self._call()
        async for piece in self.within.read_range(key, start, length):
            yield piece

    async def read(self, key: str) -> bytes:
        self._call()
        return await self.within.read(key)  # type: ignore[no-any-return]

    async def stat(self, key: str) -> Any:
        self._call()
        return await self.within.stat(key)

    async def delete(self, key: str) -> None:
        self._call()
        await self.within.delete(key)

    async def list(self, prefix: str = "") -> AsyncIterator[Any]:
        self._call()
        async for entry in self.within.list(prefix):
            yield entry

    async def ping(self) -> None:
        self._call()

    async def close(self) -> None:
        pass


async def test_a_backup_cut_off_anywhere_is_none_and_the_next_goes_on(
    live: Runtime, anna: Person, modest: Source
) -> None:
    for _ in range(3):
        await photo(live, anna)
    earlier = MemoryStore()
    await back_up(live, Target(earlier, "memory"))
    await purge(live)
    await photo(live, anna)
    before = {key: await live.store.read(key) for key in await keys_in(live.store)}
    k, done = 0, False
    while not done:
        k += 1
        within = copy_of(earlier)
        failing = Failing(within, k)
        try:
            await making.make(modest, Target(failing, "memory"), 1, silent, emptied=True)
            done = failing.left > 0
        except BackupFailed:
            pass
        await check_invariants(Target(within, "memory"))
        assert {key: await live.store.read(key) for key in await keys_in(live.store)} == before
        if k % 10 == 0:
            made = await making.make(modest, Target(within, "memory"), 1, silent, emptied=True)
            assert made.complete.missing == {}
            # What was half removed is taken for unfinished for a day.
            await retention.apply(Target(within, "memory"), 1, datetime.now(UTC) + timedelta(days=2))
            assert [key.removeprefix("objects/") for key in await keys_in(within, "objects/")] == list(before)
    assert k > 30


# Through HTTP and by themselves


async def test_admins_list_and_start_backups(person: MakePerson, app: Any, tmp_path: Path) -> None:
    admin, anna = await person("admin@example.org", admin=True), await person()
    assert (await anna.get("/backups")).status_code == 403
    nothing = (await admin.get("/backups")).json()
    assert (nothing["items"], nothing["target"], nothing["next_due_at"]) == ([], None, None)
    refused = await admin.post("/backups")
    assert (refused.status_code, refused.json()["type"]) == (409, "/api/v1/problems/backup-not-configured")
    runtime: Runtime = app.state.runtime
    settings = runtime.settings.model_copy(update={"backup_url": (tmp_path / "t").as_uri()})
    object.__setattr__(runtime, "settings", settings)
    first, again = await admin.post("/backups"), await admin.post("/backups")
    assert (first.status_code, first.json()["kind"], again.json()["id"]) == (202, "backups.make", first.json()["id"])
    for _ in range(3):
        await back_up(runtime, Target(MemoryStore(), settings.backup_url or ""), emptied=True)
    page = (await admin.get("/backups", params={"limit": 2})).json()
    rest = (await admin.get("/backups", params={"limit": 2, "cursor": page["next"]})).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert page["items"][0]["id"] > page["items"][1]["id"] > rest["items"][0]["id"]
    assert page["last_verified_at"] < page["next_due_at"]


async def test_the_job_makes_one_when_it_is_due(live: Runtime, anna: Person, tmp_path: Path) -> None:
    from archive.jobs import JOBS
    from archive.queue import kinds
    from archive.queue.service import enqueue
    from archive.worker.runner import JobRunner

    settings = live.settings.model_copy(update={"backup_url": (tmp_path / "t").as_uri()})
    object.__setattr__(live, "settings", settings)
    runner = JobRunner(live, JOBS, ["upkeep"], "me")
    kinds_only = {kinds.BACKUP.name: JOBS[kinds.BACKUP.name]}
    runner = JobRunner(live, kinds_only, ["upkeep"], "me")
    for args, there in (({}, 1), ({}, 1), ({"now": True}, 2)):
        async with live.database.transaction() as session:
            await enqueue(session, kinds.BACKUP, args, key="k")
        assert await runner.run_one()
        assert len(await rows(live)) == there
    assert set((await rows(live)).values()) == {"verified"}
    async with live.database.transaction() as session:
        assert set(await session.scalars(text("SELECT state FROM job WHERE kind = 'backups.make'"))) == {"done"}
