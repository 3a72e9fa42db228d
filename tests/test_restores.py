"""Restoring: everything comes back, deleted things do not, and what is lost is called by its name."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select, text

from archive import keyring
from archive.backups import recovery, restoring, tables
from archive.backups import target as targets
from archive.backups.restoring import Places, Restored, RootKeys
from archive.backups.target import Target
from archive.db import Database, create_engine
from archive.errors import BackupFailed, Invalid, StartRefused
from archive.models import Asset, File, Upload
from archive.runtime import Runtime
from archive.uploads import finishing, writing
from archive.uploads.service import Announced, Intake
from archive.vault import reading
from archive.vault.keys import LibraryKeys
from storage.local import LocalStore
from storage.memory import MemoryStore
from tests.conftest import MakePerson
from tests.support.cluster import Cluster
from tests.support.people import Person
from tests.support.uploading import LIMITS, caller_of, stream, upload
from tests.test_backups import BYTES, Failing, back_up, keys_in, photo, purge, silent

NUMBERS = iter(range(1000))


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: Any, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[no-any-return]


@pytest.fixture
def target() -> Target:
    return Target(MemoryStore(), "memory")


class Machine:
    """An empty machine to restore on."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.database = Database(create_engine(dsn, pool_size=2))
        self.store = MemoryStore()
        self.places = Places(self.database, dsn, self.store, None)
        self.keys = RootKeys(folder / "root.key")

    async def restore(self, target: Target, backup: str | None = None, **keys: Any) -> Restored:
        return await restoring.restore(self.places, target, backup, replace(self.keys, **keys), silent)

    async def contents(self) -> dict[str, bytes]:
        """Every asset's bytes, opened with the key file that was put in place."""
        opener, found = LibraryKeys(keyring.load(self.keys.key_file)), {}
        async with self.database.transaction() as session:
            for asset in await session.scalars(select(Asset)):
                plan = await reading.plan(session, opener, await session.get_one(File, asset.original_id))
                pieces = reading.read((self.store,), plan)
                found[str(asset.id)] = b"".join([piece async for piece in pieces])
        return found

    async def one(self, query: str) -> Any:
        async with self.database.transaction() as session:
            return await session.scalar(text(query))


@pytest.fixture
async def machine(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Machine]:
    name = f"restored{next(NUMBERS)}"
    await cluster.execute(f"CREATE DATABASE {name}")
    made = Machine(cluster.dsn(name), tmp_path / "elsewhere")
    yield made
    await made.database.close()
    await cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def code_of(live: Runtime) -> str:
    async with live.database.transaction() as session:
        return await recovery.code(session, live.keyring)


async def contents_of(live: Runtime) -> dict[str, bytes]:
    found = {}
    async with live.database.transaction() as session:
        for asset in await session.scalars(select(Asset)):
            plan = await reading.plan(session, live.vault.keys, await session.get_one(File, asset.original_id))
            pieces = reading.read(live.vault.stores, plan)
            found[str(asset.id)] = b"".join([piece async for piece in pieces])
    return found


async def exchange(store: Any, key: str, change: Any) -> None:
    content = await store.read(key)
    await store.delete(key)
    await store.put(key, targets.once(change(content)))


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


# Everything comes back


async def test_everything_comes_back_with_the_recovery_code(
    live: Runtime, anna: Person, target: Target, machine: Machine
) -> None:
    for size in (0, 1, 16_384, 17_000_000):
        await upload(live, caller_of(anna), anna.library, BYTES.randbytes(size), f"photo {size},\n\"'\\.jpg")
    made = await back_up(live, target)
    restored = await machine.restore(target, code=await code_of(live))
    assert (restored.losses, restored.warnings, restored.assets, restored.objects) == ([], [], 4, 4)
    assert await machine.contents() == await contents_of(live)
    assert machine.keys.key_file.stat().st_mode & 0o777 == 0o600
    assert machine.keys.key_file.read_text() == live.settings.key_file.read_text()
    assert await machine.one("SELECT state FROM backup") == "verified"
    assert await machine.one("SELECT count(*) FROM session") == 0
    for table in made.complete.tables:
        if table.name not in {"backup", "object", "job"}:
            query = next(spec.query for spec in tables.specs() if spec.name == table.name)
            assert await _dump(machine.places.dsn, query) == await _dump(live.addresses.database, query)


