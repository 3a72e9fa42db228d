"""From received bytes to something one can look at: the steps, done by a real worker's runner in a real sandbox."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select, text, update

from archive.jobs import JOBS
from archive.models import Asset, Job, Rendition, Step
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.runtime import Runtime
from archive.steps import catalogue
from archive.steps import service as steps
from archive.worker.runner import JobRunner
from tests.conftest import MakePerson
from tests.support.people import Person
from tests.support.pictures import jpeg, picture

# Nobody waits for the look: its jobs are of another queue.
DONE = {"describe": ("done", None), "render": ("done", None), "look": ("waiting", None)}


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: Any, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[no-any-return]


async def send(anna: Person, content: bytes, name: str = "photo.jpg", media_type: str = "image/jpeg") -> str:
    answer = await anna.http.post(
        f"/api/v1/assets?library={anna.library}&name={name}", content=content, headers={"Content-Type": media_type}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def ingest(live: Runtime) -> None:
    """Do every step there is to do."""
    runner = JobRunner(live, JOBS, ["ingest"], "w1")
    while await runner.run_one():
        pass


async def asset_of(live: Runtime, asset_id: str) -> Asset:
    async with live.database.transaction() as session:
        return await session.get_one(Asset, UUID(asset_id))


async def steps_of(live: Runtime, asset_id: str) -> dict[str, tuple[str, str | None]]:
    async with live.database.transaction() as session:
        return {step.name: (step.state, step.verdict) for step in await steps.of(session, UUID(asset_id))}


async def test_a_photo_is_described_and_rendered(anna: Person, live: Runtime) -> None:
    content = jpeg(
        picture(3000, 2000),
        make="Canon",
        model="Canon EOS R5",
        orientation=6,
        taken="2024:05:01 12:03:04",
        subsecond="12",
        offset="+03:00",
        position=(55.7522, 37.6156),
    )
    asset_id = await send(anna, content, media_type="application/octet-stream")
    await ingest(live)
    asset = await asset_of(live, asset_id)
    assert (asset.kind, asset.media_type) == ("photo", "image/jpeg")
    assert (asset.width, asset.height) == (2000, 3000)
    assert asset.taken_at.isoformat() == "2024-05-01T12:03:04.120000"
    assert (asset.taken_offset, asset.taken_from) == (180, "exif")
    assert asset.camera == "Canon EOS R5"
    assert asset.country == "RU"
    assert asset.thumbhash
    assert asset.problem is None
    assert await steps_of(live, asset_id) == DONE
    for name, size in (("preview", (960, 1440)), ("thumb", (250, 375))):
        shown = await anna.get(f"/assets/{asset_id}/renditions/{name}")
        assert shown.headers["content-type"] == "image/webp"
        image = Image.open(io.BytesIO(shown.content))
        assert image.size == size
        assert not image.getexif()
        # Turned by its orientation: the quarter that lay left below is left above now.
        red, _, blue = image.convert("RGB").resize((2, 2)).tobytes()[:3]
        assert blue > red
    assert (await anna.get(f"/assets/{asset_id}/original")).content == content


async def test_what_is_no_photo_says_so_and_is_kept(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, b"no photo at all", "photo.jpg")
    await ingest(live)
    asset = await asset_of(live, asset_id)
    assert asset.problem == "unsupported"
    assert await steps_of(live, asset_id) == {"describe": ("failed", "unsupported"), "render": ("skipped", None)}
    assert (await anna.get(f"/assets/{asset_id}/original")).content == b"no photo at all"


async def test_a_broken_photo_is_corrupt_and_holds_nothing_up(anna: Person, live: Runtime) -> None:
    whole = jpeg(picture(800, 600))
    broken = await send(anna, whole[:200], "broken.jpg")
    sound = await send(anna, jpeg(), "sound.jpg")
    await ingest(live)
    assert (await asset_of(live, broken)).problem == "corrupt"
    assert (await asset_of(live, sound)).thumbhash


async def jobs_of(live: Runtime, asset_id: str) -> list[str]:
    """Name the kinds of jobs an asset has had."""
    async with live.database.transaction() as session:
        return list(await session.scalars(select(Job.kind).where(Job.key == asset_id).order_by(Job.id)))


async def test_a_picture_is_described_and_rendered_at_one_sight(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, jpeg())
    await ingest(live)
    assert await jobs_of(live, asset_id) == ["ingest.describe", "analysis.look"]
    assert await steps_of(live, asset_id) == DONE


async def test_a_picture_that_cannot_be_rendered_is_described_nevertheless(anna: Person, live: Runtime) -> None:
    whole = jpeg(picture(800, 600), model="Canon EOS R5", taken="2024:05:01 12:03:04")
    asset_id = await send(anna, whole[: whole.index(b"\xff\xda") + 4])
    await ingest(live)
    asset = await asset_of(live, asset_id)
    assert (asset.camera, asset.problem) == ("Canon EOS R5", "corrupt")
    assert await jobs_of(live, asset_id) == ["ingest.describe", "ingest.render"]
    assert await steps_of(live, asset_id) == {"describe": ("done", None), "render": ("failed", "corrupt")}


async def test_describing_anew_renders_nothing_anew(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, jpeg())
    await ingest(live)
    async with live.database.transaction() as session:
        files = set(await session.scalars(select(Rendition.file_id)))
        await steps.rebuild(session, [catalogue.DESCRIBE], None, outdated=False)
        await steps.missing(session, catalogue.DESCRIBE, 10)
    await ingest(live)
    assert await jobs_of(live, asset_id) == ["ingest.describe", "analysis.look", "ingest.describe"]
    async with live.database.transaction() as session:
        assert set(await session.scalars(select(Rendition.file_id))) == files


async def test_a_retry_does_the_failed_steps_again(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, jpeg())
    async with live.database.transaction() as session:
        asset = await session.get_one(Asset, UUID(asset_id))
        await session.execute(text("DELETE FROM job"))
        await steps.fail(session, asset, catalogue.DESCRIBE, "timeout", "it took too long")
    assert (await asset_of(live, asset_id)).problem == "timeout"
    async with live.database.transaction() as session:
        assert await steps.retry(session, [await session.get_one(Asset, UUID(asset_id))]) == 1
    assert (await asset_of(live, asset_id)).problem is None
    await ingest(live)
    assert (await asset_of(live, asset_id)).thumbhash


async def test_a_lost_job_is_asked_for_again(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, jpeg())
    async with live.database.transaction() as session:
        await session.execute(text("DELETE FROM job"))
        await enqueue(session, kinds.MISSING)
    runner = JobRunner(live, JOBS, ["upkeep"], "w1")
    assert await runner.run_one()
    await ingest(live)
    assert (await steps_of(live, asset_id))["render"] == ("done", None)


async def test_a_job_that_gave_up_leaves_its_reason_on_the_asset(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, jpeg())
    async with live.database.transaction() as session:
        gave_up = update(Job).where(Job.kind == "ingest.describe").values(state="quarantined", error="it killed three")
        await session.execute(gave_up)
        assert await steps.missing(session, catalogue.DESCRIBE, 10) == 1
    assert (await asset_of(live, asset_id)).problem == "crash"
    async with live.database.transaction() as session:
        assert (await session.get_one(Step, (UUID(asset_id), "describe"))).detail == "it killed three"


async def test_steps_are_done_once_however_often_they_are_asked_for(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, jpeg())
    await ingest(live)
    async with live.database.transaction() as session:
        before = await session.scalar(text("SELECT renditions FROM usage"))
        assert await steps.rebuild(session, [catalogue.RENDER], None, outdated=True) == 0
        assert await steps.rebuild(session, [catalogue.RENDER], UUID(anna.library), outdated=False) == 1
        assert await steps.missing(session, catalogue.RENDER, 10) == 1
        assert await steps.missing(session, catalogue.RENDER, 10) == 0
    await ingest(live)
    async with live.database.transaction() as session:
        assert await session.scalar(text("SELECT renditions FROM usage")) == before
        assert await session.scalar(text("SELECT count(*) FROM rendition")) == 2
    assert (await steps_of(live, asset_id))["render"] == ("done", None)


async def test_describing_anew_leaves_corrections_alone(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, jpeg(taken="2024:05:01 12:03:04"))
    await ingest(live)
    async with live.database.transaction() as session:
        asset = await session.get_one(Asset, UUID(asset_id))
        asset.title, asset.taken_at, asset.corrected = "Mine", asset.taken_at.replace(year=1999), ["title", "taken_at"]
        await steps.ask(session, asset.library_id, asset.id, [catalogue.DESCRIBE])
    await ingest(live)
    asset = await asset_of(live, asset_id)
    assert asset.title == "Mine"
    assert asset.taken_at.year == 1999


async def test_a_raw_file_is_shown_with_the_picture_made_of_it(anna: Person, live: Runtime) -> None:
    picture_id, raw_id = await send(anna, jpeg()), await send(anna, jpeg(picture(seed=1)), "photo.dng")
    await ingest(live)
    async with live.database.transaction() as session:
        await session.execute(update(Asset).values(shot_key="one shot"))
        raw = await session.get_one(Asset, UUID(raw_id))
        raw.media_type = "image/x-adobe-dng"
        from archive.ingest import together

        await together.find(session, raw)
    raw, shown = await asset_of(live, raw_id), await asset_of(live, picture_id)
    assert (str(raw.shown_with), raw.part) == (picture_id, "raw")
    assert (shown.in_timeline, raw.in_timeline) == (True, False)


_SIDECAR = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmp:Rating="4"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">By the sea</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.mark.parametrize("first", ["photo", "sidecar"])
@pytest.mark.parametrize("name", ["IMG_1.xmp", "img_1.JPG.xmp"])
async def test_a_sidecar_has_the_last_word_in_whichever_order_they_come(
    anna: Person, live: Runtime, first: str, name: str
) -> None:
    sent = {"photo": (jpeg(), "IMG_1.jpg"), "sidecar": (_SIDECAR.encode(), name)}
    order = ["photo", "sidecar"] if first == "photo" else ["sidecar", "photo"]
    ids = {}
    for one in order:
        ids[one] = await send(anna, *sent[one])
        await ingest(live)
    photo, sidecar = await asset_of(live, ids["photo"]), await asset_of(live, ids["sidecar"])
    assert (photo.title, photo.rating) == ("By the sea", 4)
    assert (sidecar.shown_with, sidecar.part, sidecar.kind) == (photo.id, "sidecar", "sidecar")
    record = (await anna.get(f"/assets/{photo.id}")).json()["metadata"]
    assert (record["title"], record["format"]) == ("By the sea", "jpeg")


async def test_an_asset_that_was_purged_meanwhile_needs_nothing(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, jpeg())
    await anna.post("/assets/trash", {"ids": [asset_id]})
    await anna.post("/assets/purge", {"ids": [asset_id]})
    runner = JobRunner(live, JOBS, ["ingest"], "w1")
    assert await runner.run_one()
    async with live.database.transaction() as session:
        assert await session.scalar(select(Job.state).where(Job.kind == "ingest.describe")) == "done"
