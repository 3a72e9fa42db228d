"""Who decides how originals are kept, what a preview says, and that what is reported is what the store holds."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from archive.integrity import sweeping
from archive.models import Deletion, Recompression
from archive.queue import kinds
from archive.runtime import Runtime
from archive.space import levels
from archive.space.levels import Level, Target
from tests.conftest import MakePerson
from tests.support import photos, space
from tests.support.people import Person

JPEG = photos.saved(photos.scene(600, 400), "JPEG", quality=92)
TIFF = photos.saved(photos.scene(900, 600, 3), "TIFF")
WEBP = photos.saved(photos.scene(300, 200), "WEBP")


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[no-any-return]


async def sent(anna: Person, live: Runtime, content: bytes, name: str = "photo.jpg", kind: str = "image/jpeg") -> str:
    asset_id = await space.send(anna, content, name, kind)
    await space.described(live)
    return asset_id


async def choose(anna: Person, level: str, **more: Any) -> int:
    return (await anna.put(f"/libraries/{anna.library}/policy", {"level": level, **more})).status_code


async def in_album(anna: Person, *ids: str) -> str:
    made = await anna.post("/albums", {"library_id": anna.library, "name": "Race"})
    album = str(made.json()["id"])
    added = await anna.post(f"/albums/{album}/add", {"ids": list(ids)})
    assert added.status_code in {200, 204}, added.text
    return album


async def kind_of(live: Runtime, asset_id: str) -> str:
    return (await space.kept(live, asset_id))[1].kind


async def test_a_library_that_keeps_what_it_receives(anna: Person, live: Runtime) -> None:
    assert await choose(anna, "keep") == 200
    asset_id = await sent(anna, live, JPEG)
    await space.recompress(live)
    assert await kind_of(live, asset_id) == "original"
    assert (await space.outcome(live, asset_id)).level == "keep"
    # Who changes their mind need not wait for an hour.
    assert await choose(anna, "exact") == 200
    async with live.database.transaction() as session:
        due = select(Recompression).where(Recompression.state == "due", Recompression.due_at <= func.clock_timestamp())
        assert len(list(await session.scalars(due))) == 1
    await space.recompress(live)
    assert await kind_of(live, asset_id) == "exact"


async def test_an_album_goes_before_its_library_and_care_before_all(anna: Person, live: Runtime) -> None:
    one, two = await sent(anna, live, JPEG), await sent(anna, live, TIFF, "b.tif", "image/tiff")
    keeping, exact = await in_album(anna, one), await in_album(anna, one, two)
    assert await choose(anna, "keep") == 200
    assert (await anna.put(f"/albums/{keeping}/policy", {"level": "keep"})).status_code == 200
    assert (await anna.put(f"/albums/{exact}/policy", {"level": "exact"})).status_code == 200
    await space.recompress(live)
    assert await kind_of(live, one) == "original"
    assert await kind_of(live, two) == "exact"
    listed = (await anna.get(f"/libraries/{anna.library}/policies")).json()
    assert listed["default"] == "exact"
    assert listed["levels"] == ["keep", "exact"]
    first = listed["items"][0]
    assert (first["album_id"], first["level"]) == (None, "keep")
    assert {item["album_id"] for item in listed["items"]} == {None, keeping, exact}
    assert (await anna.delete(f"/albums/{keeping}/policy")).status_code == 204
    assert (await anna.delete(f"/albums/{keeping}/policy")).status_code == 204
    await space.recompress(live)
    assert await kind_of(live, one) == "exact"


async def test_a_policy_that_becomes_keep_meanwhile_holds(
    anna: Person, live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archive.space import packing

    asset_id = await sent(anna, live, JPEG)

    async def changed_meanwhile(*arguments: Any) -> Any:
        made = await packing.pack(*arguments)
        assert await choose(anna, "keep") == 200
        return made

    monkeypatch.setattr("archive.space.recompressing.pack", changed_meanwhile)
    await space.recompress(live)
    assert await kind_of(live, asset_id) == "original"
    async with live.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Deletion)) == 1


async def test_only_owners_choose_and_only_what_makes_sense(anna: Person, live: Runtime, person: MakePerson) -> None:
    stranger = await person("boris@example.org")
    body = {"level": "keep"}
    assert (await stranger.put(f"/libraries/{anna.library}/policy", body)).status_code == 404
    assert (await stranger.post(f"/libraries/{anna.library}/previews", {})).status_code == 404
    assert await choose(anna, "all of it") == 422
    assert await choose(anna, "custom") == 422
    assert await choose(anna, "space_saver") == 422
    assert await choose(anna, "custom", score=99, codec="jxl", understood=True) == 422
    assert (await anna.get(f"/libraries/{anna.library}/policies")).json()["items"] == []


async def test_no_lossy_level_is_accepted_without_the_words(
    anna: Person, live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levels, "LOSSY", True)
    assert await choose(anna, "visually_lossless") == 422
    refused = await anna.put(f"/libraries/{anna.library}/policy", {"level": "space_saver"})
    assert "cannot be undone" in refused.text
    assert await choose(anna, "visually_lossless", understood=True) == 200


def test_the_most_careful_of_several_levels_counts() -> None:
    keep, exact = Level("keep"), Level("exact")
    fine, rough = (Level("custom", Target("jxl", score, None)) for score in (90.0, 70.0))
    small = Level("custom", Target("jxl", 95.0, 2_000_000))
    for chosen, others in ((keep, [exact, fine]), (exact, [fine, rough]), (fine, [rough, small]), (rough, [small])):
        assert levels.most_careful([*others, chosen]) == chosen


async def test_a_preview_says_what_would_be_saved_and_stores_nothing(anna: Person, live: Runtime) -> None:
    for content, name in ((JPEG, "a.jpg"), (TIFF, "b.tif"), (WEBP, "c.webp")):
        await sent(anna, live, content, name)
    before = {stat.key async for stat in live.store.list("o/")}
    asked = await anna.post(f"/libraries/{anna.library}/previews", {})
    assert asked.status_code == 202
    await space.run_only(live, "default")
    shown = (await anna.get(f"/previews/{asked.json()['id']}")).json()
    assert shown["finished_at"]
    by_name = {one["name"]: one for one in shown["assets"]}
    assert set(by_name) == {"a.jpg", "b.tif", "c.webp"}
    for name, content in (("a.jpg", JPEG), ("b.tif", TIFF)):
        assert by_name[name]["levels"]["keep"]["size"] == len(content)
        assert by_name[name]["levels"]["exact"]["size"] < 0.97 * len(content)
    assert "nothing to gain" in by_name["c.webp"]["levels"]["exact"]["reason"]
    assert by_name["c.webp"]["levels"]["exact"]["size"] == len(WEBP)
    assert {stat.key async for stat in live.store.list("o/")} == before
    # What was previewed is what comes.
    await space.recompress(live)
    sizes = {}
    for one in by_name.values():
        sizes[one["name"]] = (await space.kept(live, one["id"]))[1].size
    assert sizes == {name: one["levels"]["exact"]["size"] for name, one in by_name.items()}


async def test_a_preview_samples_twenty_from_all_over(anna: Person, live: Runtime) -> None:
    ids = [await space.send(anna, JPEG + bytes([number]), f"{number}.jpg") for number in range(45)]
    album = await in_album(anna, *ids[:3])
    asked = (await anna.post(f"/libraries/{anna.library}/previews", {})).json()
    of_album = (await anna.post(f"/libraries/{anna.library}/previews", {"album_id": album})).json()
    await space.run_only(live, "default")
    sampled = [one["id"] for one in (await anna.get(f"/previews/{asked['id']}")).json()["assets"]]
    assert len(sampled) == 20
    assert sampled[0] == ids[0]
    assert sampled[-1] in ids[-3:]
    small = (await anna.get(f"/previews/{of_album['id']}")).json()["assets"]
    assert [one["id"] for one in small] == ids[:3]


async def test_the_report_adds_up_to_what_the_store_holds(anna: Person, live: Runtime, person: MakePerson) -> None:
    admin = await person("root@example.org", admin=True)
    for content, ending in ((JPEG, "jpeg"), (TIFF, "tiff"), (WEBP, "webp")):
        await space.send(anna, content, f"a.{ending}", f"image/{ending}")
    await space.send(admin, JPEG + b"!", "d.jpg")
    await space.settled(live)
    unfinished = await anna.http.post(
        "/api/v1/uploads",
        content=JPEG[:1000],
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(len(JPEG)),
            "Content-Type": "application/offset+octet-stream",
        },
    )
    assert unfinished.status_code == 201, unfinished.text
    trashed = await space.send(anna, TIFF + b"!", "e.tif", "image/tiff")
    await space.settled(live)
    await anna.delete(f"/assets/{trashed}")
    before = (await anna.get(f"/libraries/{anna.library}/space")).json()
    assert before["due"] == 4
    assert before["could"] is None
    assert before["received"] == len(JPEG) + 2 * len(TIFF) + 1 + len(WEBP)
    for _ in range(3):  # as received; in other forms, with formers; when those are gone
        await require_sum(live, admin, anna)
        await space.recompress(live)
        if (await space.retire(live)) == 0:
            await space.verified(live)
            await space.days_pass(live)
    after = (await anna.get(f"/libraries/{anna.library}/space")).json()
    assert after["due"] == 0
    assert after["parts"]["formers"] == 0
    assert after["parts"]["exact"] > 0
    assert 0 < after["saved"] < after["received"]
    assert sum(row["received"] for row in after["rows"]) == after["received"]
    assert sum(row["stored"] for row in after["rows"]) == after["parts"]["received"] + after["parts"]["exact"]
    assert {(row["media_type"], row["form"], row["level"]) for row in after["rows"]} == {
        ("image/jpeg", "exact", "exact"),
        ("image/tiff", "exact", "exact"),
        ("image/webp", "received", "exact"),
    }
    assert [(one["assets"], "nothing to gain" in one["reason"]) for one in after["reasons"]] == [(1, True)]
    assert (await anna.get("/reports/space")).status_code == 403


async def require_sum(live: Runtime, admin: Person, *people: Person) -> None:
    """Compare the reports with the store itself, when what nobody needs any more has left it."""
    async with live.database.transaction() as session:
        await session.execute(update(Deletion).values(due_at=func.now()))
    await sweeping.delete_due(live.database.transaction, live.vault)
    total = (await admin.get("/reports/space")).json()
    assert total["stored"] == sum(total["parts"].values())
    assert total["stored"] == sum([stat.size async for stat in live.store.list("o/")])
    each = [(await one.get(f"/libraries/{one.library}/space")).json() for one in (admin, *people)]
    for name in ("assets", "received", "stored", "saved", "due"):
        assert sum(one[name] for one in each) == total[name], name


async def test_what_could_be_saved_is_told_from_what_was(anna: Person, live: Runtime) -> None:
    await sent(anna, live, JPEG)
    await space.recompress(live)
    other = photos.saved(photos.scene(500, 400, 7), "JPEG", quality=92)
    await sent(anna, live, other, "other.jpg")
    report = (await anna.get(f"/libraries/{anna.library}/space")).json()
    assert report["due"] == 1
    rate = report["rows"][0 if report["rows"][0]["form"] == "exact" else 1]
    assert 0 < report["could"] < len(other)
    assert report["could"] == pytest.approx(len(other) * (1 - rate["stored"] / rate["received"]), rel=0.05)


async def test_history_is_noted_a_day(anna: Person, live: Runtime, person: MakePerson) -> None:
    admin = await person("root@example.org", admin=True)
    await sent(anna, live, JPEG)
    for _ in range(2):
        await space.ask(live, kinds.RETIRE)
        await space.run_only(live, "upkeep")
    mine = (await anna.get(f"/libraries/{anna.library}/space/history")).json()["items"]
    everything = (await admin.get("/reports/space/history")).json()["items"]
    report = (await anna.get(f"/libraries/{anna.library}/space")).json()
    assert [(day["assets"], day["received"], day["stored"]) for day in mine] == [(1, len(JPEG), report["stored"])]
    assert [(day["assets"], day["received"]) for day in everything] == [(1, len(JPEG))]