async def _dump(dsn: str, query: str) -> list[Any]:
    connection = await tables.connect(dsn)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def test_everything_comes_back_with_the_root_key_file_and_goes_on(
    live: Runtime, anna: Person, target: Target, machine: Machine
) -> None:
    content = await photo(live, anna)
    await back_up(live, target)
    await machine.restore(target, brought=live.settings.key_file)
    assert list((await machine.contents()).values()) == [content]
    # As if nothing happened: the next ids are free.
    assert await machine.one("INSERT INTO audit_entry (action, details) VALUES ('x', '{}') RETURNING id")


async def test_jobs_that_were_under_way_are_there_again(
    live: Runtime, anna: Person, target: Target, machine: Machine
) -> None:
    await photo(live, anna)
    async with live.database.transaction() as session:
        await session.execute(text("UPDATE job SET state = 'running', worker = 'w', lease_until = now()"))
    await back_up(live, target)
    await machine.restore(target, brought=live.settings.key_file)
    there = await machine.one("SELECT string_agg(kind || ' ' || state, ',' ORDER BY kind) FROM job")
    assert there == "ingest.describe ready,integrity.verify ready"


async def test_an_upload_that_was_under_way_goes_on(
    live: Runtime, anna: Person, target: Target, machine: Machine
) -> None:
    content = BYTES.randbytes(1000)
    intake = Intake(live.database, live.vault, live.hashes, LIMITS)
    announced = Announced(UUID(anna.library), len(content), "half.jpg", "image/jpeg")
    writer = await writing.begin(intake, caller_of(anna), announced)
    await finishing.take_in(intake, writer, stream(content[:600]))
    await back_up(live, target)
    restored = await machine.restore(target, brought=live.settings.key_file)
    assert restored.losses == []
    async with machine.database.transaction() as session:
        row = await session.get_one(Upload, writer.upload_id)
        assert (row.state, row.received, row.writing_until) == ("open", 600, None)


async def test_a_store_that_outlived_its_database_is_used_as_it_is(
    live: Runtime, anna: Person, target: Target, machine: Machine
) -> None:
    await photo(live, anna)
    await photo(live, anna)
    await back_up(live, target)
    first, second = await keys_in(live.store)
    await machine.store.put(first, targets.once(await live.store.read(first)))
    await machine.store.put(second, targets.once(flipped(await live.store.read(second))))
    await target.store.delete(f"objects/{first}")
    assert (await machine.restore(target, brought=live.settings.key_file)).losses == []
    assert await machine.contents() == await contents_of(live)


# Deleted stays deleted


async def test_what_was_purged_after_an_old_backup_stays_purged(
    live: Runtime, anna: Person, target: Target, machine: Machine
) -> None:
    await photo(live, anna)
    old = await back_up(live, target)
    (key,) = await purge(live)
    kept = await photo(live, anna)
    await back_up(live, target)
    restored = await machine.restore(target, old.complete.id, brought=live.settings.key_file)
    assert (restored.left_out, restored.assets, restored.losses) == (1, 0, [])
    for table in ("asset", "asset_name", "file", "object"):
        assert await machine.one(f"SELECT count(*) FROM {table}") == 0
    assert await machine.one("SELECT key FROM deletion") == key
    assert await machine.one("SELECT originals FROM usage") == 0
    assert await machine.one("SELECT count(*) FROM tombstone") == 1
    assert await keys_in(machine.store) == []
    assert kept


