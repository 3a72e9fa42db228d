"""Duplicates in an archive: found as photos come, decided, merged, undone, called different; by a real worker."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from PIL import Image, ImageOps
from sqlalchemy import delete, select, text

from archive.jobs import JOBS
from archive.libraries import service as libraries
from archive.models import Asset, Likeness, Look, Rendition
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.runtime import Runtime
from archive.steps import catalogue
from archive.steps import service as steps
from archive.worker.runner import JobRunner
from tests.conftest import MakePerson
from tests.support.people import Person
from tests.support.scenery import burst, landscape, night_sky, saved


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: Any, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[no-any-return]


async def send(anna: Person, content: bytes, name: str = "photo.jpg", **query: str) -> str:
    more = "".join(f"&{key}={value}" for key, value in query.items())
    answer = await anna.http.post(
        f"/api/v1/assets?library={anna.library}&name={name}{more}",
        content=content,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def work(live: Runtime, *queues: str) -> None:
    """Do every step there is to do."""
    runner = JobRunner(live, JOBS, queues or ("default", "ingest", "analysis"), "w1")
    while await runner.run_one():
        pass


async def groups(anna: Person, kind: str | None = None) -> list[dict[str, Any]]:
    answer = await anna.get(f"/duplicates?library={anna.library}" + (f"&kind={kind}" if kind else ""))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def ids(group: dict[str, Any]) -> set[str]:
    return {member["tile"]["id"] for member in group["members"]}


def again(image: Image.Image, **options: Any) -> bytes:
    return saved(image, quality=60, **options)


def shot(image: Image.Image, taken: str, subsecond: str = "00") -> bytes:
    """Save a picture as a camera would."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS R6"
    about = exif.get_ifd(0x8769)
    about[0x9003], about[0x9291] = taken, subsecond
    target = io.BytesIO()
    image.save(target, "JPEG", quality=88, exif=exif)
    return target.getvalue()


@pytest.fixture
async def pair(anna: Person, live: Runtime) -> tuple[str, str]:
    """A picture, and a smaller copy of it that somebody saved again."""
    image = landscape(1, 1200, 900)
    large = await send(anna, saved(image, quality=92), "large.jpg")
    small = await send(anna, again(image.resize((800, 600))), "small.jpg")
    await send(anna, saved(landscape(2, 1200, 900)), "other.jpg")
    await work(live)
    return large, small


async def test_a_copy_is_found_and_the_better_one_suggested(anna: Person, pair: tuple[str, str]) -> None:
    (group,) = await groups(anna)
    assert group["kind"] == "same"
    assert ids(group) == set(pair)
    assert (group["keep"], group["why"]) == (pair[0], "most_pixels")
    (link,) = group["links"]
    assert (link["reason"], link["orientation"]) == ("pixels", 0)
    assert link["distance"] <= 10
    assert link["correlation"] > 0.9
    small = next(member for member in group["members"] if member["tile"]["id"] == pair[1])
    assert group["spare_bytes"] == small["size"]
    summary = (await anna.get(f"/duplicates/summary?library={anna.library}")).json()
    assert summary == {
        "same": {"groups": 1, "assets": 2, "bytes": small["size"]},
        "similar": {"groups": 0, "assets": 0, "bytes": 0},
    }
    for asset_id in pair:
        of_it = (await anna.get(f"/assets/{asset_id}/duplicates")).json()["items"]
        assert [one["id"] for one in of_it] == [group["id"]]


async def test_the_look_is_sealed_and_no_rendition_for_anybody(
    anna: Person, live: Runtime, pair: tuple[str, str]
) -> None:
    async with live.database.transaction() as session:
        file_id = await session.scalar(
            select(Rendition.file_id).where(Rendition.asset_id == UUID(pair[0]), Rendition.name == "look")
        )
    assert file_id is not None
    listed = (await anna.get(f"/assets/{pair[0]}/renditions")).json()["items"]
    assert sorted(one["name"] for one in listed) == ["preview", "thumb"]
    assert (await anna.get(f"/assets/{pair[0]}/renditions/look")).status_code == 404


