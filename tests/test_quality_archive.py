"""Quality in an archive: verdicts as photos come, the queue of questions, answers, and a shoot in order best first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from PIL import Image, ImageFilter
from sqlalchemy import insert, select

from archive.jobs import JOBS
from archive.models import Quality, Step
from archive.runtime import Runtime
from archive.worker.runner import JobRunner
from tests.conftest import MakePerson
from tests.support.films import film
from tests.support.looking import plant
from tests.support.people import Person
from tests.support.scenery import landscape, page, saved


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: Any, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[no-any-return]


async def send(anna: Person, content: bytes, name: str) -> str:
    answer = await anna.http.post(
        f"/api/v1/assets?library={anna.library}&name={name}",
        content=content,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def work(live: Runtime) -> None:
    runner = JobRunner(live, JOBS, ("ingest", "analysis"), "w1")
    while await runner.run_one():
        pass


async def queue(anna: Person, **query: str) -> list[dict[str, Any]]:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    answer = await anna.get(f"/quality/queue?library={anna.library}{more}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["tile"]["name"] for item in items]


async def answer(anna: Person, given: str, *ids: str) -> Any:
    return await anna.post("/quality/answers", {"ids": list(ids), "answer": given})


@pytest.fixture
async def shoot(anna: Person, live: Runtime) -> dict[str, str]:
    """Some pictures of all sorts."""
    sharp = landscape(5, 1600, 1200)
    pictures = {
        "sharp.jpg": sharp,
        "blurred.jpg": sharp.filter(ImageFilter.GaussianBlur(9)),
        "lens cap.jpg": Image.new("RGB", (1600, 1200), (6, 6, 6)),
        "page.png": page(1),
    }
    sent = {}
    for name, image in pictures.items():
        sent[name] = await send(anna, saved(image, "PNG" if name.endswith("png") else "JPEG"), name)
    await work(live)
    return sent


async def test_only_what_is_sure_is_asked_about_the_worst_first(anna: Person, shoot: dict[str, str]) -> None:
    asked = await queue(anna)
    assert sorted(names(asked)) == ["blurred.jpg", "lens cap.jpg", "page.png"]
    verdicts = {item["tile"]["name"]: item["quality"]["verdicts"] for item in asked}
    assert verdicts["blurred.jpg"] == ["maybe_blurred"]
    assert verdicts["lens cap.jpg"] == ["empty"]
    assert verdicts["page.png"] in (["document"], ["screenshot"])
    merits = [item["quality"]["merit"] for item in asked]
    assert merits == sorted(merits)
    counts = (await anna.get(f"/quality/counts?library={anna.library}")).json()["counts"]
    assert (counts["maybe_blurred"], counts["empty"]) == (1, 1)
    assert names(await queue(anna, verdict="maybe_blurred")) == ["blurred.jpg"]
    assert (await anna.get(f"/quality/queue?library={anna.library}&verdict=ugly")).status_code == 422


async def test_keeping_never_asking_and_throwing_away_each_end_the_question(
    anna: Person, live: Runtime, shoot: dict[str, str]
) -> None:
    assert (await answer(anna, "keep", shoot["blurred.jpg"])).json() == {"count": 1}
    assert (await answer(anna, "never", shoot["page.png"])).json() == {"count": 1}
    assert (await answer(anna, "trash", shoot["lens cap.jpg"])).json() == {"count": 1}
    assert await queue(anna) == []
    assert (await anna.get(f"/assets/{shoot['lens cap.jpg']}")).json()["trashed_at"] is not None
    # Something new is said of both: only who was merely kept is asked about again.
    async with live.database.transaction() as session:
        for name in ("blurred.jpg", "page.png"):
            row = await session.get_one(Quality, UUID(shoot[name]))
            row.verdicts = [*row.verdicts, "noisy"]
    assert names(await queue(anna)) == ["blurred.jpg"]
    await answer(anna, "ask", shoot["page.png"])
    assert sorted(names(await queue(anna))) == ["blurred.jpg", "page.png"]


async def test_a_shoot_is_put_in_order_best_first_with_percentiles(anna: Person, shoot: dict[str, str]) -> None:
    best = (await anna.get(f"/quality/best?library={anna.library}")).json()["items"]
    assert names(best)[0] == "sharp.jpg"
    places = {item["tile"]["name"]: item["quality"]["percentile"] for item in best}
    assert places["sharp.jpg"] > places["blurred.jpg"]
    made = {"library_id": anna.library, "name": "Shoot", "asset_ids": [shoot["blurred.jpg"], shoot["page.png"]]}
    album = (await anna.post("/albums", made)).json()["id"]
    of_album = (await anna.get(f"/quality/best?library={anna.library}&album={album}")).json()["items"]
    assert sorted(names(of_album)) == ["blurred.jpg", "page.png"]


async def test_pages_of_a_shoot_have_everything_once(anna: Person, live: Runtime) -> None:
    planted = await plant(live, anna.library, *[{"name": f"{number}.jpg"} for number in range(25)])
    async with live.database.transaction() as session:
        for number, asset_id in enumerate(planted):
            row = {
                "asset_id": UUID(asset_id), "library_id": UUID(anna.library), "merit": float(number // 3),
                "sharpness": float(number), "verdicts": ["noisy"], "scores": {},
            }  # fmt: skip
            await session.execute(insert(Quality).values(row))
    for path in ("best", "queue"):
        seen, cursor = list[str](), ""
        while True:
            answered = (await anna.get(f"/quality/{path}?library={anna.library}&limit=4{cursor}")).json()
            seen += [item["tile"]["id"] for item in answered["items"]]
            if answered["next"] is None:
                break
            cursor = f"&cursor={answered['next']}"
        assert len(seen) == 25
        assert set(seen) == set(planted)
    assert (await anna.get(f"/quality/best?library={anna.library}&cursor=bm90aGluZw")).status_code == 422


async def test_a_film_that_was_hardly_meant_is_asked_about(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, film(seconds=1), "oops.mp4")
    await work(live)
    (item,) = await queue(anna)
    assert item["quality"]["verdicts"] == ["short_film"]
    assert item["quality"]["scores"] is None
    assert (await anna.get(f"/assets/{asset_id}/quality")).json()["percentile"] is None


async def test_what_was_not_looked_at_has_no_quality_yet(anna: Person, live: Runtime) -> None:
    asset_id = await send(anna, saved(landscape(6)), "new.jpg")
    answered = await anna.get(f"/assets/{asset_id}/quality")
    assert answered.status_code == 404
    assert "not been looked at yet" in answered.json()["detail"]


async def test_nobody_else_sees_or_answers(anna: Person, person: MakePerson, shoot: dict[str, str]) -> None:
    boris = await person("boris@example.org")
    assert (await boris.get(f"/quality/queue?library={anna.library}")).status_code == 404
    assert (await answer(boris, "trash", shoot["sharp.jpg"])).status_code == 404
    assert (await anna.get(f"/assets/{shoot['sharp.jpg']}")).json()["trashed_at"] is None


async def test_a_look_keeps_nobody_waiting(anna: Person, live: Runtime) -> None:
    batch = (await anna.post("/batches", {"library_id": anna.library, "name": "b"})).json()["id"]
    answered = await anna.http.post(
        f"/api/v1/assets?library={anna.library}&name=a.jpg&batch={batch}", content=saved(landscape(7))
    )
    runner = JobRunner(live, JOBS, ("ingest",), "w1")
    while await runner.run_one():
        pass
    async with live.database.transaction() as session:
        states = {step.name: step.state for step in await session.scalars(select(Step))}
    assert states == {"describe": "done", "render": "done", "look": "waiting"}
    assert (await anna.get(f"/batches/{batch}")).json()["steps"]["waiting"] == 0
    assert answered.status_code == 201