async def test_a_damaged_list_of_the_deleted_is_said(
    live: Runtime, anna: Person, target: Target, machine: Machine
) -> None:
    await photo(live, anna)
    old = await back_up(live, target)
    await purge(live)
    newer = await back_up(live, target)
    await exchange(target.store, targets.place(newer.complete.id, "tombstones"), lambda content: content[:-5])
    restored = await machine.restore(target, old.complete.id, brought=live.settings.key_file)
    assert restored.left_out == 0
    assert len(restored.warnings) == 1
    assert "may be back" in restored.warnings[0]


# Losses


@pytest.mark.parametrize("how", ["flipped", "missing", "cut"])
async def test_a_damaged_object_is_a_loss_by_name(
    live: Runtime, anna: Person, target: Target, machine: Machine, how: str
) -> None:
    await upload(live, caller_of(anna), anna.library, BYTES.randbytes(500), "kept.jpg")
    lost = await upload(live, caller_of(anna), anna.library, BYTES.randbytes(600), "lost.jpg")
    made = await back_up(live, target)
    async with live.database.transaction() as session:
        key = await session.scalar(
            text("SELECT object.key FROM object JOIN asset ON original_id = file_id WHERE asset.name = 'lost.jpg'")
        )
    if how == "missing":
        await target.store.delete(f"objects/{key}")
    else:
        await exchange(target.store, f"objects/{key}", flipped if how == "flipped" else lambda content: content[:-1])
    restored = await machine.restore(target, brought=live.settings.key_file)
    (loss,) = restored.losses
    assert (loss.what, loss.name, loss.asset_id, loss.trashed) == ("original", "lost.jpg", lost.asset_id, False)
    assert (loss.library, str(loss.library_id)) == ("anna", anna.library)
    assert made.complete.id in loss.reason
    assert await machine.one("SELECT count(*) FROM object WHERE damage IS NOT NULL") == 1
    assert (restored.assets, restored.objects) == (2, 1)
    assert key not in await keys_in(machine.store)


async def test_what_the_backup_lacked_is_a_loss_with_its_reason(
    live: Runtime, anna: Person, target: Target, machine: Machine
) -> None:
    await photo(live, anna)
    (key,) = await keys_in(live.store)
    await live.store.delete(key)
    await back_up(live, target)
    restored = await machine.restore(target, brought=live.settings.key_file)
    assert [loss.reason.split(": ")[1] for loss in restored.losses] == [f"no object {key}"]


async def test_a_truncated_manifest_loses_nothing_and_is_said(
    live: Runtime, anna: Person, target: Target, machine: Machine
) -> None:
    await photo(live, anna)
    made = await back_up(live, target)
    await exchange(target.store, targets.place(made.complete.id, "manifest"), lambda content: content[:-20])
    restored = await machine.restore(target, brought=live.settings.key_file)
    assert restored.losses == []
    assert "Nothing is lost by that" in restored.warnings[0]


# Refusals


