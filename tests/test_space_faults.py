"""Forms and faults: lying decoders, damage, a process that dies at any act. The bytes are right, or it is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from archive.errors import Damaged
from archive.forms import given, giving
from archive.forms.giving import Giver
from archive.models import Backup, Deletion, File, Form, Job, Object
from archive.queue import kinds
from archive.runtime import Runtime
from archive.space import mending, packing, recompressing, retiring
from archive.usage import service as usage
from storage.memory import MemoryStore
from tests.conftest import MakePerson
from tests.support import photos, space
from tests.support.lying import TWISTS, Liar
from tests.support.people import Person

JPEG = photos.saved(photos.scene(600, 400), "JPEG", quality=92) + b"tail" * 500
LARGE = photos.saved(photos.scene(2000, 1500), "TIFF")


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture(scope="module")
async def liar() -> AsyncIterator[Liar]:
    async with Liar() as made:
        yield made


@pytest.fixture
def live(app: FastAPI, anna: Person, liar: Liar) -> Runtime:
    """An archive whose decoders can be told to lie."""
    liar.way = None
    app.state.runtime = replace(app.state.runtime, sandbox=liar, giver=Giver(app.state.runtime.vault, liar))
    return app.state.runtime  # type: ignore[no-any-return]


async def sent(anna: Person, live: Runtime, content: bytes = JPEG) -> str:
    asset_id = await space.send(anna, content)
    await space.described(live)
    return asset_id


async def exact(anna: Person, live: Runtime, content: bytes = JPEG, *, alone: bool = False) -> str:
    """Have an asset in its exact form; ``alone`` says that the received file is gone."""
    asset_id = await sent(anna, live, content)
    await space.recompress(live)
    if alone:
        await space.verified(live)
        await space.days_pass(live)
        assert await space.retire(live) == 1
    return asset_id


async def jobs(live: Runtime, kind: kinds.Kind) -> int:
    async with live.database.transaction() as session:
        waiting = select(func.count()).where(Job.kind == kind.name, Job.state == "ready")
        return await session.scalar(waiting) or 0


async def known_keys(live: Runtime) -> set[str]:
    async with live.database.transaction() as session:
        return set(await session.scalars(select(Object.key))) | set(await session.scalars(select(Deletion.key)))


@pytest.mark.parametrize("way", TWISTS)
async def test_a_lying_decoder_never_gets_a_form_kept(anna: Person, live: Runtime, liar: Liar, way: str) -> None:
    asset_id = await sent(anna, live)
    liar.way = way
    await space.recompress(live)
    found = await space.outcome(live, asset_id)
    assert found.state == "refused"
    assert "did not pass its proof" in (found.reason or "")
    assert (await space.kept(live, asset_id))[1].kind == "original"
    assert (await anna.get(f"/assets/{asset_id}/original")).content == JPEG
    assert {stat.key async for stat in live.store.list("o/")} == await known_keys(live)


@pytest.mark.parametrize("way", TWISTS)
async def test_a_lying_decoder_is_caught_at_every_download(anna: Person, live: Runtime, liar: Liar, way: str) -> None:
    asset_id = await exact(anna, live)
    liar.way = way
    assert (await anna.get(f"/assets/{asset_id}/original")).content == JPEG, "from the former"
    assert await jobs(live, kinds.PROVE) == 1
    liar.way = None
    await space.settled(live)
    assert (await space.kept(live, asset_id))[1].kind == "exact", "it was the moment's fault"


@pytest.mark.parametrize("way", TWISTS)
async def test_without_a_former_a_lie_is_a_loud_failure(anna: Person, live: Runtime, liar: Liar, way: str) -> None:
    asset_id = await exact(anna, live, alone=True)
    liar.way = way
    answer = await anna.get(f"/assets/{asset_id}/original")
    assert answer.status_code == 500
    assert answer.json()["type"].endswith("damaged")
    part = await anna.http.get(f"/api/v1/assets/{asset_id}/original", headers={"Range": "bytes=10-20"})
    assert part.status_code == 500
    liar.way = None
    assert (await anna.get(f"/assets/{asset_id}/original")).content == JPEG


async def test_a_lie_in_the_middle_of_a_large_file_breaks_the_stream(
    anna: Person, live: Runtime, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving, "_BATCH", 4 << 20)
    asset_id = await exact(anna, live, LARGE, alone=True)
    async with live.database.transaction() as session:
        found = await given.of(session, live.vault.keys, (await space.kept(live, asset_id))[0])
    received = bytearray()
    with pytest.raises(Damaged):
        async for piece in giving.read(live.giver, found):
            received += piece
            liar.way = "middle"
    assert len(received) == 4 << 20
    assert LARGE.startswith(received), "what was given before is right"


async def test_a_form_that_gives_other_bytes_is_turned_back(anna: Person, live: Runtime, liar: Liar) -> None:
    asset_id = await exact(anna, live)
    liar.way = "middle"
    await anna.get(f"/assets/{asset_id}/original")
    await space.settled(live)
    asset, file = await space.kept(live, asset_id)
    assert file.kind == "original"
    assert "given up" in ((await space.outcome(live, asset_id)).reason or "")
    assert (await anna.get(f"/assets/{asset_id}/original")).content == JPEG
    async with live.database.transaction() as session:
        counted = await usage.recount(session, asset.library_id)
    shown = (await anna.get(f"/libraries/{anna.library}/usage")).json()
    assert (shown["originals"], shown["renditions"], shown["trash"]) == counted


async def test_without_a_former_it_is_a_finding(anna: Person, live: Runtime, liar: Liar) -> None:
    asset_id = await exact(anna, live, alone=True)
    _, file = await space.kept(live, asset_id)
    liar.way = "last"
    fault = await mending.prove(live.database.transaction, live.giver, file.id)
    assert fault is not None
    async with live.database.transaction() as session:
        damage = await session.scalar(select(Object.damage).where(Object.file_id == file.id))
    assert "not what was received" in (damage or "")
    # Who sends the bytes again mends it.
    liar.way = None
    again = await anna.http.post(f"/api/v1/assets?library={anna.library}&name=x.jpg", content=JPEG)
    assert again.json()["id"] == asset_id
    assert (await space.kept(live, asset_id))[1].kind == "original"
    assert (await anna.get(f"/assets/{asset_id}/original")).content == JPEG
    await space.settled(live)
    await space.recompress(live)
    assert (await space.kept(live, asset_id))[1].kind == "exact"


async def test_a_former_stays_while_its_form_cannot_be_proven(anna: Person, live: Runtime, liar: Liar) -> None:
    asset_id = await exact(anna, live)
    await space.verified(live)
    await space.days_pass(live)
    liar.way = "first"
    assert await space.retire(live) == 0
    assert await space.forms(live, asset_id) == [("exact", False, False), ("received", True, False)]
    assert await jobs(live, kinds.PROVE) == 1


async def test_a_former_waits_for_scrub_mirror_and_backup(anna: Person, live: Runtime) -> None:
    await exact(anna, live)
    await space.days_pass(live)
    async with live.database.transaction() as session:
        # Verified, but before the turn: that was no scrub of the new form.
        await session.execute(update(Object).values(verified_at=func.now() - func.make_interval(0, 0, 0, 1)))
    assert await space.retire(live) == 0
    await space.verified(live)
    mirrored = retiring.Safety(mirrored=True, backups=None)
    assert await space.retire(live, mirrored) == 0
    async with live.database.transaction() as session:
        await session.execute(update(Object).values(mirrored_at=func.now()))
    backed_up = retiring.Safety(mirrored=True, backups="file:///b")
    assert await space.retire(live, backed_up) == 0
    too_early, elsewhere = ("verified", "file:///b", 0), ("verified", "file:///c", 2)
    for state, target, hours in (too_early, elsewhere, ("damaged", "file:///b", 2)):
        async with live.database.transaction() as session:
            started = func.now() + func.make_interval(0, 0, 0, 0, hours)
            session.add(Backup(id=f"b{state}{target[-1]}{hours}", target=target, state=state, started_at=started))
        assert await space.retire(live, backed_up) == 0, (state, target, hours)
    async with live.database.transaction() as session:
        later = func.now() + func.make_interval(0, 0, 0, 0, 2)
        session.add(Backup(id="good", target="file:///b", state="verified", started_at=later))
    assert await space.retire(live, backed_up) == 1


async def test_damage_of_an_exact_form_is_answered_by_the_former(anna: Person, live: Runtime) -> None:
    asset_id = await exact(anna, live)
    _, file = await space.kept(live, asset_id)
    store = live.store
    assert isinstance(store, MemoryStore)
    async with live.database.transaction() as session:
        key = await session.scalar(select(Object.key).where(Object.file_id == file.id))
    whole = store._objects[key or ""]
    for place in (0, 60, len(whole) // 2, len(whole) - 1):
        store._objects[key or ""] = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        assert (await anna.get(f"/assets/{asset_id}/original")).content == JPEG
    del store._objects[key or ""]
    assert (await anna.get(f"/assets/{asset_id}/original")).content == JPEG


async def test_a_database_that_calls_an_exact_form_an_original_opens_nothing(anna: Person, live: Runtime) -> None:
    asset_id = await exact(anna, live, alone=True)
    async with live.database.transaction() as session:
        await session.execute(update(File).where(File.kind == "exact").values(kind="original"))
    assert (await anna.get(f"/assets/{asset_id}/original")).status_code == 500


async def test_an_asset_that_ends_its_worker_is_left_alone(anna: Person, live: Runtime) -> None:
    asset_id = await sent(anna, live)
    for _ in range(3):
        await space.hours_pass(live)
        async with live.database.transaction() as session:
            # As far as a worker comes that is killed at its work.
            await recompressing._take(session, live.giver, space.RULES, UUID(asset_id))
    await space.recompress(live)
    found = await space.outcome(live, asset_id)
    assert (found.state, found.attempts) == ("refused", 3)
    assert "three times" in (found.reason or "")


async def test_a_purge_meanwhile_leaves_nothing(anna: Person, live: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    asset_id = await sent(anna, live)
    packed = packing.pack

    async def purged_meanwhile(*arguments: Any) -> Any:
        made = await packed(*arguments)
        await anna.delete(f"/assets/{asset_id}")
        assert (await anna.post("/assets/purge", {"ids": [asset_id]})).status_code == 204
        return made

    monkeypatch.setattr("archive.space.recompressing.pack", purged_meanwhile)
    await space.recompress(live)
    async with live.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(File)) == 0
        assert await session.scalar(select(func.count()).select_from(Form)) == 0
    assert {stat.key async for stat in live.store.list("o/")} == await known_keys(live)
