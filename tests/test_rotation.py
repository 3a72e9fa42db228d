"""Keys are exchanged for new ones: at every moment everything opens, nothing is written anew, no key is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from api.cli import commands
from archive import installation, keyring, log
from archive.accounts import second_factor, totp
from archive.db import Database, create_engine
from archive.errors import Conflict, Damaged, Invalid, StartRefused, TagphotoError
from archive.keyring import Keyring
from archive.models import Account, Asset, File, Installation, LibraryKey
from archive.rotation import library, listing, root
from archive.rotation.source import KeySource
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings
from archive.uploads import finishing, writing
from archive.uploads.service import Announced, Intake
from archive.uploads.writing import Writer
from archive.vault import files, reading
from archive.vault.contexts import Binding
from archive.vault.files import Secret
from archive.vault.keys import LibraryKeys
from storage.memory import MemoryStore
from tests.support.uploading import LIMITS, stream
from tests.test_integrity import Owner, command, environment, execute, read_back

random.seed(4)
Rotate = Callable[[Database], Awaitable[object]]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def runtime(settings: Settings, addresses: Addresses, store: MemoryStore) -> AsyncIterator[Runtime]:
    async with open_runtime(settings, addresses, pool_size=5, store=store) as opened:
        yield opened


@pytest.fixture
async def anna(runtime: Runtime) -> Owner:
    return await Owner.make(runtime)


@pytest.fixture
def source(settings: Settings) -> KeySource:
    return KeySource(settings.key_file, None)


@asynccontextmanager
async def another(addresses: Addresses) -> AsyncIterator[Database]:
    """A database as another process has it."""
    database = Database(create_engine(addresses.database, pool_size=2))
    yield database
    await database.close()


async def restarted(runtime: Runtime, source: KeySource) -> LibraryKeys:
    """The keys as a process has them that was started now: with the file as it is, and nothing remembered."""
    return LibraryKeys(await installation.prepare(runtime.database, source.file))


async def contents(runtime: Runtime, keys: LibraryKeys | None = None) -> list[bytes]:
    """Every asset's bytes, in the order they came."""
    async with runtime.database.transaction() as session:
        rows = list(await session.scalars(select(Asset).order_by(Asset.id)))
        kept = [await session.get_one(File, row.original_id) for row in rows]
        plans = [await reading.plan(session, keys or runtime.vault.keys, file) for file in kept]
    return [b"".join([piece async for piece in reading.read(runtime.vault.stores, plan)]) for plan in plans]


SECRETS = [bytes([number]) * 20 for number in range(3)]


async def seal_everything(runtime: Runtime, anna: Owner) -> list[bytes]:
    """Something under every purpose: originals of two libraries, an upload under way, second factors, the code."""
    boris = await Owner.make(runtime, "boris@example.org")
    made = [random.randbytes(1000 + number) for number in range(4)]
    for number, content in enumerate(made):
        await [anna, boris][number % 2].upload(runtime, content)
    await begin_upload(runtime, anna, b"half")
    async with runtime.database.transaction() as session:
        third = Account(email="carla@example.org", name="carla")
        session.add(third)
        await session.flush()
        for account, secret in zip(await session.scalars(select(Account).order_by(Account.id)), SECRETS, strict=True):
            account.totp_sealed = runtime.keyring.seal("totp", account.id.bytes, secret)
        row = await session.get_one(Installation, 1)
        row.recovery_sealed = runtime.keyring.seal("recovery", b"installation", b"the code")
    return made


def intake(runtime: Runtime) -> Intake:
    return Intake(runtime.database, runtime.vault, runtime.hashes, LIMITS)


async def begin_upload(runtime: Runtime, anna: Owner, content: bytes) -> Writer:
    """Upload the first half of a film."""
    announced = Announced(UUID(anna.library), 2 * len(content), "film.mp4", "video/mp4")
    writer = await writing.begin(intake(runtime), anna.caller, announced)
    await writing.receive(intake(runtime), writer, stream(content))
    await writing.let_go(runtime.database, writer)
    return writer