async def test_turned_mirrored_and_cut_copies_are_one_group(anna: Person, live: Runtime) -> None:
    image = landscape(3, 1000, 750)
    whole = await send(anna, saved(image), "whole.jpg")
    turned = await send(anna, again(image.rotate(90, expand=True)), "turned.jpg")
    mirrored = await send(anna, again(ImageOps.mirror(image)), "mirrored.jpg")
    cut = await send(anna, again(image.crop((120, 80, 930, 700))), "cut.jpg")
    await work(live)
    (group,) = await groups(anna, "same")
    assert ids(group) == {whole, turned, mirrored, cut}
    assert group["keep"] == whole
    assert [member["cut"] for member in group["members"] if member["tile"]["id"] == cut] == [True]
    by_pair = {frozenset((link["first_id"], link["second_id"])): link for link in group["links"]}
    assert by_pair[frozenset((whole, mirrored))]["orientation"] == 1
    assert by_pair[frozenset((whole, cut))]["reason"] == "part"


async def test_a_burst_is_only_similar_and_its_best_shot_is_suggested(anna: Person, live: Runtime) -> None:
    frames = list(burst(4, size=(640, 480)))
    sent = [
        await send(anna, shot(frame, "2024:05:01 12:03:04", f"{number}0"), f"{number}.jpg")
        for number, frame in enumerate(frames)
    ]
    await work(live)
    assert await groups(anna, "same") == []
    (group,) = await groups(anna, "similar")
    assert ids(group) == set(sent)
    merits = {}
    for asset_id in sent:
        answer = await anna.get(f"/assets/{asset_id}/quality")
        assert answer.status_code == 200, answer.text
        merits[asset_id] = answer.json()["merit"]
    assert merits[group["keep"]] == max(merits.values())
    assert group["why"] == "sharpest"
    assert {link["reason"] for link in group["links"]} == {"moment"}


async def test_what_shows_nothing_is_no_duplicate(anna: Person, live: Runtime) -> None:
    for number, image in enumerate([Image.new("RGB", (300, 200), "gray"), Image.new("RGB", (400, 300), "gray")]):
        await send(anna, saved(image), f"{number}.jpg")
    await send(anna, saved(Image.new("RGB", (1, 1), "red")), "dot.jpg")
    await send(anna, saved(night_sky(1)), "sky.jpg")
    await send(anna, saved(night_sky(2)), "other sky.jpg")
    await work(live)
    assert await groups(anna) == []


async def test_another_library_is_another_world(
    anna: Person, live: Runtime, person: MakePerson, pair: tuple[str, str]
) -> None:
    boris = await person("boris@example.org")
    await send(boris, saved(landscape(1, 1200, 900), quality=91), "mine.jpg")
    await work(live)
    assert await groups(boris) == []
    (group,) = await groups(anna)
    assert (await boris.get(f"/duplicates/{group['id']}")).status_code == 404
    refused = await boris.post("/resolutions", {"library": boris.library, "groups": [{"group": group["id"]}]})
    assert refused.status_code == 404


async def resolved(anna: Person, group: dict[str, Any], **more: Any) -> Any:
    choice = {"group": group["id"], "version": group["version"]} | more.pop("choice", {})
    return await anna.post("/resolutions", {"library": anna.library, "groups": [choice]} | more)


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(anna: Person, pair: tuple[str, str]) -> None:
    (group,) = await groups(anna)
    answer = await resolved(anna, group, dry_run=True)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["id"], said["groups"], said["trashed"]) == (None, 1, 1)
    assert said["bytes"] == group["spare_bytes"]
    assert said["outcomes"][0]["trashed"] == [pair[1]]
    assert (await groups(anna))[0]["version"] == group["version"]
    assert (await anna.get(f"/assets/{pair[1]}")).json()["trashed_at"] is None


