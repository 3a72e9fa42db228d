"""What every request passes through: ids, limits, headers, and problem documents for whatever is wrong with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.cli.openapi import written
from api.problems import TABLE, kinds
from archive import errors
from archive.db import Database, create_engine
from tests.conftest import MakePerson, NewPerson
from tests.support.people import Person, code_of
from tests.test_events import served_again


@pytest.mark.parametrize(
    ("given", "kept"), [("abcd1234", True), ("short", False), ("has space in it", False), ("x" * 65, False)]
)
async def test_a_sensible_request_id_is_kept(stranger: NewPerson, given: str, kept: bool) -> None:
    answer = await stranger().get("/health/live", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is kept
    assert len(answer.headers["x-request-id"]) >= 8


async def test_every_answer_carries_the_security_headers(stranger: NewPerson) -> None:
    for path in ("/health/live", "/nothing-here", "/session"):
        headers = (await stranger().get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers
        assert "server" not in headers


async def test_https_is_remembered(stranger: NewPerson) -> None:
    asker = stranger()
    asker.http.base_url = "https://photos.test"
    assert "strict-transport-security" in (await asker.get("/health/live")).headers


async def raw(asker: Person, content: Any, **headers: str) -> httpx.Response:
    return await asker.http.post("/api/v1/session", content=content, headers=headers)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"email": 1, "password": []}', b'{"email":"a@b.c"}', b"NaN"],
)
async def test_bodies_that_cannot_be_read_are_explained(stranger: NewPerson, content: bytes) -> None:
    answer = await raw(stranger(), content, **{"Content-Type": "application/json"})
    assert code_of(answer) in {"invalid-request", "malformed-request"}


@pytest.mark.parametrize("text", ["nul\0nul", "\ud800"])
async def test_text_that_no_database_holds_is_refused(person: MakePerson, text: str) -> None:
    anna = await person()
    # Escaped by json.dumps: the bytes on the wire are plain ASCII.
    headers = {"Content-Type": "application/json"}
    answer = await anna.http.post("/api/v1/libraries", content=json.dumps({"name": text}), headers=headers)
    assert code_of(answer) == "invalid-request"
    assert answer.json()["errors"][0]["pointer"] == "/body/name"


async def test_a_misspelt_field_is_named(person: MakePerson) -> None:
    anna = await person()
    answer = await anna.patch("/account", {"nmae": "Anna"})
    assert answer.json()["errors"] == [{"pointer": "/body/nmae", "detail": "Extra inputs are not permitted"}]
    assert "/body/nmae" in answer.json()["detail"]


async def test_large_bodies_are_refused_before_they_are_read(stranger: NewPerson) -> None:
    assert code_of(await raw(stranger(), b"x" * ((1 << 20) + 1))) == "body-too-large"

    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 65536

    # Without a length, it is found out while reading.
    answer = await raw(stranger(), endless(), **{"Content-Type": "application/json"})
    assert code_of(answer) == "body-too-large"


async def test_what_is_not_there_and_what_cannot_be_done_there(stranger: NewPerson) -> None:
    assert code_of(await stranger().get("/nothing-here")) == "not-found"
    answer = await stranger().delete("/health")
    assert code_of(answer) == "method-not-allowed"
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("path", ["/libraries/not-a-uuid", "/jobs?limit=0", "/jobs?limit=abc", "/jobs?state=odd"])
async def test_wrong_parameters_are_named(person: MakePerson, path: str) -> None:
    admin = await person(admin=True)
    answer = await admin.get(path)
    assert code_of(answer) == "invalid-request"
    assert answer.json()["errors"][0]["pointer"].startswith(("/path/", "/query/"))


async def test_a_fault_of_ours_is_a_problem_document_too(app: FastAPI, stranger: NewPerson) -> None:
    @app.get("/api/v1/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    app.router.routes.insert(0, app.router.routes.pop())  # before the web client, which takes every address
    answer = await stranger().get("/broken")
    assert code_of(answer) == "internal-error"
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize("dsn", ["postgresql://nobody@127.0.0.1:1/nothing", "postgresql:///nothing?host=/nowhere"])
async def test_a_database_that_is_away_is_said_to_be(
    app: FastAPI, stranger: NewPerson, person: MakePerson, dsn: str
) -> None:
    anna = await person()
    engine = app.state.runtime.database.engine
    await engine.dispose()
    app.state.runtime = replaced_database(app, dsn)
    answer = await anna.get("/libraries")
    assert code_of(answer) == "unavailable"
    assert answer.headers["retry-after"] == "5"
    health = await stranger().get("/health")
    assert health.status_code == 503
    assert health.json()["status"] == "down"
    assert health.json()["checks"]["database"]["state"] == "down"
    assert health.json()["checks"]["store"]["state"] == "ok"
    assert (await stranger().get("/health/live")).status_code == 200


def replaced_database(app: FastAPI, dsn: str) -> Any:
    return replace(app.state.runtime, database=Database(create_engine(dsn)))


async def test_health_without_workers_is_degraded(stranger: NewPerson) -> None:
    body = (await stranger().get("/health")).json()
    assert body["status"] == "degraded"
    assert body["checks"]["workers"]["detail"] == "no worker is running; start one with 'tagphoto work'"


async def test_every_kind_of_problem_has_a_page(stranger: NewPerson) -> None:
    listed = (await stranger().get("/problems")).json()
    assert {row["code"] for row in listed} == {kind.code for kind in kinds()}
    for row in listed:
        assert (await stranger().get(f"/problems/{row['code']}")).json() == row
    assert code_of(await stranger().get("/problems/none-such")) == "not-found"


def test_every_expected_error_is_in_the_table() -> None:
    found: list[type[Exception]] = [errors.TagphotoError]
    for kind in found:
        found += kind.__subclasses__()
    named = {kind for kind in found if kind.__module__ == errors.__name__} - {
        errors.TagphotoError,
        errors.StartRefused,  # ends the start of the program, never a request
    }
    assert named == set(TABLE)
    order = list(TABLE)
    for index, kind in enumerate(order):
        assert not any(issubclass(later, kind) for later in order[index + 1 :]), f"{kind} hides a later one"


async def test_the_document_is_served_and_is_the_one_clients_are_generated_from(stranger: NewPerson) -> None:
    assert (await stranger().get("/openapi.json")).json() == json.loads(written())


async def test_an_admin_page_of_the_client_is_the_client(app: FastAPI) -> None:
    """Addresses that only the client knows are answered with its page, missing files and API paths are not."""
    async with served_again(app) as url, httpx.AsyncClient(base_url=url) as client:
        for path, status in (("/", 200), ("/jobs", 200), ("/assets/none.js", 404), ("/api/v1/none", 404)):
            answer = await client.get(path)
            assert answer.status_code == status, path
            assert ("<div id=" in answer.text) is (status == 200)
