"""An original on its way to another form and back: the bytes that were received are given whatever is stored."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from archive.models import Asset, Deletion, File, Form, Object, Tombstone, Usage
from archive.runtime import Runtime
from archive.space import recompressing
from archive.steps import catalogue
from archive.steps import service as steps
from archive.usage import service as usage
from tests.conftest import MakePerson
from tests.support import photos, space
from tests.support.people import Person

JPEG = photos.saved(photos.scene(900, 600), "JPEG", quality=92)
TAILED = photos.saved(photos.scene(900, 600, 2), "JPEG", quality=90) + b"motion" * 2000
TIFF = photos.saved(photos.scene(2000, 1500), "TIFF")


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: Any, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[no-any-return]


async def sent(anna: Person, live: Runtime, content: bytes = JPEG, name: str = "photo.jpg") -> str:
    asset_id = await space.send(anna, content, name)
    await space.settled(live)
    return asset_id


async def exact(anna: Person, live: Runtime, content: bytes = JPEG, name: str = "photo.jpg") -> str:
    asset_id = await sent(anna, live, content, name)
    await space.recompress(live)
    assert (await space.kept(live, asset_id))[1].kind == "exact"
    return asset_id


@pytest.mark.parametrize("content", [JPEG, TAILED, TIFF], ids=["jpeg", "tail", "tiff"])
async def test_what_was_received_is_given_bit_for_bit(anna: Person, live: Runtime, content: bytes) -> None:
    asset_id = await sent(anna, live, content)
    before = await anna.get(f"/assets/{asset_id}/original")
    await space.recompress(live)
    asset, file = await space.kept(live, asset_id)
    assert file.kind == "exact"
    assert file.size < 0.95 * len(content)
    assert asset.size == len(content)
    assert await space.forms(live, asset_id) == [("exact", False, False), ("received", True, False)]
    after = await anna.get(f"/assets/{asset_id}/original")
    assert after.content == content
    for header in ("etag", "repr-digest", "content-length", "content-disposition", "content-type", "last-modified"):
        assert after.headers[header] == before.headers[header], header


async def test_nothing_begins_before_its_hour(anna: Person, live: Runtime) -> None:
    await sent(anna, live)
    rules, nobody = space.RULES, space._nobody
    assert await recompressing.run(live.database.transaction, live.giver, rules, nobody) == 0


async def test_it_waits_for_what_has_to_be_done_first(anna: Person, live: Runtime) -> None:
    asset_id = await space.send(anna, JPEG)
    assert await space.recompress(live) == 0
    await space.settled(live)
    assert await space.recompress(live) == 1
    assert (await space.kept(live, asset_id))[1].kind == "exact"
    assert await space.recompress(live) == 0


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 4000), (300_000, 300_010), (4 << 20, (4 << 20) + 5)])
@pytest.mark.parametrize("content", [TAILED, TIFF], ids=["jpeg", "tiff"])
async def test_ranges_are_of_what_was_received(
    anna: Person, live: Runtime, content: bytes, start: int, end: int
) -> None:
    asset_id = await exact(anna, live, content)
    path = f"/api/v1/assets/{asset_id}/original"
    part = await anna.http.get(path, headers={"Range": f"bytes={start}-{end - 1}"})
    if start >= len(content):
        assert part.status_code == 416
        return
    assert part.status_code == 206
    assert part.content == content[start:end]
    suffix = await anna.http.get(path, headers={"Range": "bytes=-100"})
    assert suffix.content == content[-100:]
    assert suffix.headers["content-range"] == f"bytes {len(content) - 100}-{len(content) - 1}/{len(content)}"


async def test_a_zip_has_what_was_received(anna: Person, live: Runtime) -> None:
    ids = [await exact(anna, live, content, name) for content, name in ((JPEG, "a.jpg"), (TIFF, "b.tif"))]
    made = await anna.post("/selections", {"library_id": anna.library, "asset_ids": ids})
    zipped = zipfile.ZipFile(io.BytesIO((await anna.http.get(made.json()["zip"])).content))
    assert {name: zipped.read(name) for name in zipped.namelist()} == {"a.jpg": JPEG, "b.tif": TIFF}


async def test_who_sends_the_same_bytes_again_finds_the_same_asset(anna: Person, live: Runtime) -> None:
    asset_id = await exact(anna, live)
    again = await anna.http.post(f"/api/v1/assets?library={anna.library}&name=again.jpg", content=JPEG)
    assert again.status_code == 200
    assert again.json()["id"] == asset_id
    assert again.json()["duplicate"] is True
    for digest in (hashlib.sha256(JPEG).hexdigest(), hashlib.sha1(JPEG).hexdigest()):
        known = await anna.post("/assets/check", {"library_id": anna.library, "hashes": [digest]})
        assert known.json()["items"][0]["asset_id"] == asset_id


async def test_what_cannot_be_made_smaller_stays_and_says_why(anna: Person, live: Runtime) -> None:
    refused = {
        "CMYK": photos.saved(photos.scene(300, 200).convert("CMYK"), "JPEG"),
        "cut off": JPEG[:-1000],
        "compressed already": photos.saved(photos.scene(300, 200), "WEBP"),
        "nothing to gain": b"",
    }
    ids = {why: await sent(anna, live, content, f"{why}.bin") for why, content in refused.items()}
    await space.recompress(live)
    for why, asset_id in ids.items():
        found = await space.outcome(live, asset_id)
        assert found.state == "refused"
        assert why in (found.reason or "")
        assert (await space.kept(live, asset_id))[1].kind == "original"
        assert (await anna.get(f"/assets/{asset_id}/original")).content == refused[why]
        assert (await anna.get(f"/assets/{asset_id}")).json()["problem"] in {None, "corrupt", "unsupported"}
    assert await space.recompress(live) == 0
    # What was written before it was refused is deleted.
    async with live.database.transaction() as session:
        keys = set(await session.scalars(select(Object.key))) | set(await session.scalars(select(Deletion.key)))
    assert {stat.key async for stat in live.store.list("o/")} == keys


async def test_counts_follow_the_form(anna: Person, live: Runtime) -> None:
    await exact(anna, live)
    trashed = await sent(anna, live, TIFF, "b.tif")
    await anna.delete(f"/assets/{trashed}")
    await space.recompress(live)
    _, file = await space.kept(live, trashed)
    assert file.kind == "exact"
    async with live.database.transaction() as session:
        row = await session.get_one(Usage, file.library_id)
        assert (row.originals, row.renditions, row.trash) == await usage.recount(session, file.library_id)
        assert row.trash == file.size


async def test_a_purge_destroys_every_form_for_ever(anna: Person, live: Runtime) -> None:
    asset_id = await exact(anna, live)
    async with live.database.transaction() as session:
        file_ids = set(await session.scalars(select(Form.file_id)))
    await anna.delete(f"/assets/{asset_id}")
    assert (await anna.post("/assets/purge", {"ids": [asset_id]})).status_code == 204
    async with live.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(File)) == 0
        assert set(await session.scalars(select(Tombstone.file_id))) >= file_ids


async def test_describing_and_rendering_anew_read_what_was_received(anna: Person, live: Runtime) -> None:
    asset_id = await exact(anna, live)
    before = (await anna.get(f"/assets/{asset_id}")).json()
    async with live.database.transaction() as session:
        asset = await session.get_one(Asset, UUID(asset_id))
        asset.thumbhash = asset.width = asset.media_type = None  # type: ignore[assignment]
        asset.media_type = "image/x"
        await steps.ask(session, asset.library_id, asset.id, [catalogue.DESCRIBE, catalogue.RENDER])
    await space.settled(live)
    after = (await anna.get(f"/assets/{asset_id}")).json()
    for name in ("media_type", "width", "height", "thumbhash", "kind", "problem"):
        assert after[name] == before[name], name


async def test_a_former_leaves_when_all_is_safe(anna: Person, live: Runtime) -> None:
    asset_id = await exact(anna, live)
    await space.verified(live)
    assert await space.retire(live) == 0  # its days are not over
    await space.days_pass(live)
    assert await space.retire(live) == 1
    assert await space.forms(live, asset_id) == [("exact", False, False), ("received", True, True)]
    async with live.database.transaction() as session:
        assert list(await session.scalars(select(File.kind).where(File.kind != "rendition"))) == ["exact"]
        # The asset lives on: an older backup that has the received file must restore it.
        assert await session.scalar(select(func.count()).select_from(Tombstone)) == 0
    assert (await anna.get(f"/assets/{asset_id}/original")).content == JPEG