async def test_resolving_merges_what_only_the_others_have_and_undo_takes_it_back(
    anna: Person, live: Runtime, pair: tuple[str, str]
) -> None:
    keeper, gone = pair
    made = {"library_id": anna.library, "name": "Spring", "asset_ids": [gone]}
    album = (await anna.post("/albums", made)).json()["id"]
    await anna.patch(f"/albums/{album}", {"cover_id": gone})
    change = {
        "favourite": True, "rating": 4, "title": "The lake", "latitude": 55.75, "longitude": 37.61,
        "taken_at": "2024-05-01T12:03:04", "tags": ["summer", "lake"],
    }  # fmt: skip
    assert (await anna.patch(f"/assets/{gone}", change)).status_code == 200
    before = (await anna.get(f"/assets/{keeper}")).json()
    (group,) = await groups(anna)
    answer = await resolved(anna, group, choice={"keep": [keeper]})
    assert answer.status_code == 201, answer.text
    resolution = answer.json()
    assert set(resolution["outcomes"][0]["merged"]) == {
        "favourite", "rating", "title", "latitude", "taken_at", "tags", "albums", "names",
    }  # fmt: skip
    now = (await anna.get(f"/assets/{keeper}")).json()
    for name in ("favourite", "rating", "title", "latitude", "longitude"):
        assert now[name] == change[name]
    assert now["taken_at"].startswith("2024-05-01T12:03:04")
    assert sorted(tag["name"] for tag in now["tags"]) == ["lake", "summer"]
    assert set(now["names"]) == {"large.jpg", "small.jpg"}
    assert (await anna.get(f"/assets/{gone}")).json()["trashed_at"] is not None
    shown = (await anna.get(f"/albums/{album}")).json()
    assert (shown["count"], shown["cover_id"]) == (1, keeper)
    assert await groups(anna) == []
    undone = await anna.post(f"/resolutions/{resolution['id']}/undo")
    assert undone.json()["restored"] == 1
    after = (await anna.get(f"/assets/{keeper}")).json()
    for name in ("favourite", "rating", "title", "latitude", "taken_at", "taken_from", "tags", "names"):
        assert after[name] == before[name], name
    assert (await anna.get(f"/assets/{gone}")).json()["trashed_at"] is None
    shown = (await anna.get(f"/albums/{album}")).json()
    assert (shown["count"], shown["cover_id"]) == (1, gone)
    (open_again,) = await groups(anna)
    assert open_again["id"] == group["id"]
    assert (await anna.post(f"/resolutions/{resolution['id']}/undo")).status_code == 409


async def test_an_undo_leaves_what_was_changed_since(anna: Person, pair: tuple[str, str]) -> None:
    keeper, gone = pair
    await anna.patch(f"/assets/{gone}", {"title": "The lake", "rating": 3})
    (group,) = await groups(anna)
    resolution = (await resolved(anna, group)).json()
    await anna.patch(f"/assets/{keeper}", {"title": "The lake at noon"})
    await anna.post(f"/resolutions/{resolution['id']}/undo")
    after = (await anna.get(f"/assets/{keeper}")).json()
    assert (after["title"], after["rating"]) == ("The lake at noon", None)


async def test_the_second_of_two_hears_who_was_first(
    anna: Person, live: Runtime, person: MakePerson, pair: tuple[str, str]
) -> None:
    boris = await person("boris@example.org")
    async with live.database.transaction() as session:
        await libraries.join(session, UUID(boris.id), UUID(anna.library), "editor")
    (group,) = await groups(anna)
    first = await resolved(anna, group)
    assert first.status_code == 201
    body = {"library": anna.library, "groups": [{"group": group["id"], "version": group["version"]}]}
    second = await boris.post("/resolutions", body)
    assert second.status_code == 409
    assert second.json()["detail"].startswith("anna has decided about this group already.")


async def test_a_group_that_has_changed_is_refused(anna: Person, live: Runtime, pair: tuple[str, str]) -> None:
    (group,) = await groups(anna)
    third = await send(anna, again(landscape(1, 1200, 900).resize((600, 450))), "third.jpg")
    await work(live)
    refused = await resolved(anna, group)
    assert refused.status_code == 409
    assert "changed" in refused.json()["detail"]
    (now,) = await groups(anna)
    assert (now["id"], ids(now)) == (group["id"], {*pair, third})
    stranger = await resolved(anna, now, choice={"keep": ["00000000-0000-7000-8000-000000000000"]})
    assert stranger.status_code == 422


