"""Ways to get at what is not one's own, each of which has to end in a refusal."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from archive import installation
from archive.accounts import attempts, passwords
from archive.accounts import service as accounts
from archive.links import service as links
from archive.models import Account, Attempt, AuditEntry, Membership
from tests.conftest import MakePerson, NewPerson
from tests.support.people import PASSWORD, Person, code_of
from tests.test_account import key_of, with_key
from tests.test_libraries import join
from tests.test_links import NEW, token_of


async def test_a_key_for_one_library_is_not_about_all_of_them(person: MakePerson) -> None:
    admin = await person(admin=True)
    for scope in ("admin", "metrics"):
        body = {"name": "bound", "scopes": [scope], "library_id": admin.library}
        assert code_of(await admin.post("/apikeys", body)) == "invalid-value"


async def test_an_admins_key_reads_but_does_not_decide_about_accounts(person: MakePerson, stranger: NewPerson) -> None:
    admin, anna = await person("admin@example.org", admin=True), await person()
    program = with_key(stranger(), await key_of(admin, scopes=["read", "write", "admin"]))
    assert (await program.get("/accounts")).status_code == 200
    assert code_of(await program.post(f"/accounts/{admin.id}/reset-link")) == "session-required"
    assert code_of(await program.patch(f"/accounts/{anna.id}", {"is_admin": True})) == "session-required"
    assert code_of(await program.post("/invites", {"is_admin": True})) == "session-required"


async def test_a_key_does_not_decide_who_belongs_to_a_library(person: MakePerson, stranger: NewPerson) -> None:
    anna, boris = await person(), await person("boris@example.org")
    program = with_key(stranger(), await key_of(anna, scopes=["read", "upload", "write"]))
    path = f"/libraries/{anna.library}"
    assert code_of(await program.post(f"{path}/invites", {"role": "owner"})) == "session-required"
    assert code_of(await program.put(f"{path}/members/{boris.id}", {"role": "owner"})) == "session-required"
    assert code_of(await program.delete(f"{path}/members/{anna.id}")) == "session-required"
    assert code_of(await program.delete(path)) == "session-required"


async def test_the_first_admins_link_is_useless_once_anybody_is_there(app: FastAPI, stranger: NewPerson) -> None:
    database = app.state.runtime.database
    link = await installation.first_admin_link(database, "http://photos.test")
    assert link is not None
    hashed = await passwords.hash_password(PASSWORD)
    async with database.transaction() as session:  # as the command line does
        await accounts.create(session, email="a@example.org", name="A", password_hash=hashed, is_admin=True)
    assert code_of(await stranger().post("/links/accept", {"token": token_of(link)} | NEW)) == "link-expired"


async def test_invitations_end_with_the_right_to_invite(person: MakePerson, app: FastAPI, stranger: NewPerson) -> None:
    anna, boris = await person(), await person("boris@example.org")
    await join(app, boris, anna.library, "owner")
    made = await boris.post(f"/libraries/{anna.library}/invites", {"role": "owner"})
    assert (await anna.delete(f"/libraries/{anna.library}/members/{boris.id}")).status_code == 204
    assert code_of(await boris.post("/links/join", {"token": token_of(made.json()["link"])})) == "link-expired"

    first, second = await person("one@example.org", admin=True), await person("two@example.org", admin=True)
    made = await second.post("/invites", {"is_admin": True})
    await first.patch(f"/accounts/{second.id}", {"disabled": True})
    accepted = await stranger().post("/links/accept", {"token": token_of(made.json()["link"])} | NEW)
    assert code_of(accepted) == "link-expired"


async def test_invitations_to_the_installation_are_listed_and_withdrawn(
    person: MakePerson, stranger: NewPerson
) -> None:
    admin = await person(admin=True)
    made = (await admin.post("/invites", {"email": "new@example.org", "is_admin": False})).json()
    (row,) = (await admin.get("/invites")).json()["items"]
    assert (row["id"], row["email"]) == (made["id"], "new@example.org")
    assert "link" not in row
    assert (await admin.delete(f"/invites/{made['id']}")).status_code == 204
    assert (await admin.get("/invites")).json()["items"] == []
    accepted = await stranger().post("/links/accept", {"token": token_of(made["link"])} | NEW)
    assert code_of(accepted) == "link-expired"


async def test_two_admins_cannot_remove_each_other(person: MakePerson) -> None:
    one, two = await person("one@example.org", admin=True), await person("two@example.org", admin=True)
    answers = await asyncio.gather(
        one.patch(f"/accounts/{two.id}", {"is_admin": False}), two.patch(f"/accounts/{one.id}", {"is_admin": False})
    )
    assert sorted(answer.status_code for answer in answers) != [200, 200]


async def test_who_is_over_the_limit_of_an_address_uses_up_nobody_elses(
    app: FastAPI, person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await person()
    few = attempts.Limit("sign-in-address", 3, attempts.SIGN_IN_ADDRESS.window)
    monkeypatch.setattr(attempts, "SIGN_IN_ADDRESS", few)
    attacker = at(app, "2001:db8::1")
    for number in range(8):
        await attacker.post("/session", {"email": f"n{number}@example.org", "password": "wrong"})
    for number in range(20):  # another address of the same household
        answer = await at(app, f"2001:db8::{number + 2:x}").post("/session", {"email": anna.email, "password": "x"})
        assert code_of(answer) == "too-many-attempts"
    elsewhere = at(app, "192.0.2.7")
    elsewhere.email = anna.email
    assert (await elsewhere.sign_in()).status_code == 200
    async with app.state.runtime.database.transaction() as session:
        assert (await session.scalar(select(func.count()).select_from(Attempt)) or 0) < 12


async def test_guessing_from_one_place_leaves_the_owner_in(app: FastAPI, person: MakePerson) -> None:
    anna = await person()
    attacker = at(app, "192.0.2.66")
    for _ in range(attempts.SIGN_IN_ACCOUNT.most + 1):
        answer = await attacker.post("/session", {"email": anna.email, "password": "wrong"})
    assert code_of(answer) == "too-many-attempts"
    assert (await anna.sign_in()).status_code == 200
    async with app.state.runtime.database.transaction() as session:
        refused = select(AuditEntry.details).where(AuditEntry.action == "session.refused")
        steps = [details["step"] for details in await session.scalars(refused)]
    assert steps.count("too_many") == 1


def at(app: FastAPI, address: str) -> Person:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1234))
    return Person(httpx.AsyncClient(transport=transport, base_url="http://photos.test"))


async def test_a_new_password_makes_earlier_reset_links_useless(person: MakePerson, stranger: NewPerson) -> None:
    anna, admin = await person(), await person("admin@example.org", admin=True)
    link = (await admin.post(f"/accounts/{anna.id}/reset-link")).json()["link"]
    change = {"current_password": PASSWORD, "new_password": "another good password"}
    assert (await anna.put("/account/password", change)).status_code == 204
    body = {"token": token_of(link), "password": "a thief's password"}
    assert code_of(await stranger().post("/links/accept", body)) == "link-expired"


async def test_a_change_does_not_undo_a_reset_that_came_between(app: FastAPI, person: MakePerson) -> None:
    anna = await person()
    database = app.state.runtime.database
    body = {"current_password": PASSWORD, "new_password": "a thief's password"}
    changing = asyncio.ensure_future(anna.put("/account/password", body))
    hashed = await passwords.hash_password("the owner's new one")
    async with database.transaction() as session:
        account = (await session.scalars(select(Account).with_for_update())).one()
        account.password_hash = hashed
        await links.revoke(session, "password_reset", account_id=account.id)
    await changing
    assert code_of(await anna.sign_in("a thief's password")) == "sign-in-failed"


async def test_refused_passwords_and_accepted_invitations_are_audited(
    person: MakePerson, app: FastAPI, stranger: NewPerson
) -> None:
    anna = await person()
    await anna.post("/account/totp/disable", {"password": "wrong"})
    made = await anna.post(f"/libraries/{anna.library}/invites", {"role": "viewer"})
    await stranger().post("/links/accept", {"token": token_of(made.json()["link"])} | NEW)
    async with app.state.runtime.database.transaction() as session:
        actions = set(await session.scalars(select(AuditEntry.action)))
    assert {"password.refused", "invite.accepted", "account.created"} <= actions


@pytest.mark.parametrize("code", ["١٢٣٤٥٦", "१२३४५६", "éééééé", "₁₂₃₄₅₆"])
async def test_digits_of_other_scripts_are_wrong_codes(person: MakePerson, code: str) -> None:
    anna = await person()
    await anna.post("/account/totp", {"password": PASSWORD})
    assert code_of(await anna.post("/account/totp/confirm", {"code": code})) == "second-factor-failed"


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
async def test_moments_at_the_ends_of_time_are_refused(person: MakePerson, moment: str) -> None:
    anna = await person()
    body = {"name": "late", "scopes": ["read"], "expires_at": moment}
    assert code_of(await anna.post("/apikeys", body)) == "invalid-request"


async def test_a_proxy_that_changes_the_host_keeps_nobody_out(person: MakePerson) -> None:
    anna = await person()
    headers = {"Host": "127.0.0.1:8000", "Origin": "http://photos.test"}
    assert (await anna.post("/libraries", {"name": "Races"}, headers=headers)).status_code == 201


async def test_two_invitations_at_once_are_one_membership(person: MakePerson, app: FastAPI) -> None:
    anna, boris = await person(), await person("boris@example.org")
    tokens = [
        token_of((await anna.post(f"/libraries/{anna.library}/invites", {"role": role})).json()["link"])
        for role in ("viewer", "editor")
    ]
    answers = await asyncio.gather(*(boris.post("/links/join", {"token": token}) for token in tokens))
    assert [answer.status_code for answer in answers] == [200, 200]
    async with app.state.runtime.database.transaction() as session:
        hers = select(Membership.role).where(Membership.account_id == UUID(boris.id))
        assert sorted(await session.scalars(hers)) == ["editor", "owner"]


async def test_nothing_secret_is_in_an_error(app: FastAPI, person: MakePerson) -> None:
    anna = await person()
    with pytest.raises(IntegrityError) as raised:
        async with app.state.runtime.database.transaction() as session:
            session.add(Account(id=UUID(anna.id), email="x@example.org", name="x", password_hash="$argon2$secret"))
    assert "$argon2$secret" not in str(raised.value)
