"""The timeline: buckets, pages, filters, values; counts that stay right whoever changes what."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson
from tests.support.people import Person
from tests.test_assets import keep


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


async def test_smoke(anna: Person) -> None:
    one = await keep(anna, b"one", "one.jpg")
    await keep(anna, b"two", "two.jpg")
    answer = await anna.get("/timeline/buckets", params={"library": anna.library, "by": "day"})
    assert answer.status_code == 200, answer.text
    print(answer.json())
    answer = await anna.get("/timeline/buckets", params={"library": anna.library, "by": "month", "rating": 1})
    assert answer.status_code == 200, answer.text
    print(answer.json())
    answer = await anna.get("/timeline/assets", params={"library": anna.library, "limit": 1})
    assert answer.status_code == 200, answer.text
    print(answer.json())
    answer = await anna.get("/timeline/assets", params={"library": anna.library, "cursor": answer.json()["next"]})
    print(answer.json())
    for of in ("camera", "lens", "place", "country", "tag", "uploader", "batch"):
        answer = await anna.get("/timeline/values", params={"library": anna.library, "of": of})
        assert answer.status_code == 200, answer.text
        print(answer.json())
    answer = await anna.patch(
        f"/assets/{one['id']}",
        {"title": "T", "taken_at": "2020-01-02T03:04:05", "tags": ["a", "B"], "latitude": 1.5, "longitude": 2},
    )
    assert answer.status_code == 200, answer.text
    print(answer.json())
    answer = await anna.patch(f"/assets/{one['id']}", {"title": None, "taken_at": None, "tags": None})
    print(answer.json())
    answer = await anna.get(f"/assets/{one['id']}")
    assert answer.status_code == 200, answer.text
    answer = await anna.post("/albums", {"library_id": anna.library, "name": "A", "asset_ids": [one["id"]]})
    assert answer.status_code == 201, answer.text
    print(answer.json())
    answer = await anna.get("/albums", params={"library": anna.library})
    assert answer.status_code == 200, answer.text
    answer = await anna.get(f"/albums/{answer.json()['items'][0]['id']}/assets")
    assert answer.status_code == 200, answer.text
    print(answer.json())
