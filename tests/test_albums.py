"""Albums: what is in them, in which order; covers, pages, zips; who may do what."""

from __future__ import annotations

import asyncio
import io
import random
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import event, func, text

from archive.runtime import Runtime
from tests.conftest import MakePerson
from tests.support.looking import DAY, alter, plant, render
from tests.support.people import Person, code_of
from tests.test_assets import keep


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


async def album(person: Person, *assets: str, **more: Any) -> str:
    body = {"library_id": person.library, "name": "Race", "asset_ids": assets} | more
    answer = await person.post("/albums", body)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def order(person: Person, album_id: str, limit: int = 1000) -> list[str]:
    seen: list[str] = []
    cursor = None
    while True:
        asked: dict[str, Any] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await person.get(f"/albums/{album_id}/assets", params=asked)
        assert answer.status_code == 200, answer.text
        seen += [item["id"] for item in answer.json()["items"]]
        if (cursor := answer.json()["next"]) is None:
            return seen


async def shown(person: Person, album_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await person.get(f"/albums/{album_id}")).json()
    return found


async def test_purging_a_cover_waits_for_who_changes_its_album(anna: Person, live: Runtime) -> None:
    """Both lock the album first: whoever locked the asset first would wait for the other for ever."""
    cover = (await keep(anna))["id"]
    one = await album(anna, cover)
    await anna.patch(f"/albums/{one}", {"cover_id": cover})
    await anna.post("/assets/trash", {"ids": [cover]})
    async with live.database.transaction() as session:
        await session.execute(text("SELECT 1 FROM album FOR NO KEY UPDATE"))
        purged = asyncio.ensure_future(anna.post("/assets/purge", {"ids": [cover]}))
        while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            await session.execute(text("SELECT 1 FROM asset FOR KEY SHARE NOWAIT"))
    assert (await purged).status_code == 204
    assert (await shown(anna, one))["cover"] is None


async def test_an_album_says_how_much_it_has_and_from_when(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, {}, {"taken_at": DAY + timedelta(days=2)}, {"archived": True})
    empty, full = await album(anna, name="Empty"), await album(anna, *made, description="of May")
    found = {item["id"]: item for item in (await anna.get("/albums", params={"library": anna.library})).json()["items"]}
    assert found[full] == await shown(anna, full)
    assert (found[full]["count"], found[full]["description"]) == (3, "of May")
    assert (found[full]["from"], found[full]["to"]) == ("2024-05-01T12:00:00.000", "2024-05-03T12:00:00.000")
    assert [found[empty][name] for name in ("count", "from", "to", "cover")] == [0, None, None, None]
    await anna.post("/assets/trash", {"ids": [made[1]]})
    assert (await shown(anna, full))["count"] == 2
    assert made[1] not in await order(anna, full)
    await anna.post("/assets/restore", {"ids": [made[1]]})
    assert (await shown(anna, full))["count"] == 3
    assert [item["name"] for item in (await anna.get(f"/assets/{made[0]}")).json()["albums"]] == ["Race"]


async def test_the_cover_is_the_chosen_one_or_the_first(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, *({"taken_at": DAY + timedelta(days=day)} for day in range(3)))
    for asset in made:
        await render(live, anna.library, asset, "thumb")
    one = await album(anna, *made)

    async def cover() -> str:
        link: str = (await shown(anna, one))["cover"]
        return link.split("/")[4]

    assert await cover() == made[0]
    await anna.patch(f"/albums/{one}", {"order": "newest"})
    assert await cover() == made[2]
    await anna.patch(f"/albums/{one}", {"cover_id": made[1]})
    assert await cover() == made[1]
    await anna.delete(f"/assets/{made[1]}")
    assert await cover() == made[2]
    await anna.post("/assets/restore", {"ids": [made[1]]})
    assert await cover() == made[1]
    await anna.post(f"/albums/{one}/remove", {"ids": [made[1]]})
    assert (await shown(anna, one))["cover_id"] is None
    assert code_of(await anna.patch(f"/albums/{one}", {"cover_id": made[1]})) == "invalid-value"
    await anna.post(f"/albums/{one}/move", {"ids": [made[0]], "before": made[2]})
    assert await cover() == made[0]


async def test_a_list_of_albums_costs_the_same_however_many(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, {}, {})
    asked: list[str] = []

    def note(*args: Any) -> None:
        if "event" not in args[2]:  # what the hub of events asks meanwhile is no part of it
            asked.append(args[2])

    event.listen(live.database.engine.sync_engine, "before_cursor_execute", note)

    async def statements() -> int:
        asked.clear()
        assert (await anna.get("/albums", params={"library": anna.library})).status_code == 200
        return len(asked)

    await album(anna, *made)
    few = await statements()
    for _ in range(5):
        await album(anna, *made)
    assert await statements() == few


