"""Batches: uploads that name one are followed together; albums and dates that uploads name."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from archive.runtime import Runtime
from tests.conftest import MakePerson
from tests.support.looking import step
from tests.support.people import Person, code_of

TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


def metadata(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


async def tus(person: Person, body: bytes | None, length: int | None = None, **said: str) -> httpx.Response:
    length = len(body or b"") if length is None else length
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": metadata(**said)}
    if body is not None:
        headers["Content-Type"] = TUS["Content-Type"]
    return await person.http.post("/api/v1/uploads", headers=headers, content=body or b"")


async def begin(person: Person, name: str = "Sunday") -> str:
    answer = await person.post("/batches", {"library_id": person.library, "name": name})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def progress(person: Person, batch: str) -> dict[str, Any]:
    found: dict[str, Any] = (await person.get(f"/batches/{batch}")).json()
    assert found in (await person.get("/batches", params={"library": person.library})).json()["items"]
    return found


async def test_a_batch_follows_its_uploads_and_their_steps(anna: Person, live: Runtime) -> None:
    batch = await begin(anna)
    assert (await progress(anna, batch))["uploads"] == {"open": 0, "finished": 0, "gone": 0}
    finished = await tus(anna, b"one", batch=batch, filename="one.jpg")
    assert finished.status_code == 201
    sent = await anna.http.post("/api/v1/assets", params={"batch": batch, "name": "two.jpg"}, content=b"two")
    again = await anna.http.post("/api/v1/assets", params={"batch": batch, "name": "copy.jpg"}, content=b"two")
    assert (sent.status_code, again.status_code) == (201, 200)
    await tus(anna, None, 10, batch=batch)
    ended = await tus(anna, None, 10, batch=batch)
    await anna.http.delete(ended.headers["location"], headers={"Tus-Resumable": "1.0.0"})
    async with live.database.transaction() as session:
        await session.execute(text("DELETE FROM step"))
    await step(live, sent.json()["id"], "describe", "done")
    await step(live, sent.json()["id"], "render", "failed", "corrupt")
    found = await progress(anna, batch)
    assert found["uploads"] == {"open": 1, "finished": 3, "gone": 1}
    assert (found["assets"], found["duplicates"]) == (2, 0)
    assert found["steps"] == {"waiting": 0, "done": 1, "failed": 1, "skipped": 0}
    second = await begin(anna, "Monday")
    await anna.http.post("/api/v1/assets", params={"batch": second}, content=b"two")
    found = await progress(anna, second)
    assert (found["assets"], found["duplicates"]) == (1, 1)
    shown = (await anna.get("/timeline/buckets", params={"library": anna.library, "batch": second})).json()
    assert shown["total"] == 1


async def test_an_upload_of_parts_is_one_of_its_batch(anna: Person) -> None:
    batch = await begin(anna)
    headers = {**TUS, "Upload-Concat": "partial", "Upload-Metadata": metadata(batch=batch)}
    parts = [
        await anna.http.post("/api/v1/uploads", headers=headers | {"Upload-Length": "3"}, content=body)
        for body in (b"abc", b"def")
    ]
    listed = " ".join(part.headers["location"] for part in parts)
    final = {"Tus-Resumable": "1.0.0", "Upload-Concat": f"final;{listed}", "Upload-Metadata": metadata(batch=batch)}
    answer = await anna.http.post("/api/v1/uploads", headers=final)
    assert answer.status_code == 201, answer.text
    found = await progress(anna, batch)
    assert (found["uploads"]["finished"], found["assets"]) == (1, 1)


async def test_uploads_name_an_album_and_a_date(anna: Person) -> None:
    made = (await anna.post("/albums", {"library_id": anna.library, "name": "A"})).json()["id"]
    answer = await tus(anna, b"one", album=made, modified="2024-05-01T10:00:00+02:00")
    one = answer.headers["upload-asset"]
    assert (await anna.get(f"/assets/{one}")).json()["sent_at"] == "2024-05-01T08:00:00Z"
    # Had before, it goes there too; when it was sent first stays.
    another = (await anna.post("/albums", {"library_id": anna.library, "name": "B"})).json()["id"]
    params = {"album": another, "modified": "0", "library": anna.library}
    assert (await anna.http.post("/api/v1/assets", params=params, content=b"one")).status_code == 200
    shown = (await anna.get(f"/assets/{one}")).json()
    assert shown["sent_at"] == "2024-05-01T08:00:00Z"
    assert [album["name"] for album in shown["albums"]] == ["A", "B"]


@pytest.mark.parametrize("said", [{"batch": "x"}, {"album": "1"}, {"modified": "yesterday"}, {"modified": "9" * 16}])
async def test_what_an_upload_says_has_to_make_sense(anna: Person, said: dict[str, Any]) -> None:
    assert code_of(await tus(anna, b"x", **said)) == "invalid-value"


async def test_batches_and_albums_of_others_take_nothing(anna: Person, person: MakePerson) -> None:
    boris = await person("boris@example.org")
    batch = await begin(anna)
    album = (await anna.post("/albums", {"library_id": anna.library, "name": "A"})).json()["id"]
    both: tuple[dict[str, Any], ...] = ({"batch": batch}, {"album": album})
    for said in both:
        assert code_of(await tus(boris, b"x", **said)) == "not-found"
        assert code_of(await boris.http.post("/api/v1/assets", params=said, content=b"x")) == "not-found"
    second = (await anna.post("/libraries", {"name": "second"})).json()["id"]
    for said in both:
        assert code_of(await tus(anna, b"x", library=second, **said)) == "not-found"
    assert (await progress(anna, batch))["assets"] == 0


async def test_a_viewer_begins_no_batch(anna: Person, person: MakePerson) -> None:
    boris = await person("boris@example.org")
    invite = (await anna.post(f"/libraries/{anna.library}/invites", {"role": "viewer"})).json()
    await boris.post("/links/join", {"token": invite["link"].partition("#")[2]})
    assert code_of(await boris.post("/batches", {"library_id": anna.library, "name": "x"})) == "forbidden"
    batch = await begin(anna)
    assert (await boris.get(f"/batches/{batch}")).json()["name"] == "Sunday"