async def everything_opens(runtime: Runtime, keys: Keyring, expected: list[bytes]) -> None:
    """With this keyring, as a process has it that has nothing remembered."""
    opener = LibraryKeys(keys)
    assert await contents(runtime, opener) == expected
    async with runtime.database.transaction() as session:
        for file in await session.scalars(select(File)):
            await files.secret_of(session, opener, file)
        rows = await session.scalars(select(Account).where(Account.totp_sealed.is_not(None)).order_by(Account.id))
        assert [keys.open("totp", row.id.bytes, row.totp_sealed or b"") for row in rows] == SECRETS
        row = await session.get_one(Installation, 1)
        assert keys.open("recovery", b"installation", row.recovery_sealed or b"") == b"the code"


async def listed(runtime: Runtime, source: KeySource) -> dict[str, Any]:
    async with runtime.database.transaction() as session:
        return await listing.listing(session, source)


async def versions(runtime: Runtime, anna: Owner) -> list[int]:
    async with runtime.database.transaction() as session:
        found = select(LibraryKey.version).where(LibraryKey.library_id == UUID(anna.library))
        return list(await session.scalars(found.where(LibraryKey.purpose == "content").order_by(LibraryKey.version)))


# The root key


async def test_everything_is_under_the_new_root_key_and_nothing_is_written_anew(
    runtime: Runtime, anna: Owner, source: KeySource, store: MemoryStore
) -> None:
    made = await seal_everything(runtime, anna)
    before, (old,) = dict(store._objects), source.read().ids
    rotated = await root.rotate(runtime.database, source)
    assert rotated.is_new
    assert (rotated.library_keys, rotated.second_factors, rotated.recovery_code) == (4, 3, True)
    keys = source.read()
    assert keys.ids == [rotated.root, old]
    shown = await listed(runtime, source)
    assert shown["complete"]
    assert shown["roots"] == [
        {
            "id": rotated.root.hex(),
            "here": True,
            "present": True,
            "library_keys": 4,
            "second_factors": 3,
            "recovery_code": 1,
        },
        {"id": old.hex(), "here": True, "present": False, "library_keys": 0, "second_factors": 0, "recovery_code": 0},
    ]
    assert store._objects == before
    await everything_opens(runtime, runtime.keyring, made)  # the process that began with the old key alone
    await everything_opens(runtime, (await installation.prepare(runtime.database, source.file)), made)
    async with runtime.database.transaction() as session:
        assert (await session.get_one(Installation, 1)).key_check == keys.check


async def test_pages_do_not_matter(
    runtime: Runtime, anna: Owner, source: KeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root, "_PAGE", 1)
    monkeypatch.setattr(library, "_PAGE", 1)
    made = await seal_everything(runtime, anna)
    assert (await root.rotate(runtime.database, source)).second_factors == 3
    for rotated in await library.rotate_all(runtime.database, runtime.vault.keys):
        assert (rotated.version, rotated.destroyed, rotated.kept) == (2, [1], [])
    await everything_opens(runtime, source.read(), made)


class Broken(Exception):
    """What a test breaks a statement or a commit with."""


@contextmanager
def failing_at(database: Database, number: int) -> Iterator[list[int]]:
    """Fail the statement or commit of this number; gives how many there were."""
    count = [0]

    def pass_or_fail(*_: object) -> None:
        count[0] += 1
        if count[0] == number:
            raise Broken

    targets = [(database.engine.sync_engine, "before_cursor_execute"), (Session, "before_commit")]
    for target, name in targets:
        event.listen(target, name, pass_or_fail)
    yield count
    for target, name in targets:
        event.remove(target, name, pass_or_fail)


async def enumerate_faults(
    addresses: Addresses, rotate: Rotate, check: Callable[[], Awaitable[None]], done: Callable[[], Awaitable[None]]
) -> int:
    """Break a rotation at its first statement, look, resume, look; then at its second, and so on to its end."""
    number = 1
    while True:
        async with another(addresses) as database:
            with failing_at(database, number) as count:
                with suppress(Broken):
                    await rotate(database)
                reached = count[0] >= number
            await check()
            await rotate(database)
        await check()
        await done()
        if not reached:
            return number - 1
        number += 1


async def test_a_rotation_of_the_root_key_may_be_cut_off_anywhere(
    runtime: Runtime, addresses: Addresses, anna: Owner, source: KeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root, "_PAGE", 2)
    made = await seal_everything(runtime, anna)

    async def check() -> None:
        await everything_opens(runtime, await installation.prepare(runtime.database, source.file), made)
        await everything_opens(runtime, runtime.keyring, made)

    async def done() -> None:
        shown = await listed(runtime, source)
        assert shown["complete"]
        first, *others = shown["roots"]
        assert first["library_keys"] == 4
        assert all(not (one["library_keys"] or one["second_factors"] or one["recovery_code"]) for one in others)

    faults = await enumerate_faults(addresses, lambda database: root.rotate(database, source), check, done)
    assert faults > 20


