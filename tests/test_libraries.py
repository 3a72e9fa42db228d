"""Libraries, their members, and what admins decide."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from fastapi import FastAPI

from archive.libraries import service as libraries
from tests.conftest import MakePerson
from tests.support.people import Person, code_of


async def join(app: FastAPI, member: Person, library: str, role: str) -> None:
    async with app.state.runtime.database.transaction() as session:
        await libraries.join(session, UUID(member.id), UUID(library), role)


async def test_libraries_are_made_renamed_listed_and_deleted(person: MakePerson) -> None:
    anna = await person()
    made = (await anna.post("/libraries", {"name": "  Races \t 2026 "})).json()
    assert (made["name"], made["role"]) == ("Races 2026", "owner")
    path = f"/libraries/{made['id']}"
    assert (await anna.patch(path, {"name": "Забеги"})).json()["name"] == "Забеги"
    assert [row["name"] for row in (await anna.get("/libraries")).json()["items"]] == ["anna", "Забеги"]
    assert (await anna.delete(path)).status_code == 204
    assert code_of(await anna.get(path)) == "not-found"


async def test_pages_hold_everything_once(person: MakePerson) -> None:
    anna = await person()
    for number in range(6):
        await anna.post("/libraries", {"name": f"Library {number}"})
    seen, cursor = [], ""
    while True:
        page = (await anna.get(f"/libraries?limit=3{cursor}")).json()
        seen += [row["name"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ["anna", *(f"Library {number}" for number in range(6))]


@pytest.mark.parametrize("cursor", ["nonsense", "%00", "YWJj", "é"])
async def test_a_made_up_cursor_is_refused(person: MakePerson, cursor: str) -> None:
    anna = await person("anna@example.org", admin=True)
    for path in ("/libraries", "/accounts", "/jobs", "/audit"):
        assert code_of(await anna.get(f"{path}?cursor={cursor}")) in {"invalid-value", "invalid-request"}


@pytest.mark.parametrize(
    ("role", "reads", "changes"), [("viewer", True, False), ("editor", True, False), ("owner", True, True)]
)
async def test_roles_say_what_a_member_may(
    person: MakePerson, app: FastAPI, role: str, reads: bool, changes: bool
) -> None:
    anna, boris = await person(), await person("boris@example.org")
    await join(app, boris, anna.library, role)
    path = f"/libraries/{anna.library}"
    assert (await boris.get(path)).is_success is reads
    assert (await boris.get(f"{path}/members")).is_success is reads
    assert (await boris.patch(path, {"name": "Changed"})).is_success is changes
    assert (await boris.post(f"{path}/invites", {"role": "viewer"})).is_success is changes
    assert (await boris.get(f"{path}/invites")).is_success is changes
    assert (await boris.put(f"{path}/members/{anna.id}", {"role": "owner"})).is_success is changes


async def test_a_library_keeps_an_owner(person: MakePerson, app: FastAPI) -> None:
    anna, boris = await person(), await person("boris@example.org")
    await join(app, boris, anna.library, "editor")
    member = f"/libraries/{anna.library}/members/{{}}".format
    assert code_of(await anna.put(member(anna.id), {"role": "viewer"})) == "last-owner"
    assert code_of(await anna.delete(member(anna.id))) == "last-owner"
    assert (await anna.put(member(boris.id), {"role": "owner"})).json()["role"] == "owner"
    # Both leave at once: one of them has to stay.
    answers = await asyncio.gather(anna.delete(member(anna.id)), boris.delete(member(boris.id)))
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_anybody_may_leave_and_only_owners_remove(person: MakePerson, app: FastAPI) -> None:
    anna, boris, vera = await person(), await person("boris@example.org"), await person("vera@example.org")
    for member in (boris, vera):
        await join(app, member, anna.library, "viewer")
    path = f"/libraries/{anna.library}/members"
    assert code_of(await boris.delete(f"{path}/{vera.id}")) == "forbidden"
    assert (await boris.delete(f"{path}/{boris.id}")).status_code == 204
    assert code_of(await boris.get(f"/libraries/{anna.library}")) == "not-found"
    assert (await anna.delete(f"{path}/{vera.id}")).status_code == 204
    assert len((await anna.get(path)).json()["items"]) == 1


async def test_admins_disable_and_promote_but_somebody_stays_in_charge(person: MakePerson) -> None:
    anna, admin = await person(), await person("admin@example.org", admin=True)
    assert (await admin.patch(f"/accounts/{anna.id}", {"disabled": True})).json()["disabled"] is True
    assert code_of(await anna.get("/session")) == "not-signed-in"
    assert (await admin.patch(f"/accounts/{anna.id}", {"disabled": False})).json()["disabled"] is False
    for change in ({"disabled": True}, {"is_admin": False}):
        assert code_of(await admin.patch(f"/accounts/{admin.id}", change)) == "last-owner"
    assert (await admin.patch(f"/accounts/{anna.id}", {"is_admin": True})).json()["is_admin"] is True
    assert (await admin.patch(f"/accounts/{admin.id}", {"is_admin": False})).status_code == 200
    assert code_of(await admin.get("/accounts")) == "forbidden"


async def test_admins_see_no_library_they_do_not_belong_to(person: MakePerson) -> None:
    anna, admin = await person(), await person("admin@example.org", admin=True)
    assert code_of(await admin.get(f"/libraries/{anna.library}")) == "not-found"


async def test_the_audit_log_tells_who_did_what_from_where(person: MakePerson) -> None:
    anna, admin = await person(), await person("admin@example.org", admin=True)
    answer = await anna.post("/libraries", {"name": "Races"})
    rows = (await admin.get("/audit")).json()["items"]
    entry = next(row for row in rows if row["action"] == "library.created")
    assert entry["actor_email"] == anna.email
    assert entry["library_id"] == answer.json()["id"]
    assert entry["request_id"] == answer.headers["x-request-id"]
    assert entry["ip"]


async def test_an_act_that_fails_leaves_no_entry(person: MakePerson) -> None:
    anna = await person("anna@example.org", admin=True)
    await anna.put(f"/libraries/{anna.library}/members/{anna.id}", {"role": "viewer"})
    actions = {row["action"] for row in (await anna.get("/audit")).json()["items"]}
    assert actions == {"session.opened"}
