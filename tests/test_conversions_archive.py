"""An asset in another format over HTTP: made once, given again, never more kept than a few."""

from __future__ import annotations

import asyncio
import io
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import func, select

from api.conversions import acceptable
from api.signing import Signer
from archive.conversions.service import Desk
from archive.errors import TooManyConversions
from archive.ids import new_id
from archive.models import File, Object, Rendition, Usage
from archive.runtime import Runtime
from tests.conftest import MakePerson, NewPerson
from tests.support.people import Person
from tests.support.photos import scene
from tests.support.pictures import jpeg

BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI, anna: Person) -> Runtime:
    del anna
    runtime: Runtime = app.state.runtime
    return runtime


async def send(anna: Person, content: bytes, name: str = "photo.jpg") -> dict[str, Any]:
    answer = await anna.http.post(f"/api/v1/assets?library={anna.library}&name={name}", content=content)
    assert answer.status_code == 201, answer.text
    asset: dict[str, Any] = answer.json()
    return asset


@pytest.fixture
async def photo(anna: Person) -> str:
    return str((await send(anna, jpeg(scene(400, 300))))["id"])


async def kept(live: Runtime, asset_id: str) -> list[Rendition]:
    async with live.database.transaction() as session:
        found = select(Rendition).where(Rendition.asset_id == asset_id, Rendition.name.startswith("as-"))
        return list(await session.scalars(found.order_by(Rendition.created_at)))


async def test_a_photo_comes_as_it_is_wanted_and_the_same_again(anna: Person, live: Runtime, photo: str) -> None:
    first = await anna.get(f"/assets/{photo}/converted", params={"as": "webp", "width": 200})
    assert first.status_code == 200, first.text
    assert first.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(first.content)).size == (200, 150)
    again = await anna.get(f"/assets/{photo}/converted", params={"as": "webp", "width": 200})
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert len(await kept(live, photo)) == 1
    part = await anna.get(
        f"/assets/{photo}/converted", params={"as": "webp", "width": 200}, headers={"Range": "bytes=4-7"}
    )
    assert (part.status_code, part.content) == (206, first.content[4:8])
    same = {"If-None-Match": first.headers["etag"]}
    assert (
        await anna.get(f"/assets/{photo}/converted", params={"as": "webp", "width": 200}, headers=same)
    ).is_success is False
    named = await anna.get(f"/assets/{photo}/converted", params={"as": "png", "inline": "false"})
    assert 'filename="photo.png"' in named.headers["content-disposition"]


async def test_the_header_accept_decides_where_nothing_else_does(anna: Person, photo: str) -> None:
    for accept, media_type in ((BROWSER, "image/webp"), ("image/jxl", "image/jxl"), ("*/*", "image/jpeg")):
        answer = await anna.get(f"/assets/{photo}/converted", headers={"Accept": accept})
        assert (answer.headers["content-type"], answer.headers["vary"]) == (media_type, "Accept")
    refused = await anna.get(f"/assets/{photo}/converted", headers={"Accept": "text/html"})
    assert refused.status_code == 406
    assert "image/webp" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (BROWSER, "webp"),
        ("image/avif", "avif"),
        ("image/avif;q=0.9, image/jpeg;q=0.3", "avif"),
        ("image/png, image/webp;q=0", "png"),
        ("image/*", "jpeg"),
        ("image/*, image/jpeg;q=0", "webp"),
        ("application/pdf", "pdf"),
        ("text/html, */*;q=0.1", "jpeg"),
        ("text/html", None),
        ("image/webp;q=0", None),
        ("", None),
        (";;,q=,", None),
    ],
)
def test_what_a_client_takes_best(accept: str, chosen: str | None) -> None:
    assert acceptable(accept) == chosen


async def test_only_the_last_few_are_kept_and_counted(anna: Person, live: Runtime, photo: str) -> None:
    for width in range(100, 112):
        assert (await anna.get(f"/assets/{photo}/converted", params={"as": "jpeg", "width": width})).status_code == 200
    left = await kept(live, photo)
    assert len(left) == 8
    newest = await anna.get(f"/assets/{photo}/converted", params={"as": "jpeg", "width": 111})
    assert newest.headers["etag"] == f'"{left[-1].file_id.hex}"'
    async with live.database.transaction() as session:
        size = await session.scalar(select(func.sum(File.size)).where(File.kind == "rendition"))
        assert await session.scalar(select(Usage.renditions).where(Usage.library_id == anna.library)) == size
    listed = (await anna.get(f"/assets/{photo}/renditions")).json()["items"]
    assert not [one for one in listed if one["name"].startswith("as-")]


async def test_what_many_ask_for_at_once_is_made_once(anna: Person, live: Runtime, photo: str) -> None:
    asked = [anna.get(f"/assets/{photo}/converted", params={"as": "webp", "quality": 61}) for _ in range(5)]
    answers = await asyncio.gather(*asked)
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert len(await kept(live, photo)) == 1
    assert live.desk.waiting == 0
    assert not live.desk.turns


async def test_more_than_can_wait_are_sent_away() -> None:
    desk = Desk(most=1)
    async with desk.turn(new_id(), "one"):
        with pytest.raises(TooManyConversions):
            async with desk.turn(new_id(), "other"):
                pass
    async with desk.turn(new_id(), "other"):
        assert desk.waiting == 1


async def test_what_cannot_be_converted_is_refused_and_nothing_is_kept(anna: Person, live: Runtime) -> None:
    text = str((await send(anna, b"no picture", "notes.jpg"))["id"])
    answer = await anna.get(f"/assets/{text}/converted", params={"as": "webp"})
    assert answer.status_code == 415
    assert answer.json()["type"].endswith("not-convertible")
    assert await kept(live, text) == []
    async with live.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Object)) == 1


@pytest.mark.parametrize(
    "asked", [{"as": "exe"}, {"as": "webp", "width": 0}, {"as": "png", "score": 80}, {"quality": 5, "score": 50}]
)
async def test_what_means_nothing_is_refused(anna: Person, photo: str, asked: dict[str, Any]) -> None:
    assert (await anna.get(f"/assets/{photo}/converted", params=asked)).status_code == 422


async def test_strangers_get_nothing_and_a_link_to_the_original_is_enough(
    anna: Person, person: MakePerson, stranger: NewPerson, live: Runtime, photo: str
) -> None:
    other = await person("ben@example.org")
    assert (await other.get(f"/assets/{photo}/converted", params={"as": "webp"})).status_code == 404
    link = Signer(live.keyring).original(UUID(photo))
    nobody = stranger()
    signed = link.replace("/original?", "/converted?as=webp&width=50&").replace("/api/v1", "")
    answer = await nobody.get(signed)
    assert answer.status_code == 200, answer.text
    assert Image.open(io.BytesIO(answer.content)).width == 50
    assert (await nobody.get(signed.replace("signature=", "signature=A"))).status_code == 403
