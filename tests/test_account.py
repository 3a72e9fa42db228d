"""One's own account: profile, password, second factor, API keys."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from archive.accounts import totp
from archive.models import Account, ApiKey
from tests.conftest import MakePerson, NewPerson
from tests.support.people import PASSWORD, Person, code_of

# RFC 6238, appendix B: time, and the last six of the eight digits for the SHA-1 secret.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("at", "code"), VECTORS)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    secret = b"12345678901234567890"
    assert totp.code(secret, at // 30) == code
    assert totp.accepted_step(secret, code, 0, at) == at // 30
    assert totp.accepted_step(secret, code, at // 30, at) is None  # never twice
    assert totp.accepted_step(secret, code, 0, at + 30) == at // 30  # a clock that is a little off
    assert totp.accepted_step(secret, code, 0, at + 90) is None


async def test_name_and_language_can_be_changed(person: MakePerson) -> None:
    anna = await person()
    assert (await anna.patch("/account", {"name": "Анна", "locale": "ru"})).json()["name"] == "Анна"
    shown = (await anna.get("/account")).json()
    assert (shown["name"], shown["locale"]) == ("Анна", "ru")
    assert code_of(await anna.patch("/account", {"locale": "xx"})) == "invalid-request"


async def test_a_new_password_ends_the_other_sessions_only(person: MakePerson, stranger: NewPerson) -> None:
    anna, phone = await person(), stranger()
    phone.email = anna.email
    await phone.sign_in()
    body = {"current_password": PASSWORD, "new_password": "another good password"}
    assert (await anna.put("/account/password", body)).status_code == 204
    assert (await anna.get("/session")).status_code == 200
    assert code_of(await phone.get("/session")) == "not-signed-in"
    assert code_of(await phone.sign_in()) == "sign-in-failed"
    assert (await phone.sign_in("another good password")).status_code == 200


async def test_a_new_password_needs_the_old_one_and_strength(person: MakePerson) -> None:
    anna = await person()
    wrong = {"current_password": "wrong", "new_password": "another good password"}
    assert code_of(await anna.put("/account/password", wrong)) == "sign-in-failed"
    weak = {"current_password": PASSWORD, "new_password": "short"}
    assert code_of(await anna.put("/account/password", weak)) == "weak-password"


async def enrol(anna: Person) -> tuple[bytes, list[str]]:
    begun = (await anna.post("/account/totp", {"password": PASSWORD})).json()
    assert begun["uri"].startswith("otpauth://totp/Tagphoto:")
    assert begun["qr_svg"].startswith("<svg xmlns=")
    secret = base64.b32decode(begun["secret"] + "=" * (-len(begun["secret"]) % 8))
    code = totp.code(secret, int(time.time()) // 30)
    confirmed = await anna.post("/account/totp/confirm", {"code": code})
    return secret, confirmed.json()["recovery_codes"]


def later_code(secret: bytes) -> str:
    return totp.code(secret, int(time.time()) // 30 + 1)


async def test_a_second_factor_is_asked_for_once_it_is_confirmed(person: MakePerson) -> None:
    anna = await person()
    await anna.post("/account/totp", {"password": PASSWORD})
    assert (await anna.sign_in()).status_code == 200  # begun is not enough
    secret, codes = await enrol(anna)
    assert len(set(codes)) == 10
    assert code_of(await anna.sign_in()) == "second-factor-required"
    assert code_of(await anna.sign_in(code="000000")) == "second-factor-failed"
    code = later_code(secret)
    assert (await anna.sign_in(code=code)).status_code == 200
    assert code_of(await anna.sign_in(code=code)) == "second-factor-failed"  # seen over a shoulder
    assert code_of(await anna.post("/account/totp", {"password": PASSWORD})) == "conflict"


async def test_a_wrong_first_code_does_not_lock_anybody_out(person: MakePerson) -> None:
    anna = await person()
    await anna.post("/account/totp", {"password": PASSWORD})
    assert code_of(await anna.post("/account/totp/confirm", {"code": "000000"})) == "second-factor-failed"
    assert (await anna.sign_in()).status_code == 200


async def test_recovery_codes_work_once_each(person: MakePerson) -> None:
    anna = await person()
    _, codes = await enrol(anna)
    assert (await anna.sign_in(code=codes[0])).status_code == 200
    assert code_of(await anna.sign_in(code=codes[0])) == "second-factor-failed"
    assert (await anna.sign_in(code=codes[1].upper().replace("-", " "))).status_code == 200
    renewed = (await anna.post("/account/recovery-codes", {"password": PASSWORD})).json()["recovery_codes"]
    assert code_of(await anna.sign_in(code=codes[2])) == "second-factor-failed"
    assert (await anna.sign_in(code=renewed[0])).status_code == 200


async def test_the_second_factor_is_turned_off_with_the_password(person: MakePerson) -> None:
    anna = await person()
    await enrol(anna)
    assert code_of(await anna.post("/account/totp/disable", {"password": "wrong"})) == "sign-in-failed"
    assert (await anna.post("/account/totp/disable", {"password": PASSWORD})).status_code == 204
    assert (await anna.sign_in()).status_code == 200


async def test_an_admin_helps_who_lost_the_phone(person: MakePerson) -> None:
    anna, admin = await person(), await person("admin@example.org", admin=True)
    await enrol(anna)
    answer = await admin.patch(f"/accounts/{anna.id}", {"totp_enabled": False})
    assert answer.json()["totp_enabled"] is False
    assert (await anna.sign_in()).status_code == 200


async def test_the_secret_is_not_in_the_database(person: MakePerson, app: FastAPI) -> None:
    anna = await person()
    secret, _ = await enrol(anna)
    async with app.state.runtime.database.transaction() as session:
        sealed = (await session.scalars(select(Account.totp_sealed))).one()
    assert sealed is not None
    assert secret not in sealed


async def key_of(anna: Person, **body: object) -> str:
    answer = await anna.post("/apikeys", {"name": "test", "scopes": ["read"]} | body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


def with_key(program: Person, key: str) -> Person:
    program.http.headers["Authorization"] = f"Bearer {key}"
    return program


async def test_a_key_is_shown_once_and_used_without_a_cookie(person: MakePerson, stranger: NewPerson) -> None:
    anna = await person()
    program = with_key(stranger(), await key_of(anna))
    assert (await program.get("/account")).json()["email"] == anna.email
    (row,) = (await anna.get("/apikeys")).json()["items"]
    assert "key" not in row
    assert row["last_used_at"] is not None


async def test_a_key_does_what_its_scopes_say(person: MakePerson, stranger: NewPerson) -> None:
    anna = await person()
    reader = with_key(stranger(), await key_of(anna))
    assert code_of(await reader.post("/libraries", {"name": "New"})) == "forbidden"
    writer = with_key(stranger(), await key_of(anna, scopes=["read", "write"]))
    assert (await writer.post("/libraries", {"name": "New"})).status_code == 201  # and needs no CSRF token
    assert code_of(await writer.get("/jobs")) == "forbidden"


async def test_a_key_cannot_take_the_account_over(person: MakePerson, stranger: NewPerson) -> None:
    anna = await person("anna@example.org", admin=True)
    scopes = ["read", "upload", "write", "metrics", "admin"]
    program = with_key(stranger(), await key_of(anna, scopes=scopes))
    change = {"current_password": PASSWORD, "new_password": "another good password"}
    assert code_of(await program.put("/account/password", change)) == "session-required"
    assert code_of(await program.post("/apikeys", {"name": "more", "scopes": ["read"]})) == "session-required"
    assert code_of(await program.post("/account/totp", {"password": PASSWORD})) == "session-required"


async def test_a_key_bound_to_a_library_sees_no_other(person: MakePerson, stranger: NewPerson) -> None:
    anna = await person()
    other = (await anna.post("/libraries", {"name": "Other"})).json()["id"]
    key = await key_of(anna, scopes=["read", "write"], library_id=anna.library)
    program = with_key(stranger(), key)
    assert [row["id"] for row in (await program.get("/libraries")).json()["items"]] == [anna.library]
    assert code_of(await program.get(f"/libraries/{other}")) == "not-found"
    assert code_of(await program.post("/libraries", {"name": "Past it"})) == "forbidden"


async def test_revoked_expired_and_unknown_keys_are_refused(
    person: MakePerson, stranger: NewPerson, app: FastAPI
) -> None:
    anna = await person()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    program = with_key(stranger(), await key_of(anna, expires_at=tomorrow))
    assert (await program.get("/account")).status_code == 200
    async with app.state.runtime.database.transaction() as session:
        await session.execute(update(ApiKey).values(expires_at=datetime.now(UTC)))
    assert code_of(await program.get("/account")) == "not-signed-in"
    second = with_key(stranger(), await key_of(anna))
    newest = (await anna.get("/apikeys")).json()["items"][0]["id"]
    assert (await anna.delete(f"/apikeys/{newest}")).status_code == 204
    assert code_of(await second.get("/account")) == "not-signed-in"
    assert code_of(await with_key(stranger(), "tp_made-up").get("/account")) == "not-signed-in"
    assert code_of(await anna.delete(f"/apikeys/{newest}")) == "not-found"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"expires_at": "2001-01-01T00:00:00Z"}, "invalid-value"),
        ({"expires_at": "2101-01-01T00:00:00"}, "invalid-request"),  # at what offset?
        ({"scopes": []}, "invalid-request"),
        ({"scopes": ["everything"]}, "invalid-request"),
        ({"scopes": ["admin"]}, "forbidden"),
        ({"scopes": ["metrics"]}, "forbidden"),
        ({"library_id": "01a1fba3-932f-7563-af45-ac80644c56c8"}, "not-found"),
    ],
)
async def test_keys_that_cannot_be_are_refused(person: MakePerson, body: dict[str, object], code: str) -> None:
    anna = await person()
    assert code_of(await anna.post("/apikeys", {"name": "test", "scopes": ["read"]} | body)) == code
