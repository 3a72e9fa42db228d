"""Films on their way from received bytes to what a browser plays."""

from __future__ import annotations

import io
from typing import Any

import av
import pytest
from PIL import Image
from sqlalchemy import select

from archive.models import Event
from archive.runtime import Runtime
from tests.conftest import MakePerson
from tests.support.films import film
from tests.support.people import Person
from tests.support.pictures import jpeg, picture
from tests.test_ingest import DONE, asset_of, ingest, send, steps_of


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: Any, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[no-any-return]


async def tile_of(anna: Person, asset_id: str) -> dict[str, Any]:
    page = (await anna.get(f"/timeline/assets?library={anna.library}")).json()
    (found,) = [tile for tile in page["items"] if tile["id"] == asset_id]
    return dict(found)


async def test_a_film_that_browsers_play_is_played_as_it_is(anna: Person, live: Runtime) -> None:
    moscow = {"creation_time": "2024-05-01T09:03:04Z", "com.apple.quicktime.location.ISO6709": "+55.7522+037.6156/"}
    content = film(seconds=2.0, metadata=moscow, muxer={"movflags": "use_metadata_tags"})
    asset_id = await send(anna, content, "film.mp4", "video/mp4")
    await ingest(live)
    asset = await asset_of(live, asset_id)
    assert (asset.kind, asset.media_type, asset.width, asset.height) == ("video", "video/mp4", 320, 240)
    assert asset.duration_ms == pytest.approx(2000, abs=100)
    # Films say the time in Greenwich; this one also says that it was in Moscow.
    assert (asset.taken_at.isoformat(), asset.taken_offset) == ("2024-05-01T12:03:04", 180)
    ended = await steps_of(live, asset_id)
    assert ended == DONE | {"play": ("skipped", None)}
    tile = await tile_of(anna, asset_id)
    clip = Image.open(io.BytesIO((await anna.http.get(tile["clip"])).content))
    assert getattr(clip, "n_frames", 1) > 4
    part = await anna.http.get(tile["video"], headers={"Range": "bytes=0-99"})
    assert (part.status_code, part.content) == (206, content[:100])


async def test_a_film_that_browsers_do_not_play_is_converted(anna: Person, live: Runtime) -> None:
    content = film(format="matroska", video="libx265", audio="pcm_s16le", seconds=2.0, options={"preset": "ultrafast"})
    asset_id = await send(anna, content, "film.mkv", "application/octet-stream")
    await ingest(live)
    assert (await asset_of(live, asset_id)).kind == "video"
    assert (await steps_of(live, asset_id))["play"] == ("done", None)
    tile = await tile_of(anna, asset_id)
    played = await anna.http.get(tile["video"])
    assert played.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(played.content)) as opened:
        assert opened.streams.video[0].codec_context.name == "h264"
        assert opened.streams.audio[0].codec_context.name == "aac"
    assert (await anna.get(f"/assets/{asset_id}/original")).content == content
    # Who waits for it hears of its job: by these events the viewer shows how far it is.
    async with live.database.transaction() as session:
        told = list(await session.scalars(select(Event.data).where(Event.kind == "job").order_by(Event.id)))
    states = [one["state"] for one in told if one["kind"] == "ingest.play" and one["asset_id"] == asset_id]
    assert (states[0], states[-1]) == ("running", "done")


@pytest.mark.parametrize("first", ["photo", "film"])
async def test_a_live_photo_and_its_film_are_one_in_whichever_order_they_come(
    anna: Person, live: Runtime, first: str
) -> None:
    identifier = "5D2C4E8B-0C1A-4E57-9C3B-1B1C1D1E1F20"
    said = {"com.apple.quicktime.content.identifier": identifier}
    sent = {
        "photo": (jpeg(make="Apple", live_id=identifier), "a.jpg", "image/jpeg"),
        "film": (
            film(seconds=1.0, format="mov", metadata=said, muxer={"movflags": "use_metadata_tags"}),
            "another name.mov",
            "video/quicktime",
        ),
    }
    ids = {}
    for name in ("photo", "film") if first == "photo" else ("film", "photo"):
        ids[name] = await send(anna, *sent[name])
        await ingest(live)
    moving = await asset_of(live, ids["film"])
    assert (str(moving.shown_with), moving.part) == (ids["photo"], "motion")
    tile = await tile_of(anna, ids["photo"])
    assert tile["parts"] == ["motion"]
    assert (await anna.http.get(tile["motion"])).status_code == 200


async def test_the_film_inside_a_motion_photo_is_played_from_it(anna: Person, live: Runtime) -> None:
    inside = film(seconds=1.0)
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MicroVideo="1" '
        f'GCamera:MicroVideoOffset="{len(inside)}"/></rdf:RDF></x:xmpmeta>'
    )
    written = io.BytesIO()
    picture().save(written, "JPEG", xmp=packet.encode())
    asset_id = await send(anna, written.getvalue() + inside, "MVIMG_1.jpg")
    await ingest(live)
    tile = await tile_of(anna, asset_id)
    assert (await anna.http.get(tile["motion"])).content == inside
