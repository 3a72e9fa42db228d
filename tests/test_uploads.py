"""The upload protocol, header by header: tus 1.0 and its extensions, and who may do what."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from archive.errors import TooLarge
from archive.runtime import Runtime
from archive.uploads import service as uploads
from archive.uploads import writing
from archive.vault.files import OBJECT_BYTES
from tests.conftest import MakePerson
from tests.support.people import Person, code_of
from tests.support.uploading import caller_of

random.seed(2)
TYPE = "application/offset+octet-stream"
PHOTO = random.randbytes(300_000)


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def checksum(algorithm: str, content: bytes) -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


class Client:
    """Somebody who speaks tus."""

    def __init__(self, person: Person) -> None:
        self.person = person

    async def ask(self, method: str, path: str = "/uploads", content: Any = None, **headers: Any) -> httpx.Response:
        named = {name.replace("_", "-"): str(value) for name, value in headers.items() if value is not None}
        named = {"Tus-Resumable": "1.0.0"} | named
        address = path if path.startswith("/api") else "/api/v1" + path
        return await self.person.http.request(method, address, content=content, headers=named)

    async def create(self, length: int | None, **headers: Any) -> str:
        named = {"Upload_Length": length} if length is not None else {"Upload_Defer_Length": 1}
        answer = await self.ask("POST", **{**headers, **named})
        assert answer.status_code == 201, answer.text
        assert answer.headers["tus-resumable"] == "1.0.0"
        return answer.headers["location"]

    async def patch(self, path: str, offset: int, content: Any, **headers: Any) -> httpx.Response:
        return await self.ask("PATCH", path, content, Upload_Offset=offset, Content_Type=TYPE, **headers)

    async def offset(self, path: str) -> int:
        answer = await self.ask("HEAD", path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        return int(answer.headers["upload-offset"])

    async def original(self, asset_id: str) -> bytes:
        return (await self.person.get(f"/assets/{asset_id}/original")).content


@pytest.fixture
async def anna(person: MakePerson) -> Client:
    return Client(await person())


@pytest.fixture
def live(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


async def rows(live: Runtime, statement: str) -> int:
    async with live.database.transaction() as session:
        return int(await session.scalar(text(statement)) or 0)


# The way of one upload


async def test_the_server_says_what_it_speaks(anna: Client) -> None:
    answer = await anna.person.http.options("/api/v1/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation", "creation-with-upload", "creation-defer-length", "checksum", "expiration", "termination",
        "concatenation",
    }  # fmt: skip
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"
    assert int(answer.headers["tus-max-size"]) > 0


async def test_an_upload_in_pieces_becomes_an_asset(anna: Client) -> None:
    path = await anna.create(len(PHOTO), Upload_Metadata=metadata(filename="Финиш 🏁.jpg", filetype="image/jpeg"))
    assert await anna.offset(path) == 0
    for start in range(0, len(PHOTO), 100_000):
        answer = await anna.patch(path, start, PHOTO[start : start + 100_000])
        assert answer.status_code == 204, answer.text
        assert answer.headers["upload-offset"] == str(start + 100_000)
    assert answer.headers["upload-duplicate"] == "false"
    asset = (await anna.person.get("/assets/" + answer.headers["upload-asset"])).json()
    assert (asset["name"], asset["media_type"], asset["size"]) == ("Финиш 🏁.jpg", "image/jpeg", len(PHOTO))
    assert await anna.original(asset["id"]) == PHOTO
    shown = (await anna.ask("GET", path)).json()
    assert (shown["state"], shown["asset_id"]) == ("finished", asset["id"])


async def test_creation_may_bring_all_bytes_or_some(anna: Client) -> None:
    whole = await anna.ask("POST", content=PHOTO, Upload_Length=len(PHOTO), Content_Type=TYPE)
    assert (whole.status_code, whole.headers["upload-offset"]) == (201, str(len(PHOTO)))
    assert await anna.original(whole.headers["upload-asset"]) == PHOTO
    some = await anna.ask("POST", content=b"abc", Upload_Length=6, Content_Type=TYPE)
    assert some.headers["upload-offset"] == "3"
    rest = await anna.patch(some.headers["location"], 3, b"def")
    assert await anna.original(rest.headers["upload-asset"]) == b"abcdef"


async def test_an_empty_file_is_a_file(anna: Client) -> None:
    answer = await anna.ask("POST", Upload_Length=0)
    assert await anna.original(answer.headers["upload-asset"]) == b""


async def test_the_length_may_come_later(anna: Client) -> None:
    path = await anna.create(None)
    assert (await anna.ask("HEAD", path)).headers["upload-defer-length"] == "1"
    assert (await anna.patch(path, 0, b"abc")).status_code == 204
    last = await anna.patch(path, 3, b"def", Upload_Length=6)
    assert await anna.original(last.headers["upload-asset"]) == b"abcdef"
    assert (await anna.ask("HEAD", path)).headers["upload-length"] == "6"


async def test_a_length_is_said_once(anna: Client) -> None:
    path = await anna.create(None)
    await anna.patch(path, 0, b"abc")
    assert code_of(await anna.patch(path, 3, b"", Upload_Length=2)) == "offset-mismatch"
    assert (await anna.patch(path, 3, b"", Upload_Length=6)).status_code == 204
    assert code_of(await anna.patch(path, 3, b"", Upload_Length=7)) == "conflict"
    # A request that is refused declares nothing.
    other = await anna.create(None)
    assert code_of(await anna.patch(other, 1, b"", Upload_Length=5)) == "offset-mismatch"
    assert (await anna.ask("HEAD", other)).headers["upload-defer-length"] == "1"


async def test_an_upload_larger_than_an_object_comes_back(anna: Client) -> None:
    content = random.randbytes(2 * OBJECT_BYTES + 5)
    path = await anna.create(len(content), Upload_Metadata=metadata(sha256=hashlib.sha256(content).hexdigest()))
    done = await anna.patch(path, 0, content)
    assert await anna.original(done.headers["upload-asset"]) == content


async def test_another_process_may_finish_what_one_began(anna: Client, live: Runtime) -> None:
    path = await anna.create(6, Upload_Metadata=metadata(sha256=hashlib.sha256(b"abcdef").hexdigest()))
    await anna.patch(path, 0, b"abc")
    live.hashes._kept.clear()  # what another process does not have
    done = await anna.patch(path, 3, b"def")
    assert await anna.original(done.headers["upload-asset"]) == b"abcdef"


async def test_an_upload_in_crumbs_is_written_anew(anna: Client, live: Runtime) -> None:
    path = await anna.create(20)
    for start in range(20):
        done = await anna.patch(path, start, PHOTO[start : start + 1])
    assert await anna.original(done.headers["upload-asset"]) == PHOTO[:20]
    assert await rows(live, "SELECT count(*) FROM object") == 1
    assert await rows(live, "SELECT count(*) FROM deletion") == 20


# Headers that are wrong


@pytest.mark.parametrize(
    ("method", "headers", "status", "code"),
    [
        ("POST", {"Tus_Resumable": "0.2.2", "Upload_Length": 1}, 412, "upload-version"),
        ("POST", {}, 400, "upload-refused"),
        ("POST", {"Upload_Length": -1}, 400, "upload-refused"),
        ("POST", {"Upload_Length": "ten"}, 400, "upload-refused"),
        ("POST", {"Upload_Length": "1" * 19}, 400, "upload-refused"),
        ("POST", {"Upload_Length": 1 << 41}, 413, "upload-too-large"),
        ("POST", {"Upload_Length": 1, "Upload_Defer_Length": 1}, 400, "upload-refused"),
        ("POST", {"Upload_Defer_Length": 2}, 400, "upload-refused"),
        ("POST", {"Upload_Length": 1, "Upload_Metadata": "filename !!"}, 400, "upload-refused"),
        ("POST", {"Upload_Length": 1, "Upload_Metadata": "filename YQ==,filename YQ=="}, 400, "upload-refused"),
        ("POST", {"Upload_Length": 1, "Upload_Metadata": "filename /w=="}, 400, "upload-refused"),
        ("POST", {"Upload_Length": 1, "Upload_Metadata": metadata(sha256="abc")}, 400, "upload-refused"),
        ("POST", {"Upload_Length": 1, "Upload_Metadata": metadata(library="mine")}, 422, "invalid-value"),
        ("POST", {"Upload_Length": 1, "Upload_Concat": "some"}, 400, "upload-refused"),
        ("PATCH", {"Upload_Offset": 0}, 415, "upload-body-type"),
        ("PATCH", {"Upload_Offset": 0, "Content_Type": "image/jpeg"}, 415, "upload-body-type"),
        ("PATCH", {"Content_Type": TYPE}, 400, "upload-refused"),
        ("PATCH", {"Content_Type": TYPE, "Upload_Offset": "x"}, 400, "upload-refused"),
        ("PATCH", {"Content_Type": TYPE, "Upload_Offset": 3}, 409, "offset-mismatch"),
        ("PATCH", {"Content_Type": TYPE, "Upload_Offset": 0, "Upload_Checksum": "md5 YQ=="}, 400, "upload-refused"),
        ("PATCH", {"Content_Type": TYPE, "Upload_Offset": 0, "Upload_Checksum": "sha1 YQ=="}, 400, "upload-refused"),
        ("PATCH", {"Content_Type": TYPE, "Upload_Offset": 0, "Upload_Checksum": "sha1"}, 400, "upload-refused"),
    ],
)
async def test_what_is_wrong_is_said(
    anna: Client, method: str, headers: dict[str, Any], status: int, code: str
) -> None:
    path = await anna.create(10) if method == "PATCH" else "/uploads"
    answer = await anna.ask(method, path, b"abc" if method == "PATCH" else None, **headers)
    assert (answer.status_code, code_of(answer)) == (status, code)
    if method == "PATCH":
        assert await anna.offset(path) == 0
    assert answer.headers["tus-resumable"] == "1.0.0"
    if status == 412:
        assert answer.headers["tus-version"] == "1.0.0"


async def test_a_wrong_offset_says_the_right_one(anna: Client) -> None:
    path = await anna.create(10)
    await anna.patch(path, 0, b"abc")
    for wrong in (0, 2, 4, 11):
        answer = await anna.patch(path, wrong, b"xyz")
        assert (answer.status_code, answer.headers["upload-offset"]) == (409, "3")


async def test_more_than_was_announced_is_refused(anna: Client) -> None:
    path = await anna.create(5)
    answer = await anna.patch(path, 0, b"abcdefgh")
    assert (answer.status_code, code_of(answer)) == (413, "upload-too-large")
    assert await anna.offset(path) in {0, 5}
    assert (await anna.person.get(f"/assets?library={anna.person.library}")).json()["items"] == []


# Checksums


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_a_piece_with_the_right_checksum_is_taken(anna: Client, algorithm: str) -> None:
    path = await anna.create(len(PHOTO))
    answer = await anna.patch(path, 0, PHOTO, Upload_Checksum=checksum(algorithm, PHOTO))
    assert answer.status_code == 204
    assert await anna.original(answer.headers["upload-asset"]) == PHOTO


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_a_piece_with_the_wrong_checksum_is_not(anna: Client, live: Runtime, algorithm: str) -> None:
    path = await anna.create(6)
    answer = await anna.patch(path, 0, b"abX", Upload_Checksum=checksum(algorithm, b"abc"))
    assert (answer.status_code, code_of(answer)) == (460, "checksum-mismatch")
    assert await anna.offset(path) == 0
    assert await rows(live, "SELECT count(*) FROM deletion") == 1
    await anna.patch(path, 0, b"abc", Upload_Checksum=checksum(algorithm, b"abc"))
    done = await anna.patch(path, 3, b"def")
    assert await anna.original(done.headers["upload-asset"]) == b"abcdef"


async def test_a_checksum_counts_for_bytes_that_come_with_the_creation(anna: Client) -> None:
    headers: dict[str, Any] = {"Upload_Length": 3, "Content_Type": TYPE}
    wrong = await anna.ask("POST", content=b"abX", Upload_Checksum=checksum("sha256", b"abc"), **headers)
    assert (wrong.status_code, code_of(wrong)) == (460, "checksum-mismatch")
    right = await anna.ask("POST", content=b"abc", Upload_Checksum=checksum("sha256", b"abc"), **headers)
    assert await anna.original(right.headers["upload-asset"]) == b"abc"


@pytest.mark.parametrize("forgotten", [False, True])
async def test_other_bytes_than_announced_are_discarded(anna: Client, live: Runtime, forgotten: bool) -> None:
    path = await anna.create(6, Upload_Metadata=metadata(sha256=hashlib.sha256(b"abcdef").hexdigest()))
    await anna.patch(path, 0, b"abc")
    if forgotten:
        live.hashes._kept.clear()  # what another process does not have
    answer = await anna.patch(path, 3, b"deX")
    assert (answer.status_code, code_of(answer)) == (460, "checksum-mismatch")
    assert code_of(await anna.patch(path, 6, b"")) == "upload-gone"
    assert await rows(live, "SELECT count(*) FROM file") == 0


# Ending


async def test_a_terminated_upload_is_gone(anna: Client, live: Runtime) -> None:
    path = await anna.create(6)
    await anna.patch(path, 0, b"abc")
    assert (await anna.ask("DELETE", path)).status_code == 204
    for method in ("HEAD", "DELETE"):
        assert (await anna.ask(method, path)).status_code == 410
    assert code_of(await anna.patch(path, 3, b"def")) == "upload-gone"
    assert await rows(live, "SELECT count(*) FROM file") == 0
    assert await rows(live, "SELECT count(*) FROM deletion") == 1


async def test_a_finished_upload_cannot_be_terminated(anna: Client) -> None:
    path = await anna.create(3)
    await anna.patch(path, 0, b"abc")
    assert code_of(await anna.ask("DELETE", path)) == "conflict"


async def test_an_expired_upload_is_gone_and_its_bytes_too(anna: Client, live: Runtime) -> None:
    path = await anna.create(6)
    answer = await anna.patch(path, 0, b"abc")
    assert answer.headers["upload-expires"].endswith("GMT")
    async with live.database.transaction() as session:
        await session.execute(text("UPDATE upload SET expires_at = now() - interval '1 second'"))
    assert code_of(await anna.patch(path, 3, b"def")) == "upload-gone"
    async with live.database.transaction() as session:
        assert await uploads.expire(session) == 1
    assert (await anna.ask("HEAD", path)).status_code == 410
    assert await rows(live, "SELECT count(*) FROM file") == 0
    async with live.database.transaction() as session:
        await session.execute(text("UPDATE upload SET expires_at = now() - interval '1 second'"))
        assert await uploads.expire(session) == 0
    assert (await anna.ask("HEAD", path)).status_code == 404


async def test_what_was_acknowledged_whole_does_not_expire(anna: Client, live: Runtime) -> None:
    path = await anna.create(6)
    await anna.patch(path, 0, b"abc")
    async with live.database.transaction() as session:  # as if the last request had died before it made the asset
        await session.execute(text("UPDATE upload SET length = 3, expires_at = now() - interval '1 second'"))
    async with live.database.transaction() as session:
        await uploads.expire(session)
    assert await rows(live, "SELECT count(*) FROM job WHERE kind = 'uploads.finish' AND state = 'ready'") == 1
    done = await anna.ask("HEAD", path)
    assert await anna.original(done.headers["upload-asset"]) == b"abc"


async def test_a_length_that_is_declared_meanwhile_holds(anna: Client, live: Runtime) -> None:
    path = await anna.create(None)
    upload_id = UUID(path.rpartition("/")[2])
    caller = caller_of(anna.person)
    writer = await writing.claim(live.intake, caller, upload_id, 0)

    async def body() -> AsyncIterator[bytes]:
        yield b"abc"
        async with live.database.transaction() as session:
            await uploads.declare_length(session, caller, live.intake.limits, upload_id, 3)
        yield b"defg"

    with pytest.raises(TooLarge):
        await writing.receive(live.intake, writer, body())
    await writing.let_go(live.database, writer)
    done = await anna.patch(path, 0, b"xyz")
    assert await anna.original(done.headers["upload-asset"]) == b"xyz"


async def test_finishing_that_takes_long_is_not_taken_over(
    anna: Client, live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LEASE", timedelta(seconds=0.5))
    monkeypatch.setattr(writing, "_BEAT", 0.1)
    path = await anna.create(3)
    async with live.database.transaction() as session:
        await session.execute(text("UPDATE upload SET length = NULL"))
    await anna.patch(path, 0, b"abc")
    async with live.database.transaction() as session:
        await session.execute(text("UPDATE upload SET length = 3"))
    live.hashes._kept.clear()
    slow, reading_began = asyncio.Event(), asyncio.Event()
    read_range = live.store.read_range

    async def slowly(*arguments: Any) -> AsyncIterator[bytes]:
        reading_began.set()
        await slow.wait()
        async for piece in read_range(*arguments):
            yield piece

    monkeypatch.setattr(live.store, "read_range", slowly)
    first = asyncio.create_task(anna.ask("HEAD", path))
    await reading_began.wait()
    await asyncio.sleep(1)
    second = await anna.ask("HEAD", path)
    assert (second.headers["upload-offset"], "upload-asset" in second.headers) == ("3", False)
    slow.set()
    assert "upload-asset" in (await first).headers


async def test_an_announced_hash_is_not_in_the_database(anna: Client, live: Runtime) -> None:
    digest = hashlib.sha256(b"abcdef").hexdigest()
    path = await anna.create(6, Upload_Metadata=metadata(filename="a.jpg", sha256=digest))
    kept = (await anna.ask("HEAD", path)).headers["upload-metadata"]
    assert kept == metadata(filename="a.jpg")
    assert await rows(live, f"SELECT count(*) FROM upload WHERE upload::text LIKE '%{digest[:20]}%'") == 0


async def test_methods_may_be_overridden(anna: Client) -> None:
    path = await anna.create(3)
    override = {"X_HTTP_Method_Override": "PATCH", "Upload_Offset": 0, "Content_Type": TYPE}
    assert (await anna.ask("POST", path, b"abc", **override)).status_code == 204
    assert (await anna.ask("POST", path, X_HTTP_Method_Override="HEAD")).headers["upload-offset"] == "3"
    assert code_of(await anna.ask("POST", path, X_HTTP_Method_Override="PUT")) == "upload-refused"


# Concatenation


async def parts(anna: Client, *contents: bytes) -> list[str]:
    made = []
    for content in contents:
        path = await anna.create(len(content), Upload_Concat="partial")
        assert (await anna.patch(path, 0, content)).status_code == 204
        made.append(path)
    return made


async def test_parts_are_put_together_in_the_order_they_are_named(anna: Client, live: Runtime) -> None:
    pieces = [PHOTO[:100_000], PHOTO[100_000:250_000], PHOTO[250_000:]]
    paths = await parts(anna, *reversed(pieces))
    assert (await anna.ask("HEAD", paths[0])).headers["upload-concat"] == "partial"
    final = await anna.ask("POST", Upload_Concat="final;" + " ".join(reversed(paths)))
    assert final.status_code == 201
    assert await anna.original(final.headers["upload-asset"]) == PHOTO
    head = await anna.ask("HEAD", final.headers["location"])
    assert (head.headers["upload-concat"], head.headers["upload-length"]) == (
        "final;" + " ".join(reversed(paths)),
        "300000",
    )
    part = await anna.ask("HEAD", paths[0])
    assert (part.headers["upload-offset"], part.headers["upload-asset"]) == ("50000", final.headers["upload-asset"])
    assert await rows(live, "SELECT count(*) FROM file") == 1
    assert code_of(await anna.patch(final.headers["location"], 300_000, b"x")) == "forbidden"
    again = await anna.ask("POST", Upload_Concat="final;" + " ".join(reversed(paths)))
    assert again.headers["location"] == final.headers["location"]


async def test_parts_that_do_not_fit_are_refused(anna: Client, person: MakePerson) -> None:
    whole, unfinished = await anna.create(3), await anna.create(3, Upload_Concat="partial")
    [part] = await parts(anna, b"abc")
    boris = Client(await person("boris@example.org"))
    [other] = await parts(boris, b"abc")
    refused = [
        ("final;" + whole, "invalid-value"),
        ("final;" + unfinished, "conflict"),
        ("final;" + part + " " + part, "invalid-value"),
        ("final;", "invalid-value"),
        ("final;" + other, "not-found"),
        ("final;/api/v1/uploads/none", "not-found"),
    ]
    for concat, code in refused:
        assert code_of(await anna.ask("POST", Upload_Concat=concat)) == code, concat
    too_many = " ".join(f"/api/v1/uploads/{uuid4()}" for _ in range(1001))
    assert code_of(await anna.ask("POST", Upload_Concat="final;" + too_many)) == "invalid-value"
    mismatch = await anna.ask(
        "POST", Upload_Concat="final;" + part, Upload_Metadata=metadata(sha256=hashlib.sha256(b"x").hexdigest())
    )
    assert mismatch.status_code == 460
    assert (await anna.ask("POST", Upload_Concat="final;" + part)).status_code == 201


async def test_the_same_parts_put_together_twice_at_once_are_one_upload(anna: Client) -> None:
    paths = await parts(anna, b"abc", b"def")
    concat = "final;" + " ".join(paths)
    both = await asyncio.gather(*(anna.ask("POST", Upload_Concat=concat) for _ in range(2)))
    assert [answer.status_code for answer in both] == [201, 201]
    assert len({answer.headers["location"] for answer in both}) == 1


# Duplicates


async def test_the_same_bytes_are_one_asset_with_every_name(anna: Client, live: Runtime) -> None:
    first = await anna.ask(
        "POST", content=PHOTO, Upload_Length=len(PHOTO), Content_Type=TYPE, Upload_Metadata=metadata(filename="a.jpg")
    )
    again = await anna.ask(
        "POST", content=PHOTO, Upload_Length=len(PHOTO), Content_Type=TYPE, Upload_Metadata=metadata(filename="b.jpg")
    )
    assert again.headers["upload-asset"] == first.headers["upload-asset"]
    assert (first.headers["upload-duplicate"], again.headers["upload-duplicate"]) == ("false", "true")
    asset = (await anna.person.get("/assets/" + first.headers["upload-asset"])).json()
    assert (asset["name"], asset["names"]) == ("a.jpg", ["a.jpg", "b.jpg"])
    assert await rows(live, "SELECT count(*) FROM file") == 1
    assert (await anna.person.get(f"/libraries/{anna.person.library}/usage")).json()["originals"] == len(PHOTO)


async def test_the_same_bytes_in_another_library_are_another_asset(anna: Client, person: MakePerson) -> None:
    boris = Client(await person("boris@example.org"))
    hers = await anna.ask("POST", content=b"abc", Upload_Length=3, Content_Type=TYPE)
    his = await boris.ask("POST", content=b"abc", Upload_Length=3, Content_Type=TYPE)
    assert his.headers["upload-duplicate"] == "false"
    assert his.headers["upload-asset"] != hers.headers["upload-asset"]


async def test_do_you_have_these(anna: Client) -> None:
    made = await anna.ask("POST", content=PHOTO, Upload_Length=len(PHOTO), Content_Type=TYPE)
    asset = made.headers["upload-asset"]
    sha256, sha1 = hashlib.sha256(PHOTO), hashlib.sha1(PHOTO)
    hashes = [
        sha256.hexdigest(), base64.b64encode(sha256.digest()).decode(), sha1.hexdigest(),
        base64.b64encode(sha1.digest()).decode(), "00" * 32,
    ]  # fmt: skip
    question = {"library_id": anna.person.library, "hashes": hashes}
    answer = (await anna.person.post("/assets/check", question)).json()["items"]
    assert [item["hash"] for item in answer] == hashes
    assert [item["asset_id"] for item in answer] == [asset] * 4 + [None]
    await anna.person.delete(f"/assets/{asset}")
    answer = (await anna.person.post("/assets/check", question)).json()["items"]
    assert [item["trashed"] for item in answer] == [True] * 4 + [False]
    wrong = await anna.person.post("/assets/check", question | {"hashes": ["what"]})
    assert code_of(wrong) == "upload-refused"


# In one request


async def test_a_photo_in_one_request(anna: Client) -> None:
    http, address = anna.person.http, "/api/v1/assets?name=a.jpg"
    first = await http.post(address, content=PHOTO, headers={"Content-Type": "image/jpeg"})
    assert first.status_code == 201, first.text
    assert first.json()["duplicate"] is False
    assert first.headers["location"] == f"/api/v1/assets/{first.json()['id']}"
    again = await http.post(address, content=PHOTO)
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert await anna.original(first.json()["id"]) == PHOTO


async def test_a_photo_of_unknown_length_in_one_request(anna: Client) -> None:
    async def pieces() -> Any:
        yield PHOTO[:1000]
        yield PHOTO[1000:]

    answer = await anna.person.http.post("/api/v1/assets", content=pieces())
    assert answer.status_code == 201
    assert await anna.original(answer.json()["id"]) == PHOTO


@pytest.mark.parametrize("how", ["query", "header"])
async def test_one_request_with_other_bytes_leaves_nothing(anna: Client, live: Runtime, how: str) -> None:
    digest = hashlib.sha256(b"other").digest()
    query = f"?sha256={digest.hex()}" if how == "query" else ""
    headers = {"Content-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:"} if how == "header" else {}
    answer = await anna.person.http.post("/api/v1/assets" + query, content=b"abc", headers=headers)
    assert (answer.status_code, code_of(answer)) == (460, "checksum-mismatch")
    assert await rows(live, "SELECT count(*) FROM file") == 0
    assert await rows(live, "SELECT count(*) FROM asset") == 0


# Who may


async def test_viewers_may_not_add_and_others_see_no_upload(anna: Client, person: MakePerson) -> None:
    boris = Client(await person("boris@example.org"))
    path = await anna.create(3)
    named = metadata(library=anna.person.library)
    assert (await boris.ask("POST", Upload_Length=3, Upload_Metadata=named)).status_code == 404
    for method in ("HEAD", "DELETE", "GET"):
        assert (await boris.ask(method, path)).status_code == 404
    invited = await anna.person.post(f"/libraries/{anna.person.library}/invites", {"role": "viewer"})
    joined = await boris.person.post("/links/join", {"token": invited.json()["link"].partition("#")[2]})
    assert joined.status_code == 200
    assert (await boris.ask("POST", Upload_Length=3, Upload_Metadata=named)).status_code == 403


async def test_a_key_needs_the_scope(anna: Client) -> None:
    for scopes, status in ((["read"], 403), (["upload"], 201)):
        key = (await anna.person.post("/apikeys", {"name": "camera", "scopes": scopes})).json()["key"]
        answer = await anna.ask("POST", Authorization=f"Bearer {key}", Upload_Length=3)
        assert answer.status_code == status, answer.text


async def test_with_several_libraries_one_is_named(anna: Client) -> None:
    second = (await anna.person.post("/libraries", {"name": "Second"})).json()["id"]
    assert code_of(await anna.ask("POST", Upload_Length=3)) == "invalid-value"
    path = await anna.create(3, Upload_Metadata=metadata(library=second))
    assert (await anna.ask("GET", path)).json()["library_id"] == second


# Room


async def set_quota(app: FastAPI, anna: Client, quota: int | None) -> None:
    async with app.state.runtime.database.transaction() as session:
        values = {"library": anna.person.library, "quota": quota}
        await session.execute(
            text(
                "INSERT INTO usage (library_id, quota) VALUES (:library, :quota) "
                "ON CONFLICT (library_id) DO UPDATE SET quota = :quota"
            ),
            values,
        )


async def test_room_is_reserved_before_the_first_byte(anna: Client, app: FastAPI) -> None:
    await set_quota(app, anna, 1000)
    path = await anna.create(600)
    refused = await anna.ask("POST", Upload_Length=600)
    assert (refused.status_code, code_of(refused)) == (507, "quota-exceeded")
    assert refused.json() | {"wanted": 600, "used": 0, "reserved": 600, "quota": 1000} == refused.json()
    await anna.ask("DELETE", path)
    assert (await anna.ask("POST", Upload_Length=600)).status_code == 201


async def test_an_upload_of_unknown_length_stops_where_the_room_ends(anna: Client, app: FastAPI) -> None:
    await set_quota(app, anna, 1000)
    path = await anna.create(None)
    assert (await anna.patch(path, 0, bytes(600))).status_code == 204
    assert code_of(await anna.patch(path, 600, bytes(600))) == "quota-exceeded"
    assert await anna.offset(path) == 600


async def test_the_trash_counts_until_it_is_emptied(anna: Client, app: FastAPI) -> None:
    await set_quota(app, anna, 1000)
    made = await anna.ask("POST", content=bytes(800), Upload_Length=800, Content_Type=TYPE)
    asset = made.headers["upload-asset"]
    await anna.person.delete(f"/assets/{asset}")
    assert code_of(await anna.ask("POST", Upload_Length=300)) == "quota-exceeded"
    assert (await anna.person.post("/assets/purge", {"ids": [asset]})).status_code == 204
    assert (await anna.ask("POST", Upload_Length=300)).status_code == 201