async def test_oldest_and_newest_first_by_pages(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, *({"taken_at": DAY + timedelta(minutes=number // 2)} for number in range(7)))
    mixed = random.Random(1).sample(made, len(made))
    one = await album(anna, *mixed)
    assert await order(anna, one, limit=3) == made
    await anna.patch(f"/albums/{one}", {"order": "newest"})
    assert await order(anna, one, limit=3) == made[::-1]


async def test_an_order_by_hand_begins_with_what_was_seen(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, *({"taken_at": DAY + timedelta(minutes=number)} for number in range(5)))
    one = await album(anna, *made, order="newest")
    assert (await anna.post(f"/albums/{one}/move", {"ids": [made[4], made[0]], "before": made[2]})).status_code == 204
    assert (await shown(anna, one))["order"] == "manual"
    assert await order(anna, one, limit=2) == [made[3], made[4], made[0], made[2], made[1]]
    await anna.post(f"/albums/{one}/move", {"ids": [made[3]]})
    assert (await order(anna, one))[-1] == made[3]
    # What is added later stands at the end.
    [late] = await plant(live, anna.library, {})
    await anna.post(f"/albums/{one}/add", {"ids": [late, made[0]]})
    assert (await order(anna, one))[-2:] == [made[3], late]


async def test_there_is_always_room_between_two(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, *[{}] * 4)
    one = await album(anna, *made, order="manual")
    wanted = list(made)
    chosen = random.Random(5)
    for _ in range(120):
        # Nearly always into the same gap, which is halved each time.
        moved = wanted.pop(-1) if chosen.random() < 0.9 else wanted.pop(0)
        wanted.insert(1, moved)
        await anna.post(f"/albums/{one}/move", {"ids": [moved], "before": wanted[2]})
    assert await order(anna, one) == wanted


@pytest.mark.parametrize("wrong", ["twice", "before itself", "not in it", "before what is not in it"])
async def test_moves_that_make_no_sense(anna: Person, live: Runtime, wrong: str) -> None:
    inside, another, outside = await plant(live, anna.library, {}, {}, {})
    one = await album(anna, inside, another)
    body, code = {
        "twice": ({"ids": [inside, inside]}, None),
        "before itself": ({"ids": [inside], "before": inside}, "invalid-value"),
        "not in it": ({"ids": [outside]}, "not-found"),
        "before what is not in it": ({"ids": [inside], "before": outside}, "not-found"),
    }[wrong]
    answer = await anna.post(f"/albums/{one}/move", body)
    assert answer.status_code == 204 if code is None else code_of(answer) == code


async def test_a_cursor_of_another_order_is_refused(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, {}, {})
    one = await album(anna, *made)
    cursor = (await anna.get(f"/albums/{one}/assets", params={"limit": 1})).json()["next"]
    await anna.post(f"/albums/{one}/move", {"ids": [made[1]], "before": made[0]})
    answer = await anna.get(f"/albums/{one}/assets", params={"limit": 1, "cursor": cursor})
    assert code_of(answer) == "invalid-value"


async def test_only_assets_of_its_library_come_into_an_album(anna: Person, live: Runtime, person: MakePerson) -> None:
    boris = await person("boris@example.org")
    [mine], [his] = await plant(live, anna.library, {}), await plant(live, boris.library, {})
    one = await album(anna, mine)
    assert code_of(await anna.post(f"/albums/{one}/add", {"ids": [his]})) == "not-found"
    body = {"library_id": anna.library, "name": "x", "asset_ids": [his]}
    assert code_of(await anna.post("/albums", body)) == "not-found"
    # Not even into another library of one's own.
    second = (await anna.post("/libraries", {"name": "second"})).json()["id"]
    [other] = await plant(live, second, {})
    assert code_of(await anna.post(f"/albums/{one}/add", {"ids": [mine, other]})) == "not-found"
    assert await order(anna, one) == [mine]


async def test_adding_and_removing_say_what_they_changed(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, *[{}] * 3)
    one = await album(anna, made[0])
    assert (await anna.post(f"/albums/{one}/add", {"ids": made})).json() == {"count": 2}
    assert (await anna.post(f"/albums/{one}/add", {"ids": made})).json() == {"count": 0}
    assert (await anna.post(f"/albums/{one}/remove", {"ids": made[1:]})).json() == {"count": 2}
    assert await order(anna, one) == [made[0]]


async def test_many_who_add_at_once(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, *[{}] * 12)
    one = await album(anna, order="manual")
    adding = [anna.post(f"/albums/{one}/add", {"ids": [asset, made[0]]}) for asset in made]
    trashing = [anna.post("/assets/trash", {"ids": [asset]}) for asset in made[6:]]
    answers = await asyncio.gather(*adding, *trashing)
    assert {answer.status_code for answer in answers} == {200}
    assert set(await order(anna, one)) == set(made[:6])


async def test_deleting_an_album_deletes_no_photo(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, {})
    one = await album(anna, *made)
    assert (await anna.delete(f"/albums/{one}")).status_code == 204
    assert code_of(await anna.get(f"/albums/{one}")) == "not-found"
    assert (await anna.get(f"/assets/{made[0]}")).json()["albums"] == []


async def test_viewers_see_albums_and_editors_change_them(anna: Person, person: MakePerson, live: Runtime) -> None:
    boris = await person("boris@example.org")
    made = await plant(live, anna.library, {})
    one = await album(anna, *made)
    asked: tuple[tuple[str, str, Any], ...] = (
        ("PATCH", f"/albums/{one}", {"name": "x"}),
        ("POST", f"/albums/{one}/add", {"ids": made}),
        ("POST", f"/albums/{one}/move", {"ids": made}),
        ("POST", f"/albums/{one}/remove", {"ids": made}),
        ("GET", f"/albums/{one}/shares", None),
        ("POST", f"/albums/{one}/shares", {}),
        ("DELETE", f"/albums/{one}", None),
        ("POST", "/albums", {"library_id": anna.library, "name": "y"}),
    )
    for method, path, body in asked[:-1]:
        assert code_of(await boris.http.request(method, f"/api/v1{path}", json=body)) == "not-found"
    invite = (await anna.post(f"/libraries/{anna.library}/invites", {"role": "viewer"})).json()
    await boris.post("/links/join", {"token": invite["link"].partition("#")[2]})
    assert await order(boris, one) == made
    for method, path, body in asked:
        assert code_of(await boris.http.request(method, f"/api/v1{path}", json=body)) == "forbidden"
    await anna.put(f"/libraries/{anna.library}/members/{boris.id}", {"role": "editor"})
    for method, path, body in asked:
        assert (await boris.http.request(method, f"/api/v1{path}", json=body)).status_code in {200, 201, 204}


async def test_a_zip_of_an_album_has_all_of_it(anna: Person, live: Runtime) -> None:
    photo, raw, trashed, other = [
        (await keep(anna, name.encode(), name))["id"] for name in ("a.jpg", "a.cr3", "b.jpg", "c.jpg")
    ]
    await alter(live, raw, shown_with=UUID(photo), part="raw")
    one = await album(anna, photo, trashed)
    await anna.delete(f"/assets/{trashed}")
    made = await anna.post("/selections", {"album_id": one})
    assert made.status_code == 201, made.text
    assert made.json()["name"] == "Race"
    archive = zipfile.ZipFile(io.BytesIO((await anna.http.get(made.json()["zip"])).content))
    assert {name: archive.read(name) for name in archive.namelist()} == {"a.jpg": b"a.jpg", "a.cr3": b"a.cr3"}
    both = {"album_id": one, "library_id": anna.library, "asset_ids": [other]}
    assert code_of(await anna.post("/selections", both)) == "invalid-request"


async def test_a_large_album(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, *({"taken_at": DAY + timedelta(seconds=n)} for n in range(300)))
    one = await album(anna)
    for start in range(0, 300, 100):
        await anna.post(f"/albums/{one}/add", {"ids": made[start : start + 100]})
    assert await order(anna, one, limit=77) == made
    await anna.post(f"/albums/{one}/move", {"ids": made[200:], "before": made[0]})
    assert await order(anna, one, limit=77) == made[200:] + made[:200]


async def test_purged_assets_leave_albums(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, {}, {"trashed_at": func.now()})
    one = await album(anna, *made)
    await anna.patch(f"/albums/{one}", {"cover_id": made[1]})
    asset = (await keep(anna, b"x"))["id"]
    await anna.post(f"/albums/{one}/add", {"ids": [asset]})
    await anna.patch(f"/albums/{one}", {"cover_id": asset})
    await anna.delete(f"/assets/{asset}")
    assert (await anna.post("/assets/purge", {"ids": [asset]})).status_code == 204
    assert (await shown(anna, one))["cover_id"] is None
    assert await order(anna, one) == [made[0]]
