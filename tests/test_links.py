"""One-time links: the first admin, invitations, password resets by real mail."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from fastapi import FastAPI
from sqlalchemy import update

from archive import installation
from archive.db import now
from archive.jobs import JOBS
from archive.mail import Mailer
from archive.models import Link
from archive.runtime import Runtime
from archive.worker.runner import JobRunner
from tests.conftest import MakePerson, NewPerson
from tests.support.people import PASSWORD, Person, code_of

NEW = {"email": "first@example.org", "name": "First", "password": PASSWORD}


def token_of(link: str) -> str:
    return link.partition("#")[2]


async def first_link(app: FastAPI) -> str:
    link = await installation.first_admin_link(app.state.runtime.database, "http://photos.test")
    assert link is not None
    return token_of(link)


async def test_the_first_admin_is_made_by_link_and_signed_in(app: FastAPI, stranger: NewPerson) -> None:
    first, token = stranger(), await first_link(app)
    seen = (await first.post("/links/inspect", {"token": token})).json()
    assert (seen["kind"], seen["email"], seen["account_exists"]) == ("first_admin", None, False)
    session = (await first.post("/links/accept", {"token": token} | NEW)).json()["session"]
    assert session["account"]["is_admin"] is True
    assert (await first.get("/session")).json()["account"]["email"] == NEW["email"]
    assert [row["role"] for row in (await first.get("/libraries")).json()["items"]] == ["owner"]


async def test_a_link_works_once(app: FastAPI, stranger: NewPerson) -> None:
    token = await first_link(app)
    assert (await stranger().post("/links/accept", {"token": token} | NEW)).status_code == 200
    again = await stranger().post("/links/accept", {"token": token} | NEW | {"email": "second@example.org"})
    assert code_of(again) == "link-expired"


async def test_two_at_once_make_one_account(app: FastAPI, stranger: NewPerson) -> None:
    token = await first_link(app)
    bodies = [{"token": token} | NEW | {"email": f"n{number}@example.org"} for number in range(5)]
    answers = await asyncio.gather(*(stranger().post("/links/accept", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 410, 410, 410, 410]


async def test_only_the_newest_first_link_works_and_none_is_made_later(app: FastAPI, stranger: NewPerson) -> None:
    old, new = await first_link(app), await first_link(app)
    assert code_of(await stranger().post("/links/inspect", {"token": old})) == "link-expired"
    await stranger().post("/links/accept", {"token": new} | NEW)
    assert await installation.first_admin_link(app.state.runtime.database, "http://photos.test") is None


async def test_old_and_unknown_links_say_so(app: FastAPI, stranger: NewPerson) -> None:
    token = await first_link(app)
    async with app.state.runtime.database.transaction() as session:
        await session.execute(update(Link).values(expires_at=now() - timedelta(seconds=1)))
    assert code_of(await stranger().post("/links/inspect", {"token": token})) == "link-expired"
    assert code_of(await stranger().post("/links/inspect", {"token": "nonsense"})) == "link-not-found"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "short"}, "weak-password"),
        ({"password": "aaaaaaaaaaaaaaaa"}, "weak-password"),
        ({"password": "first@example.org"}, "weak-password"),
        ({"email": "no address"}, "invalid-value"),
        ({"email": None}, "invalid-value"),
        ({"name": " \n "}, "invalid-request"),
        ({"nmae": "Typo"}, "invalid-request"),
    ],
)
async def test_what_cannot_be_accepted_leaves_the_link_usable(
    app: FastAPI, stranger: NewPerson, change: dict[str, Any], code: str
) -> None:
    first, token = stranger(), await first_link(app)
    assert code_of(await first.post("/links/accept", {"token": token} | NEW | change)) == code
    assert (await first.post("/links/accept", {"token": token} | NEW)).status_code == 200


async def test_an_invitation_to_a_library_makes_a_member(person: MakePerson, stranger: NewPerson) -> None:
    anna, guest = await person(), stranger()
    made = (await anna.post(f"/libraries/{anna.library}/invites", {"role": "viewer"})).json()
    assert made["link"].startswith("http://photos.test/welcome#")
    token = token_of(made["link"])
    assert (await guest.post("/links/inspect", {"token": token})).json()["library_name"] == "anna"
    await guest.post("/links/accept", {"token": token} | NEW)
    roles = {row["name"]: row["role"] for row in (await guest.get("/libraries")).json()["items"]}
    assert roles == {"First": "owner", "anna": "viewer"}


async def test_who_has_an_account_signs_in_and_joins(person: MakePerson) -> None:
    anna, boris = await person(), await person("boris@example.org")
    body = {"role": "editor", "email": "Boris@example.org"}
    token = token_of((await anna.post(f"/libraries/{anna.library}/invites", body)).json()["link"])
    assert (await boris.post("/links/inspect", {"token": token})).json()["account_exists"] is True
    refused = await boris.post("/links/accept", {"token": token, "password": PASSWORD})
    assert code_of(refused) == "account-exists"
    joined = await boris.post("/links/join", {"token": token})
    assert (joined.json()["name"], joined.json()["role"]) == ("anna", "editor")
    assert code_of(await boris.post("/links/join", {"token": token})) == "link-expired"


async def test_an_invitation_for_somebody_is_for_nobody_else(person: MakePerson) -> None:
    anna, boris = await person(), await person("boris@example.org")
    body = {"role": "editor", "email": "vera@example.org"}
    token = token_of((await anna.post(f"/libraries/{anna.library}/invites", body)).json()["link"])
    assert code_of(await boris.post("/links/join", {"token": token})) == "conflict"


async def test_a_withdrawn_invitation_is_useless(person: MakePerson, stranger: NewPerson) -> None:
    anna = await person()
    made = (await anna.post(f"/libraries/{anna.library}/invites", {"role": "owner"})).json()
    assert len((await anna.get(f"/libraries/{anna.library}/invites")).json()["items"]) == 1
    assert (await anna.delete(f"/libraries/{anna.library}/invites/{made['id']}")).status_code == 204
    assert (await anna.get(f"/libraries/{anna.library}/invites")).json()["items"] == []
    refused = await stranger().post("/links/accept", {"token": token_of(made["link"])} | NEW)
    assert code_of(refused) == "link-expired"


async def test_admins_hand_over_reset_links_that_end_every_session(person: MakePerson, stranger: NewPerson) -> None:
    anna, admin = await person(), await person("admin@example.org", admin=True)
    link = (await admin.post(f"/accounts/{anna.id}/reset-link")).json()["link"]
    other = stranger()
    seen = (await other.post("/links/inspect", {"token": token_of(link)})).json()
    assert (seen["kind"], seen["email"]) == ("password_reset", anna.email)
    done = await other.post("/links/accept", {"token": token_of(link), "password": "another good password"})
    assert done.json() == {"session": None}  # the second factor is not skipped: one signs in next
    assert code_of(await anna.get("/session")) == "not-signed-in"
    assert code_of(await anna.sign_in()) == "sign-in-failed"
    assert (await anna.sign_in("another good password")).status_code == 200


class Inbox:
    """A real SMTP server's mailbox."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    box = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"smtp://127.0.0.1:{port}"
    controller.stop()


