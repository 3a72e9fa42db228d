"""Changing what assets show: corrections, and taking them back; many at once; what belongs together goes together."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import insert, select

from archive.models import AuditEntry, Event, Metadata, Step
from archive.runtime import Runtime
from tests.conftest import MakePerson
from tests.support.looking import plant, step
from tests.support.people import Person, code_of
from tests.test_assets import keep

RECORD = {
    "title": "From the file",
    "description": None,
    "rating": 3,
    "keywords": ["sea", " sun\n", ""],
    "taken": {"local": "2021-07-08T09:10:11.120000", "offset": 180, "source": "exif"},
    "position": {"latitude": 59.93, "longitude": 30.31},
}


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


async def describe(runtime: Runtime, asset: str, record: dict[str, Any]) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(insert(Metadata).values(asset_id=UUID(asset), record=record, raw={}))


async def changed(person: Person, asset: str, **changes: Any) -> dict[str, Any]:
    answer = await person.patch(f"/assets/{asset}", changes)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    assert shown == (await person.get(f"/assets/{asset}")).json()
    return shown


async def test_a_correction_holds_until_it_is_taken_back(anna: Person, live: Runtime) -> None:
    [asset] = await plant(live, anna.library, {"title": "From the file"})
    await describe(live, asset, RECORD)
    shown = await changed(
        anna, asset, title="Mine", rating=5, taken_at="2020-01-02T03:04:05", taken_offset=-60, latitude=1, longitude=2
    )
    assert (shown["title"], shown["rating"], shown["latitude"]) == ("Mine", 5, 1)
    assert (shown["taken_at"], shown["taken_offset"], shown["taken_from"]) == ("2020-01-02T03:04:05.000", -60, "user")
    assert shown["corrected"] == ["latitude", "longitude", "rating", "taken_at", "taken_offset", "title"]
    shown = await changed(anna, asset, title=None, taken_at=None, taken_offset=None)
    assert (shown["title"], shown["rating"]) == ("From the file", 5)
    assert (shown["taken_at"], shown["taken_offset"], shown["taken_from"]) == ("2021-07-08T09:10:11.120", 180, "exif")
    assert shown["corrected"] == ["latitude", "longitude", "rating"]
    shown = await changed(anna, asset, rating=None, latitude=None, longitude=None, description=None)
    assert (shown["rating"], shown["latitude"], shown["longitude"]) == (3, 59.93, 30.31)
    assert (shown["corrected"], shown["description"]) == ([], None)
    assert shown["metadata"] == RECORD


async def test_without_a_record_the_files_date_holds_again(anna: Person) -> None:
    sent = await anna.http.post(
        "/api/v1/assets", params={"name": "a.jpg", "library": anna.library, "modified": "1714550400123"}, content=b"a"
    )
    asset = sent.json()["id"]
    await changed(anna, asset, taken_at="2020-01-02T03:04:05")
    shown = await changed(anna, asset, taken_at=None)
    assert (shown["taken_at"], shown["taken_from"]) == ("2024-05-01T08:00:00.123", "sent")
    plain = (await keep(anna, b"b"))["id"]
    await changed(anna, plain, taken_at="2020-01-02T03:04:05")
    shown = await changed(anna, plain, taken_at=None)
    assert shown["taken_from"] == "received"
    assert shown["created_at"].startswith(shown["taken_at"])


async def test_tags_are_corrected_like_the_rest(anna: Person, live: Runtime) -> None:
    [asset] = await plant(live, anna.library, {})
    await describe(live, asset, RECORD)
    shown = await changed(anna, asset, tags=["Sun", "mine"])
    assert [(tag["name"], tag["source"]) for tag in shown["tags"]] == [("mine", "user"), ("Sun", "user")]
    assert shown["corrected"] == ["tags"]
    shown = await changed(anna, asset, tags=None)
    assert [(tag["name"], tag["source"]) for tag in shown["tags"]] == [("sea", "file"), ("Sun", "file")]
    assert shown["corrected"] == []
    shown = await changed(anna, asset, tags=["sea"])
    assert [(tag["name"], tag["source"]) for tag in shown["tags"]] == [("sea", "file")]
    assert (await changed(anna, asset, tags=[]))["tags"] == []


async def test_marks_are_no_corrections(anna: Person, live: Runtime) -> None:
    [asset] = await plant(live, anna.library, {})
    before = (await anna.get(f"/assets/{asset}")).json()["updated_at"]
    shown = await changed(anna, asset, favourite=True, archived=True)
    assert (shown["favourite"], shown["archived"], shown["corrected"]) == (True, True, [])
    assert shown["updated_at"] > before
    assert code_of(await anna.patch(f"/assets/{asset}", {"favourite": None})) == "invalid-request"


@pytest.mark.parametrize(
    "change",
    [
        {"latitude": 1.0}, {"latitude": None}, {"latitude": 1.0, "longitude": None}, {"rating": 6}, {"name": "x"},
        {"taken_at": "2020-01-02T03:04:05Z"}, {"taken_at": "0001-01-01T00:00:00"}, {"latitude": 91, "longitude": 0},
        {"title": "a\0b"}, {"tags": [""]}, {"shift_minutes": 5},
    ],
)  # fmt: skip
async def test_changes_that_make_no_sense(anna: Person, live: Runtime, change: dict[str, Any]) -> None:
    [asset] = await plant(live, anna.library, {})
    assert (await anna.patch(f"/assets/{asset}", change)).status_code == 422


# Many


async def test_many_are_moved_in_time_together(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, {}, {})
    edit = {"ids": made, "changes": {"shift_minutes": -60 * 24, "favourite": True, "add_tags": ["trip"]}}
    assert (await anna.post("/assets/edit", edit)).json() == {"count": 2}
    for asset in made:
        shown = (await anna.get(f"/assets/{asset}")).json()
        assert (shown["taken_at"], shown["taken_from"]) == ("2024-04-30T12:00:00.000", "user")
        assert (shown["corrected"], shown["favourite"]) == (["tags", "taken_at"], True)
        assert [tag["name"] for tag in shown["tags"]] == ["trip"]
    async with live.database.transaction() as session:
        told = list(await session.scalars(select(Event.data).where(Event.kind == "asset.changed")))
        assert told == [{"ids": sorted(made)}]
        entry = await session.scalar(select(AuditEntry).where(AuditEntry.action == "assets.edited"))
        assert entry is not None
        assert entry.details == {"count": 2, "fields": ["favourite", "tags", "taken_at"]}


async def test_nobody_is_moved_out_of_the_calendar(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, {}, {})
    await changed(anna, made[0], taken_at="0003-01-01T00:00:00")
    edit = {"ids": made, "changes": {"shift_minutes": -60 * 24 * 366 * 3}}
    assert code_of(await anna.post("/assets/edit", edit)) == "invalid-value"
    assert (await anna.get(f"/assets/{made[1]}")).json()["taken_at"] == "2024-05-01T12:00:00.000"


async def test_many_by_what_a_timeline_is_narrowed_down_to(anna: Person, live: Runtime) -> None:
    await plant(live, anna.library, {"camera": "A"}, {"camera": "A"}, {"camera": "B"})
    edit = {"library_id": anna.library, "filters": {"camera": "A"}, "changes": {"archived": True}}
    assert (await anna.post("/assets/edit", edit)).json() == {"count": 2}
    assert (await anna.post("/assets/edit", edit)).json() == {"count": 0}
    left = (await anna.get("/timeline/buckets", params={"library": anna.library})).json()
    assert left["total"] == 1
    both = edit | {"ids": [anna.id]}
    assert code_of(await anna.post("/assets/edit", both)) == "invalid-request"


async def test_all_are_changed_or_none(anna: Person, person: MakePerson, live: Runtime) -> None:
    boris = await person("boris@example.org")
    [hers], [his] = await plant(live, anna.library, {}), await plant(live, boris.library, {})
    edit = {"ids": [his, hers], "changes": {"favourite": True}}
    assert code_of(await boris.post("/assets/edit", edit)) == "not-found"
    assert (await boris.get(f"/assets/{his}")).json()["favourite"] is False


async def test_a_viewer_changes_nothing_and_an_editor_does(anna: Person, person: MakePerson, live: Runtime) -> None:
    boris = await person("boris@example.org")
    [asset] = await plant(live, anna.library, {})
    invite = (await anna.post(f"/libraries/{anna.library}/invites", {"role": "viewer"})).json()
    await boris.post("/links/join", {"token": invite["link"].partition("#")[2]})
    asked = (
        ("PATCH", f"/assets/{asset}", {"title": "x"}),
        ("POST", "/assets/edit", {"ids": [asset], "changes": {"rating": 1}}),
        ("POST", "/assets/edit", {"library_id": anna.library, "filters": {}, "changes": {"rating": 1}}),
        ("POST", "/assets/retry", {"ids": [asset]}),
    )
    for method, path, body in asked:
        assert code_of(await boris.http.request(method, f"/api/v1{path}", json=body)) == "forbidden"
    assert (await boris.get(f"/assets/{asset}")).json()["title"] is None
    await anna.put(f"/libraries/{anna.library}/members/{boris.id}", {"role": "editor"})
    for method, path, body in asked:
        assert (await boris.http.request(method, f"/api/v1{path}", json=body)).status_code == 200


async def test_failed_steps_are_done_again(anna: Person, live: Runtime) -> None:
    [asset] = await plant(live, anna.library, {"problem": "timeout"})
    await step(live, asset, "describe", "done")
    await step(live, asset, "render", "failed", "timeout")
    shown = (await anna.get(f"/assets/{asset}")).json()
    assert [(one["name"], one["state"], one["verdict"]) for one in shown["steps"]] == [
        ("describe", "done", None), ("render", "failed", "timeout"),
    ]  # fmt: skip
    assert (await anna.post("/assets/retry", {"ids": [asset]})).json() == {"steps": 1}
    assert (await anna.get(f"/assets/{asset}")).json()["problem"] is None
    async with live.database.transaction() as session:
        states = await session.execute(select(Step.name, Step.state).order_by(Step.name))
        assert [tuple(row) for row in states] == [("describe", "done"), ("render", "waiting")]


# Parts


async def family(person: Person, live: Runtime) -> tuple[str, str]:
    from tests.support.looking import alter

    main, raw = (await keep(person, b"jpeg", "a.jpg"))["id"], (await keep(person, b"raw", "a.cr3"))["id"]
    await alter(live, raw, shown_with=UUID(main), part="raw")
    return main, raw


async def trash_of(person: Person) -> list[str]:
    answer = await person.get("/assets", params={"library": person.library, "state": "trashed"})
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_what_is_shown_as_one_is_trashed_and_restored_as_one(anna: Person, live: Runtime) -> None:
    main, raw = await family(anna, live)
    [moved] = (await anna.post("/assets/trash", {"ids": [main]})).json()["items"]
    assert moved["id"] == main
    assert (await anna.get(f"/assets/{raw}")).json()["trashed_at"] is not None
    assert await trash_of(anna) == [main]
    shown = (await anna.get("/assets", params={"library": anna.library, "state": "trashed"})).json()["items"][0]
    assert (shown["parts"], shown["thumb"]) == (["raw"], None)
    usage = (await anna.get(f"/libraries/{anna.library}/usage")).json()
    assert (usage["originals"], usage["trash"]) == (0, 7)
    await anna.post("/assets/restore", {"ids": [main]})
    assert (await anna.get(f"/assets/{raw}")).json()["trashed_at"] is None
    usage = (await anna.get(f"/libraries/{anna.library}/usage")).json()
    assert (usage["originals"], usage["trash"]) == (7, 0)


async def test_what_is_shown_as_one_is_destroyed_as_one(anna: Person, live: Runtime) -> None:
    main, raw = await family(anna, live)
    await anna.post("/assets/trash", {"ids": [main]})
    assert (await anna.post("/assets/purge", {"ids": [main]})).status_code == 204
    for asset in (main, raw):
        assert (await anna.get(f"/assets/{asset}")).status_code == 404
    usage = (await anna.get(f"/libraries/{anna.library}/usage")).json()
    assert (usage["originals"], usage["trash"]) == (0, 0)


async def test_a_part_in_the_trash_alone_is_listed_there_alone(anna: Person, live: Runtime) -> None:
    main, raw = await family(anna, live)
    await anna.delete(f"/assets/{raw}")
    assert await trash_of(anna) == [raw]
    assert (await anna.get(f"/assets/{main}")).json()["parts"] == []
    # Taken out again, it is a part of the whole as before.
    await anna.post("/assets/restore", {"ids": [raw]})
    shown = (await anna.get(f"/assets/{main}")).json()
    assert [(part["id"], part["part"], part["name"]) for part in shown["shown_parts"]] == [(raw, "raw", "a.cr3")]


async def test_a_part_that_was_taken_out_of_the_trash_is_not_destroyed_with_the_whole(
    anna: Person, live: Runtime
) -> None:
    main, raw = await family(anna, live)
    await anna.post("/assets/trash", {"ids": [main]})
    await anna.post("/assets/restore", {"ids": [raw]})
    await anna.post("/assets/purge", {"ids": [main]})
    shown = (await anna.get(f"/assets/{raw}")).json()
    assert (shown["trashed_at"], shown["shown_with"]) == (None, None)
    assert (await anna.get("/timeline/buckets", params={"library": anna.library})).json()["total"] == 1
