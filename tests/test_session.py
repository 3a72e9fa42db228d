"""Signing in and out: passwords, cookies, forged requests, guessing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from archive.accounts import attempts
from archive.db import now
from archive.models import Account, AuditEntry, Session
from archive.runtime import Runtime
from tests.conftest import MakePerson, NewPerson
from tests.support.people import PASSWORD, code_of


async def test_a_session_shows_who_is_signed_in(person: MakePerson) -> None:
    anna = await person()
    body = (await anna.get("/session")).json()
    assert body["account"]["email"] == "anna@example.org"
    assert body["account"]["is_admin"] is False


async def test_letters_of_an_address_may_be_written_either_way(person: MakePerson) -> None:
    anna = await person()
    anna.email = "ANNA@Example.org"
    assert (await anna.sign_in()).status_code == 200


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)], ids=["plain http", "https"])
async def test_the_cookie_is_out_of_reach(person: MakePerson, scheme: str, secure: bool) -> None:
    anna = await person()
    anna.http.base_url = f"{scheme}://photos.test"
    cookie = (await anna.sign_in()).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ("Secure" in cookie) is secure


async def test_signing_out_ends_the_session(person: MakePerson) -> None:
    anna = await person()
    cookies = dict(anna.http.cookies)
    assert (await anna.delete("/session")).status_code == 204
    anna.http.cookies.update(cookies)  # as a thief would who kept it
    assert code_of(await anna.get("/session")) == "not-signed-in"


@pytest.mark.parametrize("email", ["anna@example.org", "nobody@example.org"])
async def test_a_wrong_password_and_a_wrong_address_look_the_same(
    person: MakePerson, stranger: NewPerson, email: str
) -> None:
    await person()
    answer = await stranger().post("/session", {"email": email, "password": "wrong"})
    assert code_of(answer) == "sign-in-failed"
    assert answer.json()["detail"] == "The e-mail address or the password is wrong."


async def test_guessing_is_stopped_even_for_the_right_password(person: MakePerson) -> None:
    anna = await person()
    for _ in range(attempts.SIGN_IN_ACCOUNT.most):
        assert code_of(await anna.sign_in("wrong")) == "sign-in-failed"
    refused = await anna.sign_in()
    assert code_of(refused) == "too-many-attempts"
    assert int(refused.headers["retry-after"]) == refused.json()["retry_after"] > 0


async def test_a_success_forgets_earlier_failures(person: MakePerson) -> None:
    anna = await person()
    for _ in range(2):
        for _ in range(attempts.SIGN_IN_ACCOUNT.most - 1):
            await anna.sign_in("wrong")
        assert (await anna.sign_in()).status_code == 200


async def test_failures_are_in_the_audit_log_although_the_request_failed(person: MakePerson, app: FastAPI) -> None:
    anna = await person()
    await anna.sign_in("wrong")
    runtime: Runtime = app.state.runtime
    async with runtime.database.transaction() as session:
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "session.refused"))).one()
    assert str(entry.actor_id) == anna.id
    assert entry.ip is not None
    assert entry.request_id


async def test_an_unused_session_ends_and_a_used_one_lives_on(person: MakePerson, app: FastAPI) -> None:
    anna = await person()
    database = app.state.runtime.database
    almost = now() + timedelta(minutes=5)
    async with database.transaction() as session:
        await session.execute(update(Session).values(last_seen_at=now() - timedelta(hours=1), expires_at=almost))
    assert (await anna.get("/session")).status_code == 200
    async with database.transaction() as session:
        assert (await session.scalars(select(Session.expires_at))).one() > almost
        await session.execute(update(Session).values(expires_at=now() - timedelta(seconds=1)))
    assert code_of(await anna.get("/session")) == "not-signed-in"


async def test_a_disabled_account_is_out_at_once(person: MakePerson, app: FastAPI) -> None:
    anna = await person()
    async with app.state.runtime.database.transaction() as session:
        await session.execute(update(Account).values(disabled_at=now()))
    assert code_of(await anna.get("/session")) == "not-signed-in"
    assert code_of(await anna.sign_in()) == "sign-in-failed"


async def test_changes_need_the_csrf_token(person: MakePerson) -> None:
    anna = await person()
    del anna.http.headers["X-CSRF-Token"]
    assert code_of(await anna.post("/libraries", {"name": "Forged"})) == "csrf-failed"
    anna.http.headers["X-CSRF-Token"] = "0" * 64
    assert code_of(await anna.post("/libraries", {"name": "Forged"})) == "csrf-failed"
    assert len((await anna.get("/libraries")).json()["items"]) == 1


async def test_the_token_of_one_session_is_no_use_in_another(person: MakePerson) -> None:
    anna, boris = await person(), await person("boris@example.org")
    boris.http.headers["X-CSRF-Token"] = anna.http.headers["X-CSRF-Token"]
    assert code_of(await boris.post("/libraries", {"name": "Forged"})) == "csrf-failed"


@pytest.mark.parametrize(
    "header",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {"Origin": "http://["}],
)
async def test_other_sites_can_neither_sign_in_nor_change(person: MakePerson, header: dict[str, str]) -> None:
    anna = await person()
    assert code_of(await anna.post("/libraries", {"name": "Forged"}, headers=header)) == "other-site"
    body = {"email": anna.email, "password": PASSWORD}
    assert code_of(await anna.post("/session", body, headers=header)) == "other-site"


async def test_sessions_elsewhere_are_listed_and_can_be_ended(person: MakePerson, stranger: NewPerson) -> None:
    anna = await person()
    phone = stranger()
    phone.email = anna.email
    await phone.sign_in()
    rows = (await anna.get("/account/sessions")).json()["items"]
    assert sorted(row["current"] for row in rows) == [False, True]
    other = next(row["id"] for row in rows if not row["current"])
    assert (await anna.delete(f"/account/sessions/{other}")).status_code == 204
    assert code_of(await phone.get("/session")) == "not-signed-in"
    assert (await anna.get("/session")).status_code == 200


async def test_somebody_elses_session_cannot_be_ended(person: MakePerson) -> None:
    anna, boris = await person(), await person("boris@example.org")
    own = (await anna.get("/account/sessions")).json()["items"][0]["id"]
    assert code_of(await boris.delete(f"/account/sessions/{own}")) == "not-found"
    assert (await anna.get("/session")).status_code == 200