async def test_of_two_who_rotate_at_once_nobody_loses_a_key(
    runtime: Runtime, addresses: Addresses, anna: Owner, source: KeySource
) -> None:
    made = await seal_everything(runtime, anna)
    async with another(addresses) as one, another(addresses) as two:
        for _ in range(5):
            await asyncio.gather(root.rotate(one, source), root.rotate(two, source))
            await everything_opens(runtime, await installation.prepare(runtime.database, source.file), made)


async def test_processes_with_the_old_key_go_on(
    runtime: Runtime, settings: Settings, addresses: Addresses, anna: Owner, source: KeySource, store: MemoryStore
) -> None:
    async with open_runtime(settings, addresses, pool_size=2, store=store) as other:
        made = await seal_everything(runtime, anna)
        await root.rotate(runtime.database, source)
        for process in (runtime, other):  # of which the other has opened nothing yet
            assert process.keyring.ids[0] != source.read().present
            await everything_opens(process, process.keyring, made)
            content = random.randbytes(500)
            await anna.upload(process, content)
            made.append(content)
        # What they seal meanwhile they seal under their key, and the next call brings it along.
        carla = await Owner.make(other, "dora@example.org")
        made.append(random.randbytes(500))
        await carla.upload(other, made[-1])
        assert not (await listed(runtime, source))["complete"]
        again = await root.rotate(runtime.database, source)
        assert (again.is_new, again.library_keys) == (False, 2)
        assert (await listed(runtime, source))["complete"]
        for process in (runtime, other):
            assert await contents(process) == made


async def test_a_second_factor_and_a_page_outlive_the_rotation_in_old_and_new_processes(
    runtime: Runtime, anna: Owner, source: KeySource
) -> None:
    async with runtime.database.transaction() as session:
        enrolled = await second_factor.begin(session, runtime.keyring, anna.caller)
    old_token = runtime.keyring.mac("csrf", b"a session")
    await root.rotate(runtime.database, source)
    new = source.read()
    assert new.verify("csrf", b"a session", old_token)
    assert runtime.keyring.verify("csrf", b"a session", new.mac("csrf", b"a session"))
    for keys in (new, runtime.keyring):
        async with runtime.database.transaction() as session:
            account = await session.get_one(Account, anna.caller.account_id)
            secret = keys.open("totp", account.id.bytes, account.totp_sealed or b"")
        assert totp.written(secret) == enrolled.secret


async def test_what_opens_under_no_key_is_told_and_stops_nothing(
    runtime: Runtime, anna: Owner, source: KeySource
) -> None:
    await seal_everything(runtime, anna)
    await execute(runtime, "UPDATE account SET totp_sealed = '\\x00' WHERE email = 'carla@example.org'")
    rotated = await root.rotate(runtime.database, source)
    assert [line.split()[0] for line in rotated.unreadable] == ["second"]
    assert rotated.second_factors == 2
    assert (await root.rotate(runtime.database, source)).is_new


async def test_a_library_key_that_does_not_open_is_not_counted_as_wrapped_anew(
    runtime: Runtime, anna: Owner, source: KeySource
) -> None:
    await seal_everything(runtime, anna)
    changed = "UPDATE library_key SET wrapped = '\\x00' WHERE purpose = 'identity' AND library_id = :library"
    await execute(runtime, changed, library=UUID(anna.library))
    rotated = await root.rotate(runtime.database, source)
    assert (rotated.library_keys, len(rotated.unreadable)) == (3, 1)


def test_the_key_file_is_read_again_only_when_it_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, read = tmp_path / "root.key", list[str]()
    keys = keyring.create(file)
    parse = keyring._parse

    def counting(text: str, where: str) -> list[bytes]:
        read.append(text)
        return parse(text, where)

    monkeypatch.setattr(keyring, "_parse", counting)
    for _ in range(10):
        assert not keys.verify("csrf", b"a session", b"guessed")
    assert read == []
    new = keyring.new_line()
    keyring.replace(file, new + file.read_text())
    code = keyring.given(new, "").mac("csrf", b"a session")
    read.clear()
    for _ in range(10):
        assert keys.verify("csrf", b"a session", code)
        assert not keys.verify("csrf", b"a session", b"guessed")
    assert len(read) == 1
    # Away, and back: it teaches nothing, and breaks nothing.
    file.rename(tmp_path / "away")
    assert not keys.verify("csrf", b"a session", b"guessed")
    later = keyring.new_line()
    keyring.replace(file, later)
    assert keys.verify("csrf", b"a session", keyring.given(later, "").mac("csrf", b"a session"))