async def test_a_forgotten_password_is_mailed_for(
    runtime: Runtime, app: FastAPI, person: MakePerson, stranger: NewPerson, inbox: tuple[Inbox, str]
) -> None:
    box, url = inbox
    app.state.runtime = runtime = with_mail(runtime, url)
    anna = await person()
    await anna.patch("/account", {"locale": "ru"})
    for email in (anna.email, "nobody@example.org"):  # the answers do not tell them apart
        assert (await stranger().post("/password-resets", {"email": email})).status_code == 202
    runner = JobRunner(runtime, JOBS, ["mail"], "test")
    assert [await runner.run_one(), await runner.run_one()] == [True, False]
    (mail,) = box.mails
    assert mail["To"] == anna.email
    assert mail["From"] == "photos@example.org"
    text = mail.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "Здравствуйте, anna!" in text
    await use_mailed_link(stranger(), text)
    assert (await anna.sign_in("another good password")).status_code == 200


async def use_mailed_link(reader: Person, text: str) -> None:
    (link,) = [line for line in text.splitlines() if line.startswith("http://photos.test/welcome#")]
    body = {"token": token_of(link), "password": "another good password"}
    assert (await reader.post("/links/accept", body)).status_code == 200


async def test_a_mail_server_that_is_away_is_tried_again(runtime: Runtime, app: FastAPI, person: MakePerson) -> None:
    app.state.runtime = runtime = with_mail(runtime, "smtp://127.0.0.1:9")
    anna = await person("anna@example.org", admin=True)
    await anna.post("/password-resets", {"email": anna.email})
    assert await JobRunner(runtime, JOBS, ["mail"], "test").run_one()
    (job,) = (await anna.get("/jobs?kind=mail.password_reset")).json()["items"]
    assert (job["state"], job["attempts"]) == ("ready", 1)
    assert job["run_after"] > job["created_at"]
    assert job["error"]


async def test_without_mail_the_answer_says_what_to_do(stranger: NewPerson) -> None:
    answer = await stranger().post("/password-resets", {"email": "anna@example.org"})
    assert code_of(answer) == "mail-not-configured"
    assert "admin" in answer.json()["detail"]


def with_mail(runtime: Runtime, url: str) -> Runtime:
    return replace(runtime, mailer=Mailer(url, "photos@example.org"))
