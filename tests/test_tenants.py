"""Every route of the OpenAPI document, walked by people who must not see what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from api.cli.openapi import written
from archive.models import Group, Resolution
from archive.queue import kinds
from archive.queue.service import enqueue
from tests.conftest import MakePerson, NewPerson
from tests.support.people import Person

DOCUMENT: dict[str, Any] = json.loads(written())
# What anybody may ask; everything else needs a caller.
PUBLIC = {
    ("post", "/api/v1/session"),
    ("post", "/api/v1/links/inspect"),
    ("post", "/api/v1/links/accept"),
    ("post", "/api/v1/password-resets"),
    ("get", "/api/v1/health"),
    ("get", "/api/v1/health/live"),
    ("get", "/api/v1/problems"),
    ("get", "/api/v1/problems/{code}"),
    ("options", "/api/v1/uploads"),
    ("post", "/api/v1/shares/open"),
}
# What only a guest's pass opens.
GUESTS = {
    ("get", "/api/v1/shares/{share_id}/assets"),
    ("get", "/api/v1/shares/{share_id}/assets/{asset_id}"),
    ("post", "/api/v1/shares/{share_id}/zip"),
}
# Without a library's name these receive into one's own.
RECEIVING = {"/api/v1/uploads"}
# What every account may ask, about itself only.
OWN = {
    "/api/v1/session",
    "/api/v1/links/join",
    "/api/v1/libraries",
    "/api/v1/stream",
    "/api/v1/apikeys",
    "/api/v1/reports/usage",
    *RECEIVING,
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


ALL = [pytest.param(*found, id=f"{found[0]} {found[1]}") for found in operations()]


# What does not go together with what is given.
_EITHER = {"Edit": {"library_id"}, "NewSelection": {"album_id"}}


def example_of(operation: dict[str, Any], document: dict[str, Any], ids: dict[str, str]) -> Any:
    """A body the route would accept, so that it is not refused for its form. It speaks of her things."""
    content = operation.get("requestBody", {"content": {}})["content"]
    return _value(content["application/json"]["schema"], document, ids) if "application/json" in content else None


def _value(schema: dict[str, Any], document: dict[str, Any], ids: dict[str, str], name: str = "") -> Any:
    if "$ref" in schema:
        return _value(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, ids)
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], document, ids, name)
    if "properties" in schema:
        needed = set(schema.get("required", [])) or set(schema["properties"])
        # Where one of several is needed, as no schema says, it is these.
        needed |= {"ids", "asset_ids", "library_id", "rule"} & schema["properties"].keys()
        needed -= _EITHER.get(schema["title"], set())
        return {key: _value(part, document, ids, key) for key, part in schema["properties"].items() if key in needed}
    if (form := schema.get("format")) in {"uuid", "date-time"}:
        return ids.get(name, ids["asset_id"]) if form == "uuid" else "2100-01-01T00:00:00Z"
    if schema.get("type") == "array" and schema.get("minItems"):
        return [_value(schema["items"], document, ids, name)]
    plain = {"boolean": True, "array": [], "integer": 1, "number": 1.5}.get(
        schema.get("type", ""), "correct horse battery"
    )
    return [*schema.get("examples", []), *schema.get("enum", []), schema.get("const", plain)][0]


# What the protocol of uploads wants to see before anything else.
_TUS = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}


async def ask(asker: Person, method: str, path: str, operation: dict[str, Any], ids: dict[str, str]) -> Any:
    for name, value in ids.items():
        path = path.replace("{" + name + "}", value)
    assert "{" not in path, f"give an id for {path}"
    wanted = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "query" and item["required"]}
    query = {"library": ids["library_id"]} if "library" in wanted else {}
    query |= {"of": "tag"} if "of" in wanted else {}
    headers = _TUS if path.startswith("/api/v1/uploads/") else {}
    body = example_of(operation, DOCUMENT, ids)
    return await asker.http.request(method, path, json=body, params=query, headers=headers)


async def things_of(anna: Person, app: FastAPI) -> dict[str, str]:
    """One of everything, belonging to somebody else."""
    hers = await anna.http.post(f"/api/v1/assets?library={anna.library}&name=hers.jpg", content=b"hers")
    preview = await anna.post(f"/libraries/{anna.library}/previews", {})
    chosen = {"library_id": anna.library, "asset_ids": [hers.json()["id"]]}
    selection = await anna.post("/selections", chosen)
    upload = await anna.http.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "10"})
    invite = await anna.post(f"/libraries/{anna.library}/invites", {"role": "viewer"})
    key = await anna.post("/apikeys", {"name": "hers", "scopes": ["read"]})
    album = await anna.post("/albums", {"library_id": anna.library, "name": "hers"})
    share = await anna.post(f"/albums/{album.json()['id']}/shares", {})
    batch = await anna.post("/batches", {"library_id": anna.library, "name": "hers"})
    async with app.state.runtime.database.transaction() as session:
        job = await enqueue(session, kinds.SELFCHECK, library_id=None)
        group = Group(library_id=UUID(anna.library), kind="same")
        resolution = Resolution(library_id=UUID(anna.library), dry_run=False, merge=True, state="done")
        session.add_all([group, resolution])
        await session.flush()
    return {
        "library_id": anna.library,
        "account_id": anna.id,
        "invite_id": invite.json()["id"],
        "key_id": key.json()["id"],
        "session_id": (await anna.get("/account/sessions")).json()["items"][0]["id"],
        "job_id": str(job),
        "code": "not-found",
        "asset_id": hers.json()["id"],
        "selection_id": selection.json()["id"],
        "upload_id": upload.headers["location"].rpartition("/")[2],
        "name": "preview",
        "preview_id": preview.json()["id"],
        "album_id": album.json()["id"],
        "share_id": share.json()["id"],
        "batch_id": batch.json()["id"],
        "group_id": str(group.id),
        "resolution_id": str(resolution.id),
        "library": anna.library,
    }


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
async def test_nobody_gets_anything(
    person: MakePerson, stranger: NewPerson, app: FastAPI, method: str, path: str, operation: dict[str, Any]
) -> None:
    if (method, path) in PUBLIC:
        assert "security" not in operation
        return
    assert operation["security"], f"{method} {path} does not say that it needs a caller"
    answer = await ask(stranger(), method, path, operation, await things_of(await person(), app))
    assert answer.status_code == 401, answer.text


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
async def test_another_tenant_gets_nothing_of_hers(
    person: MakePerson, app: FastAPI, method: str, path: str, operation: dict[str, Any]
) -> None:
    own = path in OWN or path == "/api/v1/account" or path.startswith("/api/v1/account/")
    receiving = (method, path) == ("post", "/api/v1/assets")
    if (method, path) in PUBLIC or receiving or (own and "{" not in path):
        return
    anna, boris = await person(), await person("boris@example.org")
    answer = await ask(boris, method, path, operation, await things_of(anna, app))
    # An account is no pass.
    refused = {401} if (method, path) in GUESTS else {403, 404}
    assert answer.status_code in refused, answer.text
    for secret in (anna.email, anna.library):
        assert secret not in answer.text


async def test_own_lists_hold_nothing_of_hers(person: MakePerson, app: FastAPI) -> None:
    anna, boris = await person(), await person("boris@example.org")
    hers = await things_of(anna, app)
    for path in ("/session", "/account", "/account/sessions", "/apikeys", "/libraries"):
        answer = await boris.get(path)
        assert answer.status_code == 200
        for secret in (anna.email, *hers.values()):
            assert secret not in answer.text