async def test_keys_of_the_environment_are_rotated_in_two_calls(
    runtime: Runtime, anna: Owner, source: KeySource, settings: Settings
) -> None:
    made = await seal_everything(runtime, anna)
    lines = source.file.read_text()
    first = await root.rotate(runtime.database, KeySource(source.file, (lines, "TAGPHOTO_ROOT_KEY")))
    assert first.put_first is not None
    assert source.file.read_text() == lines
    await everything_opens(runtime, runtime.keyring, made)
    longer = KeySource(source.file, (first.put_first + "\n" + lines, "TAGPHOTO_ROOT_KEY"))
    second = await root.rotate(runtime.database, longer)
    assert (second.put_first, second.library_keys) == (None, 4)
    await everything_opens(runtime, longer.read(), made)
    await installation.prepare(runtime.database, source.file, longer.given)
    with pytest.raises(StartRefused):
        await installation.prepare(runtime.database, source.file, (lines, "TAGPHOTO_ROOT_KEY"))
    assert await root.drop(runtime.database, longer, longer.read().ids[1]) == 2


async def test_a_new_key_alone_changes_nothing_else(runtime: Runtime, anna: Owner, source: KeySource) -> None:
    await seal_everything(runtime, anna)
    made = await root.rotate(runtime.database, source, only_new=True)
    assert (made.is_new, made.library_keys, len(source.read().ids)) == (True, 0, 2)
    assert (await root.rotate(runtime.database, source, only_new=True)).library_keys == 4