async def test_what_was_decided_opens_again_when_another_copy_comes(
    anna: Person, live: Runtime, pair: tuple[str, str]
) -> None:
    (group,) = await groups(anna)
    await resolved(anna, group)
    late = await send(anna, again(landscape(1, 1200, 900).resize((640, 480))), "late.jpg")
    await work(live)
    (now,) = await groups(anna)
    assert ids(now) == {pair[0], late}


async def test_different_is_remembered_for_ever_and_can_be_taken_back(
    anna: Person, live: Runtime, pair: tuple[str, str]
) -> None:
    (group,) = await groups(anna)
    said = await anna.post(f"/duplicates/{group['id']}/different", {})
    assert set(said.json()["ids"]) == set(pair)
    assert await groups(anna) == []
    # Seen anew, as after an update: it still holds.
    async with live.database.transaction() as session:
        await steps.rebuild(session, [catalogue.LOOK], None, outdated=False)
        await enqueue(session, kinds.MISSING, key="again")
    await work(live, "upkeep")
    await work(live)
    assert await groups(anna) == []
    assert (await anna.post("/duplicates/alike", {"ids": list(pair)})).status_code == 204
    assert len(await groups(anna)) == 1


async def test_one_of_three_can_be_called_different(anna: Person, live: Runtime, pair: tuple[str, str]) -> None:
    third = await send(anna, again(landscape(1, 1200, 900).resize((600, 450))), "third.jpg")
    await work(live)
    (group,) = await groups(anna)
    await anna.post(f"/duplicates/{group['id']}/different", {"ids": [third]})
    (left,) = await groups(anna)
    assert ids(left) == set(pair)
    assert left["id"] == group["id"]


async def rule(anna: Person, **fields: Any) -> Any:
    return await anna.post("/resolutions", {"library": anna.library, "rule": fields.pop("rule", {})} | fields)


@pytest.fixture
async def three_pairs(anna: Person, live: Runtime) -> list[str]:
    smaller = []
    for seed in (11, 12, 13):
        image = landscape(seed, 900, 600)
        await send(anna, saved(image, quality=92), f"{seed}.jpg")
        smaller.append(await send(anna, again(image.resize((600, 400))), f"{seed} small.jpg"))
    await work(live)
    return smaller


async def test_all_that_meet_a_rule_are_resolved_by_a_job_and_undone(
    anna: Person, live: Runtime, three_pairs: list[str]
) -> None:
    assert len(await groups(anna)) == 3
    await anna.patch(f"/assets/{three_pairs[0]}", {"favourite": True})
    tried = await rule(anna, rule={"unloved": True}, dry_run=True)
    assert tried.status_code == 202
    await work(live)
    counted = (await anna.get(f"/resolutions/{tried.json()['id']}")).json()
    assert (counted["state"], counted["groups"], counted["trashed"]) == ("done", 2, 2)
    assert len(await groups(anna)) == 3
    begun = (await rule(anna, rule={"unloved": True})).json()
    await work(live)
    done = (await anna.get(f"/resolutions/{begun['id']}")).json()
    assert (done["state"], done["groups"], done["bytes"]) == ("done", 2, counted["bytes"])
    assert {one for outcome in done["outcomes"] for one in outcome["trashed"]} == set(three_pairs[1:])
    assert len(await groups(anna)) == 1
    listed = (await anna.get(f"/resolutions?library={anna.library}")).json()["items"]
    assert [one["id"] for one in listed] == [begun["id"]]
    assert (await anna.post(f"/resolutions/{begun['id']}/undo")).json()["restored"] == 2
    assert len(await groups(anna)) == 3


