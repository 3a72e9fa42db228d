"""Tags: whatever their case, from the file or by hand, counted."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from sqlalchemy import func

from archive.runtime import Runtime
from tests.conftest import MakePerson
from tests.support.looking import plant
from tests.support.people import Person


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


async def counted(person: Person, **asked: str | int) -> list[tuple[str, int]]:
    answer = await person.get("/tags", params={"library": person.library, **asked})
    assert answer.status_code == 200, answer.text
    return [(item["name"], item["count"]) for item in answer.json()["items"]]


async def test_two_spellings_that_differ_in_case_are_one_tag(anna: Person, live: Runtime) -> None:
    one, two = await plant(live, anna.library, {}, {})
    await anna.patch(f"/assets/{one}", {"tags": ["Финиш", "ФИНИШ", "Start"]})
    await anna.patch(f"/assets/{two}", {"tags": ["финиш"]})
    assert await counted(anna) == [("Start", 1), ("Финиш", 2)]
    edit = {"ids": [one, two], "changes": {"remove_tags": ["финИШ"]}}
    assert (await anna.post("/assets/edit", edit)).json() == {"count": 2}
    assert await counted(anna) == [("Start", 1)]


async def test_tags_are_counted_without_the_trash_and_by_pages(anna: Person, live: Runtime) -> None:
    one, two = await plant(live, anna.library, {}, {"trashed_at": func.now()})
    edit = {"ids": [one, two], "changes": {"add_tags": ["c", "a", "B"]}}
    await anna.post("/assets/edit", edit)
    assert await counted(anna) == [("a", 1), ("B", 1), ("c", 1)]
    page = (await anna.get("/tags", params={"library": anna.library, "limit": 2})).json()
    assert [item["name"] for item in page["items"]] == ["a", "B"]
    rest = (await anna.get("/tags", params={"library": anna.library, "limit": 2, "cursor": page["next"]})).json()
    assert ([item["name"] for item in rest["items"]], rest["next"]) == (["c"], None)


async def test_the_same_new_tag_by_two_at_once_is_one(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, *[{}] * 6)
    edits = [{"ids": [one], "changes": {"add_tags": ["b", "a", f"{one}"]}} for one in made]
    answers = await asyncio.gather(*(anna.post("/assets/edit", edit) for edit in edits))
    assert {answer.status_code for answer in answers} == {200}
    assert ("a", 6) in await counted(anna)
    assert ("b", 6) in await counted(anna)


async def test_libraries_have_tags_of_their_own(anna: Person, person: MakePerson, live: Runtime) -> None:
    boris = await person("boris@example.org")
    [hers], [his] = await plant(live, anna.library, {}), await plant(live, boris.library, {})
    await anna.patch(f"/assets/{hers}", {"tags": ["x"]})
    await boris.patch(f"/assets/{his}", {"tags": ["X"]})
    assert (await counted(anna), await counted(boris)) == ([("x", 1)], [("X", 1)])
    assert (await boris.get("/tags", params={"library": anna.library})).status_code == 404