async def empty(machine: Machine) -> None:
    assert await machine.one("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert await keys_in(machine.store) == []


@pytest.mark.parametrize(
    ("part", "change", "said"),
    [
        ("database/asset", flipped, "database/asset .* is damaged or missing"),
        ("database/account", None, "database/account .* is damaged or missing"),
        ("complete", lambda content: content.replace(b'"rows": 1', b'"rows": 2', 1), "was changed"),
        ("complete", lambda content: content[:-10], "cannot be read"),
        ("complete", None, "is incomplete: it was cut off"),
        ("keys", flipped, "does not open with this recovery code"),
    ],
)
async def test_a_damaged_backup_is_refused_and_an_earlier_one_offered(  # what, how, what is said
    live: Runtime, anna: Person, target: Target, machine: Machine, part: str, change: Any, said: str
) -> None:
    await photo(live, anna)
    earlier, newest = await back_up(live, target), await back_up(live, target)
    place = targets.place(newest.complete.id, part)
    if change is None:
        await target.store.delete(place)
    else:
        await exchange(target.store, place, change)
    with pytest.raises(BackupFailed, match=said) as raised:
        await machine.restore(target, code=await code_of(live))
    assert f"choose one with --backup {earlier.complete.id}" in str(raised.value)
    await empty(machine)
    assert (await machine.restore(target, earlier.complete.id, code=await code_of(live))).losses == []


async def test_wrong_keys_are_refused(
    live: Runtime, anna: Person, target: Target, machine: Machine, tmp_path: Path
) -> None:
    await back_up(live, target)
    code = await code_of(live)
    wrong = ("0" if code[0] != "0" else "1") + code[1:]
    with pytest.raises(BackupFailed, match="does not open with this recovery code"):
        await machine.restore(target, code=wrong)
    with pytest.raises(Invalid, match="not a recovery code"):
        await machine.restore(target, code="ABCD")
    with pytest.raises(StartRefused, match=r"no root key file .*--recovery-code"):
        await machine.restore(target)
    other = tmp_path / "other.key"
    other.write_text(keyring.new_line())
    with pytest.raises(BackupFailed, match="does not open with this root key file"):
        await machine.restore(target, brought=other)
    assert not machine.keys.key_file.exists()
    machine.keys.key_file.parent.mkdir()
    machine.keys.key_file.write_text(other.read_text())
    with pytest.raises(StartRefused, match="holds another root key than the one given"):
        await machine.restore(target, code=code)
    assert machine.keys.key_file.read_text() == other.read_text()
    await empty(machine)


async def test_a_database_that_is_not_empty_is_refused(live: Runtime, target: Target, machine: Machine) -> None:
    await back_up(live, target)
    async with machine.database.transaction() as session:
        await session.execute(text("CREATE TABLE somebodys (id int)"))
    with pytest.raises(StartRefused, match="The database is not empty"):
        await machine.restore(target, brought=live.settings.key_file)


async def test_what_is_not_there_is_said(live: Runtime, target: Target, machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="There is no backup in memory"):
        await machine.restore(target, brought=live.settings.key_file)
    made = await back_up(live, target)
    with pytest.raises(BackupFailed, match=f"no backup 20200101t000000z .*--backup {made.complete.id}"):
        await machine.restore(target, "20200101t000000z", brought=live.settings.key_file)
    with pytest.raises(Invalid, match="There is no folder"):
        async with targets.opened(str(tmp_path / "nowhere"), must_exist=True):
            pass
    assert not (tmp_path / "nowhere").exists()


async def test_a_backup_of_a_newer_version_is_refused(
    live: Runtime, target: Target, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await back_up(live, target)
    newer = replace(made.complete, revision="9999", program="99.0")
    with pytest.raises(StartRefused, match=r"made by Tagphoto 99\.0, which is newer"):
        restoring._require_known(newer)


# Interrupted anywhere


@pytest.mark.parametrize(("place", "step"), [("target", 3), ("store", 1)])
async def test_a_restore_cut_off_anywhere_is_gone_on_with(
    live: Runtime, anna: Person, target: Target, cluster: Cluster, tmp_path: Path, place: str, step: int
) -> None:
    for _ in range(3):
        await photo(live, anna)
    await back_up(live, target)
    content = await contents_of(live)
    k, done = 0, False
    while not done:
        k += step
        name = f"restored{next(NUMBERS)}"
        await cluster.execute(f"CREATE DATABASE {name}")
        again = Machine(cluster.dsn(name), tmp_path / name)
        for cut in (k, k, None):
            failing = Failing(target.store if place == "target" else again.store, cut or 10**9)
            source = Target(failing, "memory") if place == "target" else target
            again.places = replace(again.places, store=again.store if place == "target" else failing)
            try:
                await again.restore(source, brought=live.settings.key_file)
            except BackupFailed:
                assert cut is not None
            else:
                done = failing.left > 0 and cut == k
                break
        assert await again.contents() == content
        assert await again.one("SELECT state FROM backup") == "verified"
        await again.database.close()
        await cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert k > (20 if place == "target" else 6)


# A stranger


def test_the_format_page_and_this_agree() -> None:
    page = (Path(__file__).parents[1] / "docs" / "storage-format.md").read_text()
    for words in ("tagphoto/backup/1", "tagphoto/backup-key/1", "tagphoto/recovery/1", "tagphoto/backup-complete/1"):
        assert words in page


async def test_a_stranger_reads_a_table_and_a_photo_with_the_paper_alone(
    live: Runtime, anna: Person, tmp_path: Path
) -> None:
    """Written from the two format pages, with docs/decoder.py and no code of ours."""
    content = await photo(live, anna, 40_000)
    store = LocalStore(tmp_path / "t")
    made = await back_up(live, Target(store, "folder"))
    await store.close()
    code = (await code_of(live)).replace("-", "")
    folder, backup_id = tmp_path / "t", made.complete.id
    here = folder / "backups" / backup_id

    def hkdf(key: bytes, info: str) -> bytes:
        return HKDF(SHA256(), length=32, salt=None, info=info.encode()).derive(key)

    def unwrapped(key: bytes, context: bytes, wrapped: bytes) -> bytes:
        return AESGCM(key).decrypt(wrapped[:12], wrapped[12:], context)

    recovered = hkdf(code.encode(), "tagphoto/recovery/1")
    import base64

    key_file = _decoded(recovered, b"tagphoto/recovery/1" + backup_id.encode(), here / "keys")
    root = base64.b64decode(key_file.split()[1])
    complete = json.loads((here / "complete").read_text())
    wrapped = bytes.fromhex(complete["wrapped_key"])
    key = unwrapped(hkdf(root, "tagphoto/1/backup"), b"tagphoto/backup-key/1" + backup_id.encode(), wrapped)
    signed = json.dumps(complete | {"mac": ""}, sort_keys=True, separators=(",", ":")).encode()
    assert hmac.digest(hkdf(key, "tagphoto/backup-complete/1"), signed, "sha256").hex() == complete["mac"]

    def table(name: str) -> list[dict[str, str]]:
        import csv
        import io

        context = f"tagphoto/backup/1{backup_id}/{name}".encode()
        plain = _decoded(key, context, here / "database" / name).decode()
        return list(csv.DictReader(io.StringIO(plain)))

    def raw(value: str) -> bytes:
        return bytes.fromhex(value.removeprefix("\\x"))

    (asset,), (file,), (piece,) = table("asset"), table("file"), table("object")
    library = UUID(file["library_id"]).bytes
    (library_key,) = [row for row in table("library_key") if row["purpose"] == "content"]
    content_key = unwrapped(
        hkdf(root, "tagphoto/1/library-keys"),
        b"tagphoto/library-key/1" + library + b"\1" + int(library_key["version"]).to_bytes(4, "big"),
        raw(library_key["wrapped"]),
    )
    bound = library + UUID(file["id"]).bytes + b"\1" + int(file["generation"]).to_bytes(4, "big")
    size, objects = int(file["size"]).to_bytes(8, "big"), int(file["objects"]).to_bytes(4, "big")
    version = int(file["key_version"]).to_bytes(4, "big")
    file_key = unwrapped(
        content_key, b"tagphoto/file-key/1" + bound + version + b"\1" + size + objects, raw(file["wrapped"])
    )
    original = _decoded(file_key[:32], b"tagphoto/object/1" + bound + bytes(8), folder / "objects" / piece["key"])
    assert (original, asset["name"]) == (content, "photo.jpg")


def _decoded(key: bytes, context: bytes, file: Path) -> bytes:
    import subprocess
    import sys

    decoder = Path(__file__).parents[1] / "docs" / "decoder.py"
    return subprocess.run(
        [sys.executable, decoder, key.hex(), context.hex(), file], capture_output=True, check=True
    ).stdout