async def test_an_interrupted_rule_goes_on_where_it_was(
    anna: Person, live: Runtime, three_pairs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from archive.duplicates import ruling

    begun = (await rule(anna)).json()
    plain, calls = ruling.step, 0

    async def dying(*args: Any) -> None:
        nonlocal calls
        calls += 1
        await plain(*args)
        if calls == 2:
            raise OSError("the power went away")

    monkeypatch.setattr(ruling, "step", dying)
    await work(live, "default")
    between = (await anna.get(f"/resolutions/{begun['id']}")).json()
    assert (between["state"], between["groups"]) == ("running", 1)
    assert (await anna.post(f"/resolutions/{begun['id']}/undo")).status_code == 409
    async with live.database.transaction() as session:
        await session.execute(text("UPDATE job SET run_after = now() WHERE kind = 'duplicates.resolve'"))
    await work(live, "default")
    done = (await anna.get(f"/resolutions/{begun['id']}")).json()
    assert (done["state"], done["groups"], done["trashed"]) == ("done", 3, 3)


async def test_an_interrupted_look_is_finished_and_nothing_is_missed(
    anna: Person, live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archive.looks import looking

    image = landscape(21, 900, 600)
    await send(anna, saved(image), "a.jpg")
    second = await send(anna, again(image.resize((600, 400))), "b.jpg")
    await work(live, "ingest")
    plain, calls = looking._compared, 0

    async def dying(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError("the power went away")
        return await plain(*args)

    monkeypatch.setattr(looking, "_compared", dying)
    await work(live, "analysis")
    assert await groups(anna) == []
    async with live.database.transaction() as session:
        assert await session.get(Look, UUID(second)) is not None
        await session.execute(text("UPDATE job SET run_after = now() WHERE state = 'ready'"))
    await work(live, "analysis")
    assert len(await groups(anna)) == 1


async def test_the_trash_hides_a_group_and_purging_ends_it(anna: Person, live: Runtime, pair: tuple[str, str]) -> None:
    (group,) = await groups(anna)
    await anna.post("/assets/trash", {"ids": [pair[1]]})
    assert await groups(anna) == []
    assert (await anna.get(f"/duplicates/{group['id']}")).status_code == 404
    await anna.post("/assets/restore", {"ids": [pair[1]]})
    assert len(await groups(anna)) == 1
    await anna.post("/assets/trash", {"ids": [pair[1]]})
    assert (await anna.post("/assets/purge", {"ids": [pair[1]]})).status_code in {200, 204}
    assert await groups(anna) == []
    async with live.database.transaction() as session:
        assert (await session.scalars(select(Likeness))).all() == []


async def test_shots_shown_as_one_are_no_duplicates(anna: Person, live: Runtime, pair: tuple[str, str]) -> None:
    async with live.database.transaction() as session:
        part = await session.get_one(Asset, UUID(pair[1]))
        part.shown_with, part.part = UUID(pair[0]), "raw"
        await session.execute(delete(Look).where(Look.asset_id == UUID(pair[1])))
        await steps.ask(session, part.library_id, part.id, [catalogue.LOOK])
    await work(live)
    assert await groups(anna) == []


async def test_dates_that_cameras_gave_win_over_guesses(anna: Person, live: Runtime) -> None:
    image = landscape(31, 1000, 700)
    bare = await send(anna, saved(image, quality=92), "bare.jpg")
    dated = await send(anna, shot(image.resize((700, 490)), "2021:03:04 05:06:07"), "dated.jpg")
    await work(live)
    (group,) = await groups(anna)
    assert group["keep"] == bare
    await resolved(anna, group)
    async with live.database.transaction() as session:
        assert (await session.get_one(Asset, UUID(bare))).taken_at == datetime(2021, 3, 4, 5, 6, 7)
        assert (await session.get_one(Asset, UUID(dated))).trashed_at is not None


async def test_bad_requests_say_what_to_do(anna: Person, pair: tuple[str, str]) -> None:
    (group,) = await groups(anna)
    both = {"library": anna.library, "groups": [{"group": group["id"]}], "rule": {}}
    assert "either groups or a rule" in (await anna.post("/resolutions", both)).text
    assert (await anna.post("/resolutions", {"library": anna.library})).status_code == 422
    stranger = await anna.post(
        f"/duplicates/{group['id']}/different", {"ids": ["00000000-0000-7000-8000-000000000000"]}
    )
    assert "of this group only" in stranger.json()["detail"]
    assert (await anna.get(f"/duplicates?library={anna.library}&cursor=x")).status_code == 422
