"""Files under lock and key: what is written comes back, and nothing else ever does."""

from __future__ import annotations

import hashlib
import random
from uuid import UUID

import pytest
from sqlalchemy import select, text

from archive.errors import Damaged
from archive.models import Asset, File, Object
from archive.runtime import Runtime
from archive.vault import reading
from archive.vault.files import OBJECT_BYTES
from archive.vault.keys import LibraryKeys
from tests.conftest import MakePerson
from tests.support.people import Person
from tests.support.uploading import caller_of, upload

random.seed(1)
SIZES = [0, 1, 16384, OBJECT_BYTES - 1, OBJECT_BYTES, OBJECT_BYTES + 1]


async def read_back(runtime: Runtime, asset_id: UUID | None, start: int = 0, length: int | None = None) -> bytes:
    async with runtime.database.transaction() as session:
        asset = await session.get_one(Asset, asset_id)
        plan = await reading.plan(session, runtime.vault.keys, await session.get_one(File, asset.original_id))
    return b"".join([piece async for piece in reading.read(runtime.vault.stores, plan, start, length)])


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: object, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_uploaded_comes_back(live: Runtime, anna: Person, size: int) -> None:
    content = random.randbytes(size)
    made = await upload(live, caller_of(anna), anna.library, content)
    assert made.state == "finished"
    assert await read_back(live, made.asset_id) == content


async def test_any_range_comes_back(live: Runtime, anna: Person) -> None:
    content = random.randbytes(OBJECT_BYTES + 100_000)
    made = await upload(live, caller_of(anna), anna.library, content)
    for start, length in [(0, 1), (OBJECT_BYTES - 10, 20), (OBJECT_BYTES, None), (5, OBJECT_BYTES), (len(content), 1)]:
        end = None if length is None else start + length
        assert await read_back(live, made.asset_id, start, length) == content[start:end]


async def test_the_hashes_are_behind_the_key_only(live: Runtime, anna: Person) -> None:
    content = random.randbytes(100)
    await upload(live, caller_of(anna), anna.library, content, "secret-name.jpg")
    plain = [hashlib.sha256(content).digest(), hashlib.sha1(content).digest()]  # what must not be there
    async with live.database.transaction() as session:
        rows = [
            str(row)
            for table in ("file", "object", "asset", "upload")
            for row in await session.execute(text(f"SELECT * FROM {table}"))
        ]
    for digest in plain:
        assert not any(digest.hex() in row or repr(digest)[2:-1] in row for row in rows)
    keys = [found.key async for found in live.store.list()]
    assert all(key.startswith("o/") and "secret" not in key and anna.library not in key for key in keys)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE file SET size = size - 1",
        "UPDATE file SET objects = objects - 1",
        "UPDATE file SET generation = 2",
        "UPDATE file SET kind = 'rendition'",
        "UPDATE file SET state = 'filling'",
        "UPDATE object SET size = size - 1 WHERE start > 0",
        "DELETE FROM object WHERE start > 0",
        "UPDATE object SET key = CASE start WHEN 0 THEN 'o/00/a' ELSE 'o/00/b' END",
    ],
)
async def test_a_row_that_was_changed_is_found_out(live: Runtime, anna: Person, change: str) -> None:
    made = await upload(live, caller_of(anna), anna.library, random.randbytes(OBJECT_BYTES + 1000))
    async with live.database.transaction() as session:
        await session.execute(text(change))
    with pytest.raises(Damaged, match=r"backup|second copy"):
        await read_back(live, made.asset_id)


@pytest.mark.parametrize("purpose", ["content", "identity"])
async def test_a_key_that_was_never_committed_is_forgotten(live: Runtime, anna: Person, purpose: str) -> None:
    with pytest.raises(RuntimeError, match="cut off"):
        async with live.database.transaction() as session:
            _, lost = await live.vault.keys.newest(session, UUID(anna.library), purpose)
            raise RuntimeError("cut off")
    async with live.database.transaction() as session:
        _, kept = await live.vault.keys.newest(session, UUID(anna.library), purpose)
    async with live.database.transaction() as session:
        _, again = await LibraryKeys(live.keyring).newest(session, UUID(anna.library), purpose)
    assert kept == again != lost


async def test_one_files_objects_do_not_open_as_anothers(live: Runtime, anna: Person) -> None:
    first = await upload(live, caller_of(anna), anna.library, b"a" * 1000)
    second = await upload(live, caller_of(anna), anna.library, b"b" * 1000)
    async with live.database.transaction() as session:
        one, two = [(await session.get_one(Asset, made.asset_id)).original_id for made in (first, second)]
        keys = {row.file_id: row.key for row in await session.scalars(select(Object))}
        await session.execute(text("UPDATE object SET key = 'o/00/x' WHERE file_id = :id"), {"id": one})
        await session.execute(text("UPDATE object SET key = :key WHERE file_id = :id"), {"id": two, "key": keys[one]})
    with pytest.raises(Damaged):
        await read_back(live, second.asset_id)
