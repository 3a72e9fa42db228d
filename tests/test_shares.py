"""Links for guests: what they show and allow, and everything they must not lead to."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text, update

from archive.keyring import Keyring
from archive.models import Account, AuditEntry, Share
from archive.runtime import Runtime
from archive.shares import tokens
from tests.conftest import MakePerson, NewPerson
from tests.support.looking import alter, render, step
from tests.support.people import Person, code_of
from tests.test_assets import keep, rendition
from tests.test_batches import TUS, metadata
from tests.test_tenants import DOCUMENT, GUESTS, PUBLIC, ask, things_of

SECRET = "for the guests"


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


async def album(person: Person, *assets: str) -> str:
    made = await person.post("/albums", {"library_id": person.library, "name": "Race", "asset_ids": assets})
    one: str = made.json()["id"]
    return one


async def share(person: Person, album_id: str, **fields: Any) -> dict[str, Any]:
    answer = await person.post(f"/albums/{album_id}/shares", fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def token_of(shared: dict[str, Any]) -> str:
    token: str = shared["address"].partition("#")[2]
    return token


async def opened(guest: Person, shared: dict[str, Any], password: str | None = None) -> dict[str, Any]:
    """Open a link and send its pass from here on."""
    answer = await guest.post("/shares/open", {"token": token_of(shared), "password": password})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    guest.http.headers["Authorization"] = f"Share {found['pass']}"
    return found


async def tiles(guest: Person, shared: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await guest.get(f"/shares/{shared['id']}/assets")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def send(guest: Person, body: bytes, name: str = "guest.jpg", **said: str) -> httpx.Response:
    headers = TUS | {"Upload-Length": str(len(body)), "Upload-Metadata": metadata(filename=name, **said)}
    return await guest.http.post("/api/v1/uploads", headers=headers, content=body)


# What a link shows


async def test_a_guest_sees_the_album_and_gets_its_originals(anna: Person, stranger: NewPerson, live: Runtime) -> None:
    inside, outside = await keep(anna, b"inside", "in.jpg"), await keep(anna, b"outside", "out.jpg")
    await alter(live, inside["id"], favourite=True, rating=5, title="T", latitude=1.0, longitude=2.0, camera="C")
    await rendition(live, inside, b"small", "thumb")
    shared = await share(anna, await album(anna, inside["id"]), note="for Olga")
    guest = stranger()
    found = await opened(guest, shared)
    assert (found["share_id"], found["downloads"], found["uploads"], found["metadata"]) == (
        shared["id"],
        True,
        False,
        True,
    )
    assert (found["album"]["name"], found["album"]["count"]) == ("Race", 1)
    [tile] = await tiles(guest, shared)
    assert (tile["id"], tile["name"], tile["favourite"], tile["rating"]) == (inside["id"], "in.jpg", False, None)
    anybody = stranger().http
    assert (await anybody.get(tile["thumb"])).content == b"small"
    assert (await anybody.get(found["album"]["cover"])).content == b"small"
    assert (await anybody.get(tile["original"])).content == b"inside"
    details = (await guest.get(f"/shares/{shared['id']}/assets/{inside['id']}")).json()
    assert (details["title"], details["latitude"], details["camera"], details["size"]) == ("T", 1.0, "C", 6)
    assert code_of(await guest.get(f"/shares/{shared['id']}/assets/{outside['id']}")) == "not-found"
    link = (await guest.post(f"/shares/{shared['id']}/zip")).json()
    archive = zipfile.ZipFile(io.BytesIO((await anybody.get(link["zip"])).content))
    assert archive.namelist() == ["in.jpg"]
    [listed] = (await anna.get(f"/albums/{shared['album_id']}/shares")).json()["items"]
    assert (listed["views"], listed["note"], listed["address"]) == (1, "for Olga", shared["address"])
    assert listed["last_seen_at"] is not None


async def test_without_downloads_no_link_leads_to_an_original(anna: Person, stranger: NewPerson, live: Runtime) -> None:
    film, photo = await keep(anna, b"film", "f.mp4", "video/mp4"), await keep(anna, b"photo")
    motion = await keep(anna, b"motion", "m.mov", "video/quicktime")
    await alter(live, film["id"], kind="video")
    await alter(live, motion["id"], kind="video", shown_with=UUID(photo["id"]), part="motion")
    for one in (film, motion):
        await step(live, one["id"], "play", "skipped")
    shared = await share(anna, await album(anna, film["id"], photo["id"]), downloads=False)
    guest = stranger()
    await opened(guest, shared)
    seen = await tiles(guest, shared)
    assert [(tile["original"], tile["video"], tile["motion"]) for tile in seen] == [(None, None, None)] * 2
    for tile in seen:
        answer = await guest.get(f"/shares/{shared['id']}/assets/{tile['id']}")
        assert "/original" not in answer.text
        assert (await guest.get(f"/assets/{tile['id']}/original")).status_code == 401
    assert code_of(await guest.post(f"/shares/{shared['id']}/zip")) == "forbidden"
    # What was made for looking at is still to be seen.
    await render(live, anna.library, film["id"], "video")
    assert any("/renditions/video?" in str(tile["video"]) for tile in await tiles(guest, shared))
    await anna.patch(f"/shares/{shared['id']}", {"downloads": True})
    assert all(tile["original"] for tile in await tiles(guest, shared))


async def test_without_metadata_nothing_is_said_but_what_is_seen(
    anna: Person, stranger: NewPerson, live: Runtime
) -> None:
    asset = await keep(anna, b"x", "Anna at home.jpg")
    await alter(live, asset["id"], title="Home", description="Where", latitude=59.5, longitude=30.5, camera="Canon")
    async with live.database.transaction() as session:
        record = {"asset_id": asset["id"], "record": json.dumps({"position": {"latitude": 59.5}})}
        await session.execute(text("INSERT INTO metadata VALUES (:asset_id, :record, '{}')"), record)
    one = await album(anna, asset["id"])
    shared = await share(anna, one, metadata=False)
    assert shared["downloads"] is False
    guest = stranger()
    await opened(guest, shared)
    for path in (f"/shares/{shared['id']}/assets", f"/shares/{shared['id']}/assets/{asset['id']}"):
        answer = (await guest.get(path)).text
        assert not [word for word in ("home", "Home", "Where", "59.5", "30.5", "Canon") if word in answer]
    # Originals carry it: the two do not go together.
    body = {"metadata": False, "downloads": True}
    assert code_of(await anna.post(f"/albums/{one}/shares", body)) == "invalid-value"
    assert code_of(await anna.patch(f"/shares/{shared['id']}", {"downloads": True})) == "invalid-value"


# Who is let in


async def test_a_password_is_asked_for_and_limited(anna: Person, stranger: NewPerson, live: Runtime) -> None:
    shared = await share(anna, await album(anna), password=SECRET)
    assert shared["password"] is True
    assert SECRET not in json.dumps(shared)
    guest, body = stranger(), {"token": token_of(shared)}
    assert code_of(await guest.post("/shares/open", body)) == "share-password-required"
    assert code_of(await guest.post("/shares/open", body | {"password": "wrong"})) == "share-password-wrong"
    await opened(guest, shared, SECRET)
    for _ in range(10):
        assert (await guest.post("/shares/open", body | {"password": "wrong"})).status_code == 401
    refused = await guest.post("/shares/open", body | {"password": SECRET})
    assert code_of(refused) == "too-many-attempts"
    # Who is in stays in.
    assert await tiles(guest, shared) == []
    async with live.database.transaction() as session:
        stored = await session.scalar(select(Share.password_hash))
        assert str(stored).startswith("$argon2id$")


async def test_a_changed_password_ends_the_passes_of_the_old_one(anna: Person, stranger: NewPerson) -> None:
    shared = await share(anna, await album(anna), password=SECRET)
    guest = stranger()
    await opened(guest, shared, SECRET)
    await anna.patch(f"/shares/{shared['id']}", {"note": "nothing changed for guests"})
    assert await tiles(guest, shared) == []
    await anna.patch(f"/shares/{shared['id']}", {"password": "another one"})
    assert code_of(await guest.get(f"/shares/{shared['id']}/assets")) == "pass-expired"
    await opened(guest, shared, "another one")
    await anna.patch(f"/shares/{shared['id']}", {"password": None})
    assert code_of(await guest.get(f"/shares/{shared['id']}/assets")) == "pass-expired"
    await opened(guest, shared)


async def test_an_ended_link_ends_everything(anna: Person, stranger: NewPerson) -> None:
    shared = await share(anna, await album(anna), uploads=True)
    guest = stranger()
    await opened(guest, shared)
    begun = await guest.http.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "10"})
    assert (await anna.delete(f"/shares/{shared['id']}")).status_code == 204
    assert code_of(await guest.get(f"/shares/{shared['id']}/assets")) == "share-ended"
    assert code_of(await guest.post("/shares/open", {"token": token_of(shared)})) == "share-ended"
    assert code_of(await send(guest, b"x")) == "share-ended"
    offset = {**TUS, "Upload-Offset": "0"}
    assert code_of(await guest.http.patch(begun.headers["location"], headers=offset, content=b"x")) == "share-ended"
    assert (await anna.get(f"/albums/{shared['album_id']}/shares")).json()["items"] == []


async def test_a_link_grows_old(anna: Person, stranger: NewPerson, live: Runtime) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    shared = await share(anna, await album(anna), expires_at=soon)
    guest = stranger()
    found = await opened(guest, shared)
    # A pass does not outlive its link.
    assert datetime.fromisoformat(found["expires_at"]) <= datetime.fromisoformat(soon)
    await anna.patch(f"/shares/{shared['id']}", {"expires_at": "2020-01-01T00:00:00Z"})
    assert code_of(await guest.get(f"/shares/{shared['id']}/assets")) == "share-ended"
    assert code_of(await guest.post("/shares/open", {"token": token_of(shared)})) == "share-ended"
    await anna.patch(f"/shares/{shared['id']}", {"expires_at": None})
    assert await tiles(guest, shared) == []


@pytest.mark.parametrize("how", ["leaves", "becomes a viewer", "is disabled"])
async def test_a_link_ends_with_its_makers_right(
    anna: Person, person: MakePerson, stranger: NewPerson, live: Runtime, how: str
) -> None:
    boris = await person("boris@example.org")
    invite = (await anna.post(f"/libraries/{anna.library}/invites", {"role": "editor"})).json()
    await boris.post("/links/join", {"token": invite["link"].partition("#")[2]})
    shared = await share(boris, await album(anna))
    guest = stranger()
    await opened(guest, shared)
    member = f"/libraries/{anna.library}/members/{boris.id}"
    if how == "leaves":
        await boris.delete(member)
    elif how == "becomes a viewer":
        await anna.put(member, {"role": "viewer"})
    else:
        async with live.database.transaction() as session:
            disabled = update(Account).where(Account.id == UUID(boris.id)).values(disabled_at=datetime.now(UTC))
            await session.execute(disabled)
    assert code_of(await guest.get(f"/shares/{shared['id']}/assets")) == "share-ended"
    assert code_of(await guest.post("/shares/open", {"token": token_of(shared)})) == "share-ended"


async def test_only_what_was_made_here_opens_anything(anna: Person, stranger: NewPerson) -> None:
    shared = await share(anna, await album(anna))
    guest, token = stranger(), token_of(shared)
    content = base64.urlsafe_b64decode(token)
    for at in range(0, len(content), 5):
        flipped = bytearray(content)
        flipped[at] ^= 1
        wrong = base64.urlsafe_b64encode(flipped).decode()
        assert code_of(await guest.post("/shares/open", {"token": wrong})) == "link-not-found"
    for nothing in ("x", "é", token[:-4]):
        assert code_of(await guest.post("/shares/open", {"token": nothing})) == "link-not-found"
    found = await opened(guest, shared)
    content = base64.urlsafe_b64decode(found["pass"] + "=" * (-len(found["pass"]) % 4))
    for at in range(0, len(content), 5):
        flipped = bytearray(content)
        flipped[at] ^= 1
        guest.http.headers["Authorization"] = f"Share {base64.urlsafe_b64encode(flipped).decode()}"
        assert code_of(await guest.get(f"/shares/{shared['id']}/assets")) == "pass-expired"


def test_a_pass_is_over_at_its_end_and_what_an_older_root_key_signed_stays_valid() -> None:
    from archive.errors import LinkNotFound, PassExpired

    old, new = b"o" * 32, b"n" * 32
    id_ = UUID(int=7)
    before, between, after = Keyring(old), Keyring(new, old), Keyring(new)
    token = tokens.token_of(before, id_)
    assert tokens.share_of(between, token) == id_
    with pytest.raises(LinkNotFound):
        tokens.share_of(after, token)
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    given = tokens.Pass(id_, UUID(int=8), 3, soon)
    assert tokens.read(between, tokens.write(before, given)) == given
    over = tokens.Pass(id_, UUID(int=8), 3, soon - timedelta(minutes=6))
    for keyring, written in ((before, tokens.write(before, over)), (after, tokens.write(before, given))):
        with pytest.raises(PassExpired):
            tokens.read(keyring, written)


# What guests send


async def test_what_a_guest_sends_lands_in_the_album(anna: Person, stranger: NewPerson, live: Runtime) -> None:
    one = await album(anna)
    shared = await share(anna, one, uploads=True)
    other = await album(anna)
    guest = stranger()
    await opened(guest, shared)
    sent = await send(guest, b"from a guest", album=other, modified="0")
    assert sent.status_code == 201, sent.text
    assert "upload-asset" not in sent.headers
    [tile] = await tiles(guest, shared)
    shown = (await anna.get(f"/assets/{tile['id']}")).json()
    assert [album["id"] for album in shown["albums"]] == [one]
    assert (shown["library_id"], shown["uploader"]["id"]) == (anna.library, anna.id)
    async with live.database.transaction() as session:
        entry = await session.scalar(select(AuditEntry).where(AuditEntry.action == "share.received"))
        assert entry is not None
        assert (entry.target, entry.details["share"], entry.details["album"]) == (tile["id"], shared["id"], one)


async def test_a_guest_sends_only_where_the_link_leads(anna: Person, stranger: NewPerson) -> None:
    second = (await anna.post("/libraries", {"name": "second"})).json()["id"]
    shared = await share(anna, await album(anna), uploads=True)
    guest = stranger()
    await opened(guest, shared)
    assert code_of(await send(guest, b"x", library=second)) == "not-found"
    assert (await send(guest, b"x", library=anna.library)).status_code == 201
    closed = await share(anna, await album(anna))
    await opened(guest, closed)
    assert code_of(await send(guest, b"x")) == "forbidden"
    await anna.patch(f"/shares/{closed['id']}", {"uploads": True})
    assert (await send(guest, b"y")).status_code == 201
    # Receiving in one request and asking what the library has are not for guests.
    assert (await guest.http.post("/api/v1/assets", content=b"x")).status_code == 401
    question = {"library_id": anna.library, "hashes": ["ab" * 32]}
    assert (await guest.post("/assets/check", question)).status_code == 401


async def test_guests_know_nothing_of_each_others_uploads(anna: Person, stranger: NewPerson) -> None:
    shared = await share(anna, await album(anna), uploads=True)
    one, two = stranger(), stranger()
    await opened(one, shared)
    await opened(two, shared)
    begun = await one.http.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "4"})
    where = begun.headers["location"]
    headers = {**TUS, "Upload-Offset": "0"}
    for other in (two, anna):
        assert (await other.http.head(where, headers=TUS)).status_code == 404
        assert (await other.http.get(where)).status_code == 404
        assert (await other.http.patch(where, headers=headers, content=b"evil")).status_code == 404
        assert (await other.http.delete(where, headers=TUS)).status_code == 404
    assert (await one.http.patch(where, headers=headers, content=b"good")).status_code == 204
    found = (await one.http.get(where)).json()
    assert (found["state"], found["asset_id"], found["duplicate"]) == ("finished", None, False)
    # Nor are the uploads of the link's maker a guest's.
    hers = await anna.http.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "4"})
    assert (await one.http.get(hers.headers["location"])).status_code == 404


async def test_what_the_library_had_before_comes_into_the_album_without_a_word(
    anna: Person, stranger: NewPerson
) -> None:
    had = await keep(anna, b"known", "known.jpg")
    shared = await share(anna, await album(anna), uploads=True)
    guest = stranger()
    await opened(guest, shared)
    known, new = await send(guest, b"known"), await send(guest, b"new")
    assert known.status_code == new.status_code
    assert known.headers.keys() == new.headers.keys()
    assert had["id"] in {tile["id"] for tile in await tiles(guest, shared)}


async def test_guests_uploads_at_once(anna: Person, stranger: NewPerson) -> None:
    shared = await share(anna, await album(anna), uploads=True)
    guests = [stranger() for _ in range(3)]
    for guest in guests:
        await opened(guest, shared)
    sent = await asyncio.gather(*(send(guest, f"{n} {k}".encode()) for k, guest in enumerate(guests) for n in range(4)))
    assert {answer.status_code for answer in sent} == {201}
    assert len(await tiles(guests[0], shared)) == 12


async def test_a_guest_hears_that_there_is_no_room_and_not_how_much(
    anna: Person, stranger: NewPerson, live: Runtime
) -> None:
    shared = await share(anna, await album(anna), uploads=True)
    guest = stranger()
    await opened(guest, shared)
    async with live.database.transaction() as session:
        limited = "INSERT INTO usage (library_id, quota) VALUES (:library, 2)"
        await session.execute(
            text(f"{limited} ON CONFLICT (library_id) DO UPDATE SET quota = 2"), {"library": anna.library}
        )
    refused = await send(guest, b"three")
    assert code_of(refused) == "quota-exceeded"
    assert "quota" not in refused.json()


# What a pass must not open


async def test_a_pass_opens_no_other_route(anna: Person, stranger: NewPerson, app: FastAPI) -> None:
    things = await things_of(anna, app)
    hers = await keep(anna, b"in the album")
    one = await album(anna, hers["id"])
    shared = await share(anna, one, uploads=True)
    guest = stranger()
    await opened(guest, shared)
    refused = {401, 403, 404}
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if (method, path) in PUBLIC | GUESTS or (method, path) == ("post", "/api/v1/uploads"):
                continue
            # Her things, and those of the album itself.
            for ids in (things, things | {"asset_id": hers["id"], "album_id": one, "share_id": shared["id"]}):
                answer = await ask(guest, method, path, operation, ids)
                assert answer.status_code in refused, f"{method} {path}: {answer.status_code} {answer.text}"
                assert anna.email not in answer.text


async def test_a_pass_opens_no_other_link(anna: Person, stranger: NewPerson, app: FastAPI) -> None:
    hers = await keep(anna, b"hers")
    mine, other = await share(anna, await album(anna)), await share(anna, await album(anna, hers["id"]))
    guest = stranger()
    await opened(guest, mine)
    for path in (f"/shares/{other['id']}/assets", f"/shares/{mine['id']}/assets/{hers['id']}"):
        assert code_of(await guest.get(path)) == "not-found"
    assert code_of(await guest.post(f"/shares/{other['id']}/zip")) == "not-found"


async def test_what_is_in_the_trash_is_not_to_be_seen(anna: Person, stranger: NewPerson) -> None:
    hers = await keep(anna, b"hers")
    shared = await share(anna, await album(anna, hers["id"]))
    guest = stranger()
    await opened(guest, shared)
    await anna.delete(f"/assets/{hers['id']}")
    assert await tiles(guest, shared) == []
    assert code_of(await guest.get(f"/shares/{shared['id']}/assets/{hers['id']}")) == "not-found"