async def test_a_file_of_others_or_without_room_is_not_touched(
    runtime: Runtime, source: KeySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = source.file.read_bytes()
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(Conflict, match="belongs to another user"):
        await root.rotate(runtime.database, source)
    monkeypatch.undo()
    assert source.file.read_bytes() == before
    # A link stays a link: what it leads to is exchanged.
    place = tmp_path / "elsewhere" / "key"
    place.parent.mkdir()
    source.file.rename(place)
    source.file.symlink_to(place)
    await root.rotate(runtime.database, source)
    assert source.file.is_symlink()
    assert place.stat().st_mode & 0o777 == 0o600
    assert len(keyring.load(place).ids) == 2


# Dropping a root key


async def test_a_root_key_is_dropped_once_nothing_needs_it(runtime: Runtime, anna: Owner, source: KeySource) -> None:
    made = await seal_everything(runtime, anna)
    (old,) = source.read().ids
    with pytest.raises(Conflict, match="present root key"):
        await root.drop(runtime.database, source, old)
    with pytest.raises(Invalid, match="no root key"):
        await root.drop(runtime.database, source, b"12345678")
    await root.rotate(runtime.database, source, only_new=True)
    with pytest.raises(Conflict, match=r"4 library keys and 3 second factors and the recovery code and .*check value"):
        await root.drop(runtime.database, source, old)
    await root.rotate(runtime.database, source)
    assert await root.drop(runtime.database, source, old) == 2
    assert old not in source.read().ids
    await everything_opens(runtime, await installation.prepare(runtime.database, source.file), made)


async def test_a_root_key_is_not_dropped_while_processes_run_that_may_seal_under_it(
    runtime: Runtime, settings: Settings, addresses: Addresses, anna: Owner, source: KeySource, store: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (old,) = source.read().ids
    await anna.upload(runtime, b"a")
    monkeypatch.setattr(root, "_TRIES", 1)
    async with open_runtime(settings, addresses, pool_size=2, store=store):
        await root.rotate(runtime.database, source)
        with pytest.raises(Conflict, match="--restarted"):
            await root.drop(runtime.database, source, old)
        assert old in source.read().ids
    monkeypatch.undo()
    async with open_runtime(settings, addresses, pool_size=2, store=store):
        assert await root.drop(runtime.database, source, old, restarted=True) == 2


async def test_a_start_without_a_needed_or_with_a_wrong_key_is_refused(
    runtime: Runtime, anna: Owner, source: KeySource
) -> None:
    await anna.upload(runtime, b"a")
    before = source.file.read_text()
    await root.rotate(runtime.database, source, only_new=True)
    new = source.file.read_text().splitlines()[0]
    header, _, encoded = before.partition(" ")
    # Its first letter: of the last one some bits mean nothing.
    mistyped = f"{header} {'B' if encoded[0] == 'A' else 'A'}{encoded[1:]}"
    for wrong in (new, keyring.new_line(), mistyped):
        source.file.write_text(wrong)
        with pytest.raises(StartRefused, match="root key"):
            await installation.prepare(runtime.database, source.file)
    source.file.write_text(new + "\n" + before)
    await root.rotate(runtime.database, source)
    source.file.write_text(before)
    with pytest.raises(StartRefused, match="not the one"):
        await installation.prepare(runtime.database, source.file)
    source.file.write_text(new)
    await installation.prepare(runtime.database, source.file)


# A library's key


async def test_a_librarys_key_is_exchanged_and_the_old_one_destroyed(
    runtime: Runtime, anna: Owner, source: KeySource, store: MemoryStore
) -> None:
    made = await seal_everything(runtime, anna)
    before = dict(store._objects)
    rotated = await library.rotate(runtime.database, runtime.vault.keys, UUID(anna.library))
    assert (rotated.version, rotated.files, rotated.destroyed) == (2, 3, [1])
    assert (rotated.kept, rotated.unreadable) == ([], [])
    assert await versions(runtime, anna) == [2]
    assert store._objects == before
    await everything_opens(runtime, await installation.prepare(runtime.database, source.file), made)
    again = await anna.upload(runtime, made[0])
    assert again.duplicate  # identities keep their key
    assert (await library.rotate(runtime.database, runtime.vault.keys, UUID(anna.library))).version == 3
    assert len(await library.rotate_all(runtime.database, runtime.vault.keys)) == 2


async def test_an_upload_under_way_goes_on_over_a_rotation(runtime: Runtime, anna: Owner) -> None:
    begun = await begin_upload(runtime, anna, b"a" * 1000)
    await library.rotate(runtime.database, runtime.vault.keys, UUID(anna.library))
    writer = await writing.claim(intake(runtime), anna.caller, begun.upload_id, 1000)
    outcome = await finishing.take_in(intake(runtime), writer, stream(b"b" * 1000))
    assert outcome.asset is not None
    assert await read_back(runtime, outcome.asset.id) == b"a" * 1000 + b"b" * 1000


async def test_a_rotation_of_a_librarys_key_may_be_cut_off_anywhere(
    runtime: Runtime, addresses: Addresses, anna: Owner, source: KeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_PAGE", 1)
    made = await seal_everything(runtime, anna)

    async def rotate(database: Database) -> object:
        return await library.rotate(database, LibraryKeys(runtime.keyring), UUID(anna.library))

    async def check() -> None:
        await everything_opens(runtime, await installation.prepare(runtime.database, source.file), made)
        assert await contents(runtime) == made

    async def done() -> None:
        assert len(await versions(runtime, anna)) == 1

    assert await enumerate_faults(addresses, rotate, check, done) > 30


async def test_uploads_during_rotations_lose_no_key(
    runtime: Runtime, settings: Settings, addresses: Addresses, anna: Owner, source: KeySource, store: MemoryStore
) -> None:
    made: dict[UUID | None, bytes] = {}
    async with open_runtime(settings, addresses, pool_size=5, store=store) as other, another(addresses) as third:
        rotating = True

        async def upload_on(process: Runtime) -> None:
            while rotating:
                content = random.randbytes(random.randint(1, 50_000))
                made[(await anna.upload(process, content)).asset_id] = content

        async def read_on(process: Runtime) -> None:
            while rotating:
                for asset_id, content in list(made.items())[-5:]:
                    assert await read_back(process, asset_id) == content
                await asyncio.sleep(0.01)

        tasks = [asyncio.create_task(upload_on(process)) for process in (runtime, runtime, other, other)]
        tasks += [asyncio.create_task(read_on(process)) for process in (runtime, other)]
        for number in range(12):
            rotated = await library.rotate_all(third, LibraryKeys(source.read()))
            if number % 3 == 0:
                await root.rotate(third, source)
            assert all(not one.unreadable for one in rotated)
        rotating = False
        await asyncio.gather(*tasks)
    assert len(made) > 10
    fresh = await restarted(runtime, source)
    assert sorted(await contents(runtime, fresh)) == sorted(made.values())
    assert len(await versions(runtime, anna)) == 1


async def test_a_file_that_is_being_finished_is_not_rewrapped_behind_the_back_of_its_writer(
    runtime: Runtime, addresses: Addresses, anna: Owner, source: KeySource
) -> None:
    """The writer reads the file; the rotation comes; the writer wraps the key under the version it read."""
    writer = await begin_upload(runtime, anna, b"a" * 1000)
    async with another(addresses) as other:
        async with runtime.database.transaction() as session:
            file = await files.locked(session, writer.binding.file_id)
            rotating = asyncio.create_task(library.rotate(other, LibraryKeys(runtime.keyring), file.library_id))
            while await versions(runtime, anna) == [1]:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)  # it looks for files now and again
            await files.close(session, runtime.vault.keys, file, writer.secret)
        rotated = await rotating
    assert (rotated.files, rotated.destroyed, rotated.unreadable) == (1, [1], [])
    fresh = await restarted(runtime, source)
    async with runtime.database.transaction() as session:
        kept = await session.get_one(File, writer.binding.file_id)
        assert (await files.secret_of(session, fresh, kept)).key == writer.secret.key
        assert (kept.state, kept.key_version) == ("whole", 2)


async def test_a_file_that_is_begun_during_the_rotation_keeps_the_old_key_alive(
    runtime: Runtime, addresses: Addresses, anna: Owner, source: KeySource
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    binding = Binding.new(UUID(anna.library), "rendition")
    secret = Secret()
    async with another(addresses) as other:
        async with runtime.database.transaction() as session:
            await files.begin(session, runtime.vault.keys, binding, secret)
            rotating = asyncio.create_task(library.rotate(other, LibraryKeys(runtime.keyring), binding.library_id))
            while await versions(runtime, anna) == [1]:
                await asyncio.sleep(0.01)
            assert await versions(runtime, anna) == [1, 2]
        rotated = await rotating
    assert (rotated.destroyed, rotated.kept) == ([1], [])
    fresh = await restarted(runtime, source)
    async with runtime.database.transaction() as session:
        kept = await session.get_one(File, binding.file_id)
        assert (await files.secret_of(session, fresh, kept)).key == secret.key


async def test_a_transaction_that_does_not_end_keeps_the_old_key(
    runtime: Runtime, addresses: Addresses, anna: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await anna.upload(runtime, b"a" * 1000)
    monkeypatch.setattr(library, "_PATIENCE", 0.2)
    async with another(addresses) as other:
        async with runtime.database.transaction() as session:
            await session.execute(text("SELECT 1"))
            rotated = await library.rotate(other, LibraryKeys(runtime.keyring), UUID(anna.library))
            assert (rotated.version, rotated.files, rotated.destroyed, rotated.kept) == (2, 1, [], [1])
        rotated = await library.rotate(other, LibraryKeys(runtime.keyring), UUID(anna.library))
    assert (rotated.version, rotated.destroyed, rotated.kept) == (2, [1], [])


async def test_a_file_whose_key_does_not_open_keeps_its_version(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 1000)
    await execute(runtime, "UPDATE file SET size = size + 1")
    await anna.upload(runtime, b"b" * 1000)
    for _ in range(2):
        rotated = await library.rotate(runtime.database, LibraryKeys(runtime.keyring), UUID(anna.library))
        assert (rotated.version, len(rotated.unreadable), rotated.kept, rotated.destroyed) == (2, 1, [1], [])
    await execute(runtime, "UPDATE file SET size = size - 1 WHERE key_version = 1")
    rotated = await library.rotate(runtime.database, LibraryKeys(runtime.keyring), UUID(anna.library))
    assert (rotated.files, rotated.destroyed) == (1, [1])
    assert await contents(runtime) == [b"a" * 1000, b"b" * 1000]


async def test_a_destroyed_version_is_gone(runtime: Runtime, anna: Owner) -> None:
    await anna.upload(runtime, b"a" * 1000)
    async with runtime.database.transaction() as session:
        (row,) = await session.execute(text("SELECT id, wrapped FROM file"))
    await library.rotate(runtime.database, runtime.vault.keys, UUID(anna.library))
    await execute(runtime, "UPDATE file SET key_version = 1, wrapped = :wrapped", wrapped=row.wrapped)
    with pytest.raises(Damaged, match="Version 1"):
        await contents(runtime, LibraryKeys(runtime.keyring))


async def test_a_library_without_a_key_or_that_is_none_is_refused(runtime: Runtime, anna: Owner) -> None:
    with pytest.raises(Invalid, match="no key yet"):
        await library.rotate(runtime.database, runtime.vault.keys, UUID(anna.library))
    with pytest.raises(Invalid, match="does not exist"):
        await library.rotate(runtime.database, runtime.vault.keys, UUID(int=1))
    assert await library.rotate_all(runtime.database, runtime.vault.keys) == []


# The commands


async def test_the_commands_rotate_list_and_drop(
    settings: Settings, addresses: Addresses, source: KeySource, tmp_path: Path
) -> None:
    variables = environment(addresses, tmp_path)
    at = Addresses(addresses.database, addresses.redis, (tmp_path / "store").as_uri())
    async with open_runtime(settings, at, pool_size=2) as runtime:
        anna = await Owner.make(runtime)
        made = [b"a" * 1000]
        await anna.upload(runtime, made[0])
    (old,) = [one["id"] for one in (await command(variables, "keys", "list"))["roots"]]
    assert (await command(variables, "keys", "rotate", "root"))["library_keys"] == 2
    (by_all,) = await command(variables, "keys", "rotate", "library")
    (by_id,) = await command(variables, "keys", "rotate", "library", anna.library)
    assert (by_all["version"], by_id["version"], by_id["destroyed"]) == (2, 3, [2])
    shown = await command(variables, "keys", "list")
    assert [one["present"] for one in shown["roots"]] == [True, False]
    assert [(key["purpose"], key["version"], key.get("files")) for key in shown["libraries"][0]["keys"]] == [
        ("content", 3, 1), ("identity", 1, None)
    ]  # fmt: skip
    assert (await command(variables, "keys", "drop", old))["dropped"] == old
    assert len(source.read().ids) == 1
    with pytest.raises(TagphotoError, match="no root key"):
        await command(variables, "keys", "drop", old)
    code = await command(variables, "keys", "recovery-code")
    assert code == await command(variables, "keys", "recovery-code")
    assert len(code["recovery_code"]) > 30
    given = source.file.read_text()
    told = await command(variables | {"TAGPHOTO_ROOT_KEY": given}, "keys", "rotate", "root")
    assert told["put_first"].startswith("tagphoto-root-key-1 ")
    assert "TAGPHOTO_ROOT_KEY" in told["next"]
    async with open_runtime(settings, at, pool_size=2) as runtime:
        assert await contents(runtime) == made


async def test_the_doctor_knows_several_keys_keys_of_the_environment_and_the_mirror(
    settings: Settings, addresses: Addresses, source: KeySource, tmp_path: Path
) -> None:
    variables = environment(addresses, tmp_path)
    store, mirror = str(variables["TAGPHOTO_STORE_URL"]), (tmp_path / "mirror").as_uri()

    async def said(**more: str) -> dict[str, str]:
        result = await asyncio.to_thread(CliRunner().invoke, commands, ["doctor"], env=variables | more)
        lines = [line for line in result.output.splitlines() if line[:5].strip()]
        return {line[6:20].strip(): f"{line[:5].strip()} {line[21:]}" for line in lines}

    line, other = keyring.new_line(), keyring.new_line()
    source.file.write_text(line)
    source.file.chmod(0o600)
    found = await said()
    assert found["root key"].startswith("ok ")
    assert found["mirror"].startswith("note none")
    source.file.write_text(other + line)
    found = await said(TAGPHOTO_MIRROR_URL=mirror)
    assert found["root key"].startswith("note ")
    assert f"{source.read().present.hex()}, and 1 from before" in found["root key"]
    assert found["mirror"].startswith("ok ")
    found = await said(TAGPHOTO_MIRROR_URL=store, TAGPHOTO_ROOT_KEY=line)
    assert found["root key"].startswith("ok TAGPHOTO_ROOT_KEY: ")
    assert found["mirror"].startswith("bad ")
    (tmp_path / "file").touch()
    found = await said(TAGPHOTO_MIRROR_URL=(tmp_path / "file").as_uri(), TAGPHOTO_ROOT_KEY="nonsense")
    assert found["root key"].startswith("bad TAGPHOTO_ROOT_KEY")
    assert found["mirror"].startswith("bad ")
    assert line.split()[1] not in str(found)
    log.configure("error")
