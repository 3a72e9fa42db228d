"""Assets: listed, given back exactly, in ranges and under conditions, as a zip; into the trash and out of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import random
import re
import zipfile
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from api import content
from archive.assets import renditions
from archive.assets import service as assets
from archive.errors import Damaged
from archive.jobs import JOBS
from archive.models import Asset
from archive.queue.kinds import QUEUES
from archive.runtime import Runtime
from archive.usage import service as usage
from archive.vault.files import OBJECT_BYTES
from archive.worker.runner import JobRunner
from storage import StoreUnavailable
from tests.conftest import MakePerson, NewPerson
from tests.support.people import Person, code_of
from tests.support.uploading import stream

random.seed(3)
PHOTO = random.randbytes(100_000)
LARGE = random.randbytes(OBJECT_BYTES + 70_000)


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


async def keep(
    person: Person, body: bytes = PHOTO, name: str = "photo.jpg", kind: str = "image/jpeg"
) -> dict[str, Any]:
    answer = await person.http.post(
        "/api/v1/assets", params={"name": name, "library": person.library}, content=body, headers={"Content-Type": kind}
    )
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def original(person: Person, asset: dict[str, Any], **headers: str) -> httpx.Response:
    return await person.get(
        f"/assets/{asset['id']}/original", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


# Downloads


async def test_a_download_says_what_it_is(anna: Person) -> None:
    asset = await keep(anna, name='Гонка №5 "финиш".jpg')
    answer = await original(anna, asset)
    assert answer.content == PHOTO
    assert answer.headers["content-length"] == str(len(PHOTO))
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(PHOTO).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment; ")
    assert disposition.isascii()
    assert "filename*=UTF-8''%D0%93%D0%BE%D0%BD%D0%BA%D0%B0%20%E2%84%965%20%22" in disposition


@pytest.mark.parametrize("said", ["text/html", "application/x-www-form-urlencoded", "image/svg+xml, text/html", ""])
async def test_only_pictures_and_films_are_called_what_their_sender_calls_them(anna: Person, said: str) -> None:
    answer = await original(anna, await keep(anna, kind=said))
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_head_says_the_same_without_the_bytes(anna: Person) -> None:
    asset = await keep(anna)
    whole = await original(anna, asset)
    head = await anna.http.head(f"/api/v1/assets/{asset['id']}/original")
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "content-length", "content-type", "last-modified", "repr-digest"):
        assert head.headers[name] == whole.headers[name]
    ranged = await anna.http.head(f"/api/v1/assets/{asset['id']}/original", headers={"Range": "bytes=0-1"})
    assert ranged.status_code == 200


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=99999-", 99_999, 100_000),
        ("bytes=-1", 99_999, 100_000),
        ("bytes=-200000", 0, 100_000),
        ("bytes=50000-900000", 50_000, 100_000),
        ("bytes=16383-16385", 16_383, 16_386),
    ],
)
async def test_a_range(anna: Person, asked: str, start: int, end: int) -> None:
    answer = await original(anna, await keep(anna), Range=asked)
    assert answer.status_code == 206
    assert answer.content == PHOTO[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/100000"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes 0-1"])
async def test_what_is_no_range_is_answered_with_the_whole(anna: Person, asked: str) -> None:
    answer = await original(anna, await keep(anna), Range=asked)
    assert (answer.status_code, answer.content) == (200, PHOTO)


@pytest.mark.parametrize("asked", ["bytes=100000-", "bytes=100000-100001", "bytes=-0"])
async def test_a_range_behind_the_end(anna: Person, asked: str) -> None:
    answer = await original(anna, await keep(anna), Range=asked)
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */100000")


async def test_conditions(anna: Person) -> None:
    asset = await keep(anna)
    whole = await original(anna, asset)
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]
    past, other = "Mon, 01 Jan 2001 00:00:00 GMT", '"other"'
    for headers, status in [
        ({"If_None_Match": etag}, 304),
        ({"If_None_Match": f"{other}, W/{etag}"}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": other}, 200),
        ({"If_None_Match": other, "If_Modified_Since": modified}, 200),
        ({"If_Modified_Since": modified}, 304),
        ({"If_Modified_Since": past}, 200),
        ({"If_Modified_Since": "yesterday"}, 200),
        ({"If_Match": etag}, 200),
        ({"If_Match": other}, 412),
        ({"If_Match": f"W/{etag}"}, 412),
        ({"If_Match": "*"}, 200),
        ({"If_Modified_Since": "Mon, 01 Jan 2001 00:00:00"}, 200),
        ({"If_Unmodified_Since": "Mon, 01 Jan 2001 00:00:00 -0000"}, 412),
        ({"If_Unmodified_Since": past}, 412),
        ({"If_Unmodified_Since": modified}, 200),
        ({"Range": "bytes=0-0", "If_Range": etag}, 206),
        ({"Range": "bytes=0-0", "If_Range": other}, 200),
    ]:
        answer = await original(anna, asset, **headers)
        assert answer.status_code == status, headers
        assert answer.headers["etag"] == etag
        if status in {304, 412}:
            assert answer.content == b""


async def test_the_etag_stays_and_differs_between_libraries(anna: Person, person: MakePerson) -> None:
    boris = await person("boris@example.org")
    hers, his = await keep(anna), await keep(boris)
    assert (await original(anna, hers)).headers["etag"] != (await original(boris, his)).headers["etag"]


async def test_many_read_at_once(anna: Person) -> None:
    asset = await keep(anna, LARGE)
    spans = [(random.randrange(len(LARGE)), random.randrange(1, 2_000_000)) for _ in range(16)]
    answers = await asyncio.gather(*(original(anna, asset, Range=f"bytes={a}-{a + n - 1}") for a, n in spans))
    for (start, length), answer in zip(spans, answers, strict=True):
        assert answer.content == LARGE[start : start + length]


@given(st.text(max_size=300))
def test_any_name_can_be_a_header(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    written = content.attachment(name)
    assert written.isascii()
    assert written.isprintable()


async def test_damage_is_a_problem_and_never_a_byte(anna: Person, live: Runtime) -> None:
    asset = await keep(anna)
    objects = live.store._objects  # type: ignore[attr-defined]  # a disk that lies
    [key] = [key for key in objects if key.startswith("o/")]
    sound = objects[key]
    for position in (0, 30, 60, 20_000, len(sound) - 1):
        objects[key] = sound[:position] + bytes([sound[position] ^ 1]) + sound[position + 1 :]
        answer = await original(anna, asset)
        assert (answer.status_code, code_of(answer)) == (500, "damaged")
    del objects[key]
    assert code_of(await original(anna, asset)) == "damaged"
    objects[key] = sound
    assert (await original(anna, asset)).content == PHOTO


async def test_damage_found_by_a_reader_is_verified_and_shown(anna: Person, live: Runtime) -> None:
    asset = await keep(anna, LARGE)
    async with live.database.transaction() as session:
        await session.execute(text("DELETE FROM job"))
        last = str(await session.scalar(text("SELECT key FROM object ORDER BY start DESC LIMIT 1")))
    await live.store.delete(last)
    with suppress(httpx.HTTPError, Damaged):  # it breaks in the middle
        await original(anna, asset)
    async with live.database.transaction() as session:
        kinds = list(await session.scalars(text("SELECT kind FROM job")))
    assert kinds == ["integrity.verify"]


async def test_a_file_that_was_never_finished_is_not_given(anna: Person, live: Runtime) -> None:
    """Whoever may change rows cannot pass an unfinished file, whose key binds no size, off as a finished one."""
    asset = await keep(anna)
    async with live.database.transaction() as session:
        await session.execute(text("UPDATE file SET state = 'filling'"))
    assert code_of(await original(anna, asset)) == "damaged"


async def test_sending_a_damaged_photo_again_mends_it(anna: Person, live: Runtime) -> None:
    asset = await keep(anna)
    async with live.database.transaction() as session:
        key = str(await session.scalar(text("SELECT key FROM object")))
        await session.execute(text("UPDATE object SET damage = 'gone', damaged_at = now()"))
    await live.store.delete(key)
    question = {"library_id": anna.library, "hashes": [hashlib.sha256(PHOTO).hexdigest()]}
    assert (await anna.post("/assets/check", question)).json()["items"][0]["asset_id"] is None
    again = await keep(anna)
    assert (again["id"], again["duplicate"]) == (asset["id"], True)
    assert (await original(anna, asset)).content == PHOTO
    assert (await usage_of(anna))["originals"] == len(PHOTO)
    assert (await anna.post("/assets/check", question)).json()["items"][0]["asset_id"] == asset["id"]


# Lists


async def test_a_list_is_paged_from_the_latest(anna: Person) -> None:
    made = [(await keep(anna, bytes([n]) * 10, f"{n}.jpg"))["id"] for n in range(5)]
    seen, cursor = [], None
    while True:
        query = {"library": anna.library, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await anna.get("/assets", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]


# Zip


async def test_a_zip_holds_the_originals_under_names_of_their_own(anna: Person) -> None:
    bodies = {"a.jpg": b"1" * 10, "Ё.jpg": LARGE, "empty": b""}
    ids = [(await keep(anna, body, name))["id"] for name, body in bodies.items()]
    ids.append((await keep(anna, b"2" * 10, "A.jpg"))["id"])
    made = await anna.post("/selections", {"library_id": anna.library, "asset_ids": ids, "name": "Фото"})
    answer = await anna.http.get(made.json()["zip"])
    assert answer.headers["content-type"] == "application/zip"
    assert "filename*=UTF-8''%D0%A4" in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == bodies | {"A (2).jpg": b"2" * 10}


async def test_a_zip_names_what_it_could_not_read(anna: Person, live: Runtime) -> None:
    sound, broken = await keep(anna, b"sound", "sound.jpg"), await keep(anna, b"broken", "broken.jpg")
    made = await anna.post("/selections", {"library_id": anna.library, "asset_ids": [sound["id"], broken["id"]]})
    async with live.database.transaction() as session:
        key = await session.scalar(
            text("SELECT key FROM object JOIN asset ON original_id = file_id WHERE asset.id = :id"),
            {"id": broken["id"]},
        )
    await live.store.delete(str(key))
    archive = zipfile.ZipFile(io.BytesIO((await anna.http.get(made.json()["zip"])).content))
    assert archive.read("sound.jpg") == b"sound"
    assert b"broken.jpg" in archive.read("NOT IN THIS ARCHIVE.txt")


async def test_a_zip_waits_for_a_store_that_is_away(
    anna: Person, live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = await keep(anna)
    made = await anna.post("/selections", {"library_id": anna.library, "asset_ids": [asset["id"]]})

    def away(*_arguments: object) -> Any:
        raise StoreUnavailable("away")

    monkeypatch.setattr(live.store, "read_range", away)
    assert code_of(await anna.http.get(made.json()["zip"])) == "unavailable"


async def test_a_selection_is_of_ones_own_assets_only(anna: Person, person: MakePerson) -> None:
    boris = await person("boris@example.org")
    hers, his = await keep(anna), await keep(boris)
    both = {"library_id": boris.library, "asset_ids": [hers["id"], his["id"]]}
    assert (await boris.post("/selections", both)).status_code == 404
    made = await anna.post("/selections", {"library_id": anna.library, "asset_ids": [hers["id"]]})
    assert (await boris.http.get(made.json()["zip"])).status_code == 404


# Trash


async def usage_of(person: Person) -> dict[str, int]:
    found = (await person.get(f"/libraries/{person.library}/usage")).json()
    return {name: found[name] for name in ("assets", "originals", "trash", "renditions")}


async def test_into_the_trash_and_out_of_it(anna: Person) -> None:
    asset = await keep(anna)
    assert await usage_of(anna) == {"assets": 1, "originals": len(PHOTO), "trash": 0, "renditions": 0}
    for _ in range(2):  # doing it twice is doing it once
        moved = await anna.post("/assets/trash", {"ids": [asset["id"]]})
        assert moved.json()["items"][0]["trashed_at"] is not None
        assert await usage_of(anna) == {"assets": 0, "originals": 0, "trash": len(PHOTO), "renditions": 0}
    assert (await anna.get(f"/assets?library={anna.library}")).json()["items"] == []
    trashed = (await anna.get(f"/assets?library={anna.library}&state=trashed")).json()["items"]
    assert [item["id"] for item in trashed] == [asset["id"]]
    assert (await original(anna, asset)).content == PHOTO
    for _ in range(2):
        moved = await anna.post("/assets/restore", {"ids": [asset["id"]]})
        assert moved.json()["items"][0]["trashed_at"] is None
        assert await usage_of(anna) == {"assets": 1, "originals": len(PHOTO), "trash": 0, "renditions": 0}


async def test_sending_what_is_in_the_trash_takes_it_out(anna: Person) -> None:
    asset = await keep(anna)
    await anna.delete(f"/assets/{asset['id']}")
    assert (await keep(anna))["id"] == asset["id"]
    assert await usage_of(anna) == {"assets": 1, "originals": len(PHOTO), "trash": 0, "renditions": 0}


@pytest.mark.parametrize("sent", ["whole", "part"])
async def test_sending_one_of_what_is_shown_together_takes_all_of_it_out(
    anna: Person, live: Runtime, sent: str
) -> None:
    contents = {"whole": b"picture", "part": b"raw"}
    ids = {name: (await keep(anna, content, f"{name}.jpg"))["id"] for name, content in contents.items()}
    alone = (await keep(anna, b"another", "other.jpg"))["id"]
    async with live.database.transaction() as session:
        together = text("UPDATE asset SET shown_with = :whole, part = 'raw' WHERE id = :part")
        await session.execute(together, ids)
    await anna.post("/assets/trash", {"ids": [ids["whole"], alone]})
    assert (await keep(anna, contents[sent]))["id"] == ids[sent]
    left = (await anna.get(f"/assets?library={anna.library}&state=trashed")).json()["items"]
    assert [item["id"] for item in left] == [alone]
    assert await usage_of(anna) == {"assets": 2, "originals": 10, "trash": 7, "renditions": 0}


async def test_out_of_the_trash_only_where_there_is_room(anna: Person, live: Runtime) -> None:
    asset = await keep(anna)
    await anna.delete(f"/assets/{asset['id']}")
    async with live.database.transaction() as session:
        await session.execute(text("UPDATE usage SET quota = 1000, counts_trash = false"))
    assert code_of(await anna.post("/assets/restore", {"ids": [asset["id"]]})) == "quota-exceeded"
    async with live.database.transaction() as session:
        await session.execute(text("UPDATE usage SET quota = 100000"))
    assert (await anna.post("/assets/restore", {"ids": [asset["id"]]})).status_code == 200


async def test_only_what_is_in_the_trash_is_purged(anna: Person, live: Runtime) -> None:
    asset = await keep(anna)
    assert code_of(await anna.post("/assets/purge", {"ids": [asset["id"]]})) == "not-found"
    await anna.delete(f"/assets/{asset['id']}")
    assert (await anna.post("/assets/purge", {"ids": [asset["id"]]})).status_code == 204
    assert code_of(await anna.get(f"/assets/{asset['id']}")) == "not-found"
    assert code_of(await original(anna, asset)) == "not-found"
    assert await usage_of(anna) == {"assets": 0, "originals": 0, "trash": 0, "renditions": 0}
    async with live.database.transaction() as session:
        counts = [
            await session.scalar(text(f"SELECT count(*) FROM {table}")) for table in ("file", "object", "asset_name")
        ]
        assert counts == [0, 0, 0]
        assert await session.scalar(text("SELECT count(*) FROM tombstone")) == 1
        assert await session.scalar(text("SELECT count(*) FROM deletion")) == 1
    # And the same bytes are a new asset.
    assert (await keep(anna))["duplicate"] is False


async def test_of_some_assets_all_are_moved_or_none(anna: Person, person: MakePerson) -> None:
    boris = await person("boris@example.org")
    hers, his = await keep(anna), await keep(boris)
    for what in ("trash", "restore", "purge"):
        assert (await boris.post(f"/assets/{what}", {"ids": [his["id"], hers["id"]]})).status_code == 404
    assert (await boris.get(f"/assets/{his['id']}")).json()["trashed_at"] is None


async def test_the_trash_keeps_for_its_days(anna: Person, live: Runtime) -> None:
    old, young = await keep(anna, b"old"), await keep(anna, b"young")
    await anna.post("/assets/trash", {"ids": [old["id"], young["id"]]})
    async with live.database.transaction() as session:
        await session.execute(
            text("UPDATE asset SET trashed_at = now() - interval '31 days' WHERE id = :id"), {"id": old["id"]}
        )
    async with live.database.transaction() as session:
        assert await assets.purge_old(session, timedelta(days=30)) == 1
    left = (await anna.get(f"/assets?library={anna.library}&state=trashed")).json()["items"]
    assert [item["id"] for item in left] == [young["id"]]


async def test_emptying_the_trash_destroys_what_was_in_it_then(anna: Person, live: Runtime) -> None:
    gone, later, kept = [await keep(anna, body) for body in (b"gone", b"later", b"kept")]
    await anna.delete(f"/assets/{gone['id']}")
    assert (await anna.post(f"/libraries/{anna.library}/trash/empty")).status_code == 202
    await anna.delete(f"/assets/{later['id']}")
    async with live.database.transaction() as session:
        await session.execute(text("DELETE FROM job WHERE kind != 'assets.empty_trash'"))
    assert await JobRunner(live, JOBS, QUEUES, "w1").run_one()
    left = (await anna.get(f"/assets?library={anna.library}&state=trashed")).json()["items"]
    assert [item["id"] for item in left] == [later["id"]]
    assert (await original(anna, kept)).content == b"kept"
    assert code_of(await original(anna, gone)) == "not-found"


async def test_usage_agrees_with_what_there_is(anna: Person, live: Runtime) -> None:
    made = [await keep(anna, bytes([n]) * (n + 1)) for n in range(6)]
    await anna.post("/assets/trash", {"ids": [one["id"] for one in made[:3]]})
    await anna.post("/assets/restore", {"ids": [made[0]["id"]]})
    await anna.post("/assets/purge", {"ids": [made[1]["id"]]})
    await rendition(live, made[5], b"preview")
    await rendition(live, made[5], b"another preview")
    async with live.database.transaction() as session:
        counted = await usage.recount(session, UUID(anna.library))
    shown = await usage_of(anna)
    assert (shown["originals"], shown["renditions"], shown["trash"]) == counted == (1 + 4 + 5 + 6, 15, 3)


async def test_a_library_with_assets_is_not_deleted(anna: Person) -> None:
    asset = await keep(anna)
    assert code_of(await anna.delete(f"/libraries/{anna.library}")) == "library-not-empty"
    await anna.delete(f"/assets/{asset['id']}")
    assert code_of(await anna.delete(f"/libraries/{anna.library}")) == "library-not-empty"
    await anna.post("/assets/purge", {"ids": [asset["id"]]})
    assert (await anna.delete(f"/libraries/{anna.library}")).status_code == 204


# Renditions


async def rendition(live: Runtime, asset: dict[str, Any], body: bytes, name: str = "preview") -> None:
    made = await renditions.write(live.vault, UUID(asset["library_id"]), name, "image/webp", stream(body))
    async with live.database.transaction() as session:
        row = await session.get_one(Asset, UUID(asset["id"]))
        await renditions.keep(session, live.vault.keys, row, [made])


async def test_a_rendition_is_given_by_a_link_without_sign_in(anna: Person, stranger: NewPerson, live: Runtime) -> None:
    asset = await keep(anna)
    await rendition(live, asset, b"preview")
    [shown] = (await anna.get(f"/assets/{asset['id']}/renditions")).json()["items"]
    for somebody in (stranger(), anna):
        answer = await somebody.http.get(shown["link"])
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"preview", "image/webp")
    plain = shown["link"].partition("?")[0]
    assert (await anna.http.get(plain)).content == b"preview"
    assert (await stranger().http.get(plain)).status_code == 401


async def test_a_changed_or_old_link_is_refused(anna: Person, stranger: NewPerson, live: Runtime) -> None:
    asset = await keep(anna)
    for name in ("preview", "thumbnail"):
        await rendition(live, asset, name.encode(), name)
    link = next(item["link"] for item in (await anna.get(f"/assets/{asset['id']}/renditions")).json()["items"])
    signature = link.rpartition("=")[2]
    for changed in (
        link.replace("/preview", "/thumbnail"),
        link.replace("expires=", "expires=1"),
        re.sub("expires=[0-9]+", "expires=1000000000", link),
        link.replace(signature, signature[::-1]),
        link.replace(signature, "x"),
        link.replace(signature, "%C3%A9"),
    ):
        assert (await stranger().http.get(changed)).status_code == 403, changed


# Who may


async def test_viewers_look_and_editors_change(anna: Person, person: MakePerson) -> None:
    boris = await person("boris@example.org")
    asset = await keep(anna)
    invite = await anna.post(f"/libraries/{anna.library}/invites", {"role": "viewer"})
    token = invite.json()["link"].partition("#")[2]
    assert (await boris.post("/links/join", {"token": token})).status_code == 200
    assert (await original(boris, asset)).content == PHOTO
    for what in ("trash", "restore", "purge"):
        assert code_of(await boris.post(f"/assets/{what}", {"ids": [asset["id"]]})) == "forbidden"
    assert (await boris.http.post(f"/api/v1/assets?library={anna.library}", content=b"x")).status_code == 403


# Quotas


async def test_an_admin_sets_a_quota_and_sees_every_library(anna: Person, person: MakePerson) -> None:
    admin = await person("admin@example.org", admin=True)
    await keep(anna)
    assert (await anna.put(f"/libraries/{anna.library}/quota", {"quota": 5})).status_code == 403
    answer = await admin.put(f"/libraries/{anna.library}/quota", {"quota": 5})
    assert (answer.json()["quota"], answer.json()["counted"]) == (5, len(PHOTO))
    all_of_them = (await admin.get("/reports/usage?everybody=true")).json()["items"]
    assert anna.library in [item["library_id"] for item in all_of_them]
    assert [item["library_id"] for item in (await admin.get("/reports/usage")).json()["items"]] == [admin.library]
    assert (await anna.get("/reports/usage?everybody=true")).status_code == 403
    refused = await anna.http.post(f"/api/v1/assets?library={anna.library}", content=b"more")
    assert code_of(refused) == "quota-exceeded"
    assert (await admin.put(f"/libraries/{anna.library}/quota", {"quota": None})).status_code == 200
    assert (await keep(anna, b"more"))["size"] == 4


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=70_000), st.integers(0, 80_000), st.integers(0, 80_000))
async def test_any_range_of_any_photo(anna: Person, body: bytes, first: int, last: int) -> None:
    asset = await keep(anna, body)
    answer = await original(anna, asset, Range=f"bytes={first}-{last}")
    if last < first:
        assert (answer.status_code, answer.content) == (200, body)
    elif first >= len(body):
        assert answer.status_code == 416
    else:
        assert (answer.status_code, answer.content) == (206, body[first : last + 1])
