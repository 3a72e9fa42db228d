"""The timeline: buckets, pages, filters, values, tiles; counts that stay right whoever changes what."""

from __future__ import annotations

import asyncio
import random
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, select, text, update

from archive.jobs import JOBS
from archive.models import Asset, File, TimelineChange, TimelineDay
from archive.queue import kinds
from archive.runtime import Runtime
from archive.timeline import folding, queries
from archive.timeline.filters import Filters
from tests.conftest import MakePerson, NewPerson
from tests.support.looking import DAY, alter, plant, render, step
from tests.support.people import Person, code_of
from tests.test_assets import keep


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI) -> Runtime:
    runtime: Runtime = app.state.runtime
    return runtime


async def buckets(person: Person, **filters: Any) -> dict[str, int]:
    answer = await person.get("/timeline/buckets", params={"library": person.library, **filters})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["total"] == sum(item["count"] for item in shown["items"])
    assert [item["bucket"] for item in shown["items"]] == sorted((i["bucket"] for i in shown["items"]), reverse=True)
    return {item["bucket"]: item["count"] for item in shown["items"]}


async def names(person: Person, **filters: Any) -> list[str]:
    answer = await person.get("/timeline/assets", params={"library": person.library, **filters})
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


# Buckets and pages


async def test_buckets_are_by_the_wall_clocks_month_or_day(anna: Person, live: Runtime) -> None:
    moments = [DAY, DAY + timedelta(days=1), datetime(2024, 4, 30, 23, 59, 59), datetime(1999, 12, 31, 23)]
    await plant(live, anna.library, *({"taken_at": moment} for moment in moments))
    assert await buckets(anna) == {"2024-05-01": 2, "2024-04-01": 1, "1999-12-01": 1}
    by_day = {"2024-05-02": 1, "2024-05-01": 1, "2024-04-30": 1, "1999-12-31": 1}
    assert await buckets(anna, by="day") == by_day
    async with live.database.transaction() as session:
        await folding.fold(session)
    assert await buckets(anna, by="day") == by_day
    assert await buckets(anna, by="day", rating=-1) == {}


async def test_counted_and_kept_counts_are_the_same(anna: Person, live: Runtime) -> None:
    rows = [{"kind": kind, "archived": put_away} for kind in ("photo", "video", "other") for put_away in (True, False)]
    await plant(live, anna.library, *rows, {"kind": "sidecar"}, {"trashed_at": func.now()})
    for filters in ({}, {"kind": "photo"}, {"archived": True}, {"archived": True, "kind": "video"}):
        # A first day makes it count.
        counted = await buckets(anna, **filters, **{"from": "2000-01-01"})
        assert await buckets(anna, **filters) == counted
    assert await buckets(anna) == {"2024-05-01": 3}
    assert await buckets(anna, archived=True) == {"2024-05-01": 3}


async def test_pages_hold_everything_once_the_newest_first(anna: Person, live: Runtime) -> None:
    # Some of one moment: then the id decides.
    moments = [DAY + timedelta(minutes=number // 3) for number in range(10)]
    made = await plant(live, anna.library, *({"taken_at": moment} for moment in moments))
    seen: list[str] = []
    cursor = None
    while True:
        asked = {"library": anna.library, "limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await anna.get("/timeline/assets", params=asked)).json()
        seen += [item["id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
        # What comes and goes elsewhere does not move the place.
        await plant(live, anna.library, {"taken_at": DAY + timedelta(days=300)})
    assert seen == list(reversed(made))


async def test_a_bucket_is_a_page_of_its_own(anna: Person, live: Runtime) -> None:
    rows = [{"taken_at": datetime(2024, month, 15), "name": f"{month}.jpg"} for month in (4, 5, 6)]
    await plant(live, anna.library, *rows, {"taken_at": datetime(2024, 5, 31, 23, 59), "name": "late.jpg"})
    assert await names(anna, bucket="2024-05-01") == ["late.jpg", "5.jpg"]
    assert await names(anna, bucket="2024-05-15", by="day") == ["5.jpg"]
    assert await names(anna, bucket="2024-05-01", **{"from": "2024-05-16", "to": "2024-06-30"}) == ["late.jpg"]


async def test_who_has_the_answer_already_is_told_so(anna: Person, live: Runtime) -> None:
    made = await plant(live, anna.library, {})
    for path in ("/timeline/buckets", "/timeline/assets"):
        first = await anna.get(path, params={"library": anna.library})
        tag = first.headers["etag"]
        again = await anna.get(path, params={"library": anna.library}, headers={"If-None-Match": f'"x", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        await alter(live, made[0], archived=path.endswith("buckets"), favourite=True)
        changed = await anna.get(path, params={"library": anna.library}, headers={"If-None-Match": tag})
        assert changed.status_code == 200
        await alter(live, made[0], archived=False, favourite=False)


@pytest.mark.parametrize("cursor", ["x", "MjAyNC0wNS0wMQ", "MjAyNC0wNS0wMVQwMDowMDowMFogMDFhMjFiZmE"])
async def test_a_cursor_that_was_not_made_here(anna: Person, cursor: str) -> None:
    answer = await anna.get("/timeline/assets", params={"library": anna.library, "cursor": cursor})
    assert code_of(answer) == "invalid-value"


async def test_another_library_is_not_to_be_seen(anna: Person, person: MakePerson, live: Runtime) -> None:
    boris = await person("boris@example.org")
    await plant(live, anna.library, {})
    for path, more in (("buckets", {}), ("assets", {}), ("values", {"of": "tag"})):
        answer = await boris.get(f"/timeline/{path}", params={"library": anna.library} | more)
        assert code_of(answer) == "not-found"
    assert await buckets(boris) == {}
    assert await names(boris) == []


# Filters


async def test_each_filter_leaves_what_it_says(anna: Person, live: Runtime) -> None:
    rows: dict[str, dict[str, Any]] = {
        "kind=video": {"kind": "video"},
        "favourite=true": {"favourite": True},
        "archived=true": {"archived": True},
        "problem=true": {"problem": "corrupt"},
        "camera=Canon%20R5": {"camera": "Canon R5"},
        "lens=50mm": {"lens": "50mm"},
        "place=524901": {"place_id": 524901},
        "country=RU": {"country": "RU"},
        "rating=4": {"rating": 4},
        f"uploader={anna.id}": {"created_by": UUID(anna.id)},
        "from=2030-01-01": {"taken_at": datetime(2030, 1, 1)},
        "to=1990-12-31": {"taken_at": datetime(1990, 12, 31, 23, 59, 59, 999999)},
    }
    made = await plant(live, anna.library, *(row | {"name": name} for name, row in rows.items()))
    album = (await anna.post("/albums", {"library_id": anna.library, "name": "A", "asset_ids": [made[0]]})).json()["id"]
    batch = (await anna.post("/batches", {"library_id": anna.library, "name": "B"})).json()["id"]
    async with live.database.transaction() as session:
        await session.execute(text("INSERT INTO batch_asset VALUES (:b, :a)"), {"b": batch, "a": made[1]})
    await anna.patch(f"/assets/{made[4]}", {"tags": ["Race"]})
    tag = (await anna.get("/tags", params={"library": anna.library})).json()["items"][0]["id"]
    names_of = list(rows)
    extra = {f"album={album}": names_of[0], f"batch={batch}": names_of[1], f"tag={tag}": names_of[4]}
    for asked, name in [*((name, name) for name in rows), *extra.items()]:
        answer = await anna.get(f"/timeline/assets?library={anna.library}&{asked}")
        assert [item["name"] for item in answer.json()["items"]] == [name], asked
        answer = await anna.get(f"/timeline/buckets?library={anna.library}&{asked}")
        assert answer.json()["total"] == 1, asked
    assert len(await names(anna)) == len(rows) - 1  # without the archived one


@pytest.mark.parametrize(
    "asked", ["kind=raw", "rating=6", "from=x", "place=-1", "colour=red", "tag=x", "camera=%00", "from=9999-01-01"]
)
async def test_a_filter_that_is_none(anna: Person, asked: str) -> None:
    answer = await anna.get(f"/timeline/buckets?library={anna.library}&{asked}")
    assert code_of(answer) == "invalid-request"


async def test_values_say_what_filters_can_be_set_to(anna: Person, live: Runtime) -> None:
    rows: list[dict[str, Any]] = [
        {"camera": "A", "country": "RU", "place_id": 1},
        {"camera": "B"},
        {"camera": "B", "favourite": True},
    ]
    made = await plant(
        live, anna.library, *rows, {"camera": "C", "trashed_at": func.now()}, {"created_by": UUID(anna.id)}
    )
    await anna.post("/assets/edit", {"ids": made[:2], "changes": {"add_tags": ["Финиш"]}})

    async def values(of: str, **filters: Any) -> list[tuple[str, int]]:
        answer = await anna.get("/timeline/values", params={"library": anna.library, "of": of, **filters})
        return [(item["label"], item["count"]) for item in answer.json()["items"]]

    assert await values("camera") == [("B", 2), ("A", 1)]
    assert await values("camera", favourite=True) == [("B", 1)]
    assert await values("country") == [("Russia", 1)]
    assert await values("place") == [("1", 1)]
    assert await values("tag") == [("Финиш", 2)]
    assert await values("uploader") == [("anna", 1)]
    assert await values("lens") == await values("batch") == []


# Tiles


async def test_a_tile_links_to_what_there_is(anna: Person, stranger: NewPerson, live: Runtime) -> None:
    made = await plant(live, anna.library, {"thumbhash": b"\1\2", "width": 40, "height": 30})
    [tile] = (await anna.get("/timeline/assets", params={"library": anna.library})).json()["items"]
    assert (tile["thumb"], tile["preview"], tile["clip"], tile["video"], tile["motion"]) == (None,) * 5
    assert (tile["thumbhash"], tile["taken_at"], tile["parts"]) == ("AQI=", "2024-05-01T12:00:00.000", [])
    await render(live, anna.library, made[0], "thumb", "preview", "motion")
    [tile] = (await anna.get("/timeline/assets", params={"library": anna.library})).json()["items"]
    for name in ("thumb", "preview", "motion"):
        assert tile[name].startswith(f"/api/v1/assets/{made[0]}/renditions/{name}?expires=")


async def test_a_rendition_opens_by_its_tiles_link_and_no_other(
    anna: Person, stranger: NewPerson, live: Runtime
) -> None:
    from tests.test_assets import rendition

    asset = await keep(anna)
    await rendition(live, asset, b"small", "thumb")
    await rendition(live, asset, b"large", "preview")
    [tile] = (await anna.get("/timeline/assets", params={"library": anna.library})).json()["items"]
    anybody = stranger().http
    assert (await anybody.get(tile["thumb"])).content == b"small"
    assert (await anybody.get(tile["thumb"].replace("thumb", "preview"))).status_code == 403
    assert (
        await anybody.get(f"/api/v1/assets/{asset['id']}/original?{tile['thumb'].partition('?')[2]}")
    ).status_code == 403


async def test_a_film_is_shown_as_it_came_where_browsers_play_it(
    anna: Person, stranger: NewPerson, live: Runtime
) -> None:
    asset = await keep(anna, b"a film", "film.mp4", "video/mp4")
    await alter(live, asset["id"], kind="video")

    async def video() -> str | None:
        [tile] = (await anna.get("/timeline/assets", params={"library": anna.library})).json()["items"]
        link: str | None = tile["video"]
        return link

    assert await video() is None
    await step(live, asset["id"], "play", "skipped")
    link = await video()
    assert link is not None
    answer = await stranger().http.get(link, headers={"Range": "bytes=2-5"})
    assert (answer.status_code, answer.content) == (206, b"film")
    assert "content-disposition" not in answer.headers
    changed: httpx.Response = await stranger().http.get(link.replace("signature=", "signature=A"))
    assert code_of(changed) == "forbidden"
    await render(live, anna.library, asset["id"], "video")
    assert "/renditions/video?" in str(await video())


async def test_what_is_shown_with_another_is_a_part_of_its_tile(anna: Person, live: Runtime) -> None:
    [main] = await plant(live, anna.library, {})
    raw, film = await plant(
        live,
        anna.library,
        {"shown_with": UUID(main), "part": "raw"},
        {"shown_with": UUID(main), "part": "motion", "kind": "video"},
    )
    await step(live, film, "play", "skipped")
    [tile] = (await anna.get("/timeline/assets", params={"library": anna.library})).json()["items"]
    assert (tile["id"], tile["parts"]) == (main, ["motion", "raw"])
    assert tile["motion"].startswith(f"/api/v1/assets/{film}/original?inline=true&")
    await anna.delete(f"/assets/{raw}")
    [tile] = (await anna.get("/timeline/assets", params={"library": anna.library})).json()["items"]
    assert tile["parts"] == ["motion"]
    assert await buckets(anna) == {"2024-05-01": 1}


# Counts


async def recount(runtime: Runtime, library: UUID) -> list[tuple[date, int]]:
    async with runtime.database.transaction() as session:
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        kept: list[tuple[date, int]] = []
        for archived in (True, False):
            for kind in ("photo", "video", "other"):
                filters = Filters(kind=kind, archived=archived)
                found = await queries.kept_counts(session, library, filters, "day")
                assert found == await queries.counts(session, library, filters, "day")
                kept += found
        return kept


class Changing:
    """Somebody who changes assets in whatever way, by a sequence of random numbers."""

    def __init__(self, runtime: Runtime, library: str, seed: int) -> None:
        self._runtime, self._library, self._random = runtime, library, random.Random(seed)
        self._acts = [
            self.insert,
            self.insert,
            self.trash,
            self.restore,
            self.archive,
            self.move,
            self.kind,
            self.purge,
        ]

    async def run(self, times: int) -> None:
        for _ in range(times):
            await self._random.choice(self._acts)()

    async def insert(self) -> None:
        chosen = self._random
        rows = [
            {
                "taken_at": DAY + timedelta(days=chosen.randrange(5)),
                "kind": chosen.choice(["photo", "video", "sidecar"]),
            }
            for _ in range(chosen.randrange(1, 4))
        ]
        await plant(self._runtime, self._library, *rows)

    async def _change(self, **values: Any) -> None:
        async with self._runtime.database.transaction() as session:
            await session.execute(update(Asset).where(Asset.id.in_(await self._some(session))).values(**values))

    async def _some(self, session: Any) -> list[UUID]:
        # Locked in one order, as the services do.
        statement = select(Asset.id).where(Asset.library_id == UUID(self._library)).order_by(Asset.id).limit(3)
        offset = self._random.randrange(10)
        return list(await session.scalars(statement.offset(offset).with_for_update()))

    async def trash(self) -> None:
        await self._change(trashed_at=func.now())

    async def restore(self) -> None:
        await self._change(trashed_at=None)

    async def archive(self) -> None:
        await self._change(archived=self._random.random() < 0.5)

    async def move(self) -> None:
        await self._change(taken_at=Asset.taken_at + timedelta(days=self._random.randrange(-2, 3)))

    async def kind(self) -> None:
        await self._change(kind=self._random.choice(["photo", "video", "other", "sidecar"]))

    async def purge(self) -> None:
        async with self._runtime.database.transaction() as session:
            await session.execute(delete(Asset).where(Asset.id.in_((await self._some(session))[:1])))


@pytest.mark.parametrize("seed", range(3))
async def test_counts_are_exact_whoever_changes_what_at_once(anna: Person, live: Runtime, seed: int) -> None:
    done = asyncio.Event()

    async def fold() -> int:
        folded = 0
        while not done.is_set():
            async with live.database.transaction() as session:
                await folding.fold(session)
            folded += 1
            await recount(live, UUID(anna.library))
            await asyncio.sleep(0)
        return folded

    folder = asyncio.create_task(fold())
    await asyncio.gather(*(Changing(live, anna.library, seed * 10 + number).run(25) for number in range(3)))
    done.set()
    assert await folder > 0
    await recount(live, UUID(anna.library))
    async with live.database.transaction() as session:
        await folding.fold(session)
        assert await session.scalar(select(func.count()).select_from(TimelineChange)) == 0
        assert await session.scalar(select(func.count()).where(TimelineDay.assets <= 0)) == 0
    await recount(live, UUID(anna.library))


async def test_folding_forgets_libraries_that_are_gone(anna: Person, live: Runtime) -> None:
    extra = (await anna.post("/libraries", {"name": "short"})).json()["id"]
    await plant(live, extra, {})
    async with live.database.transaction() as session:
        await session.execute(delete(Asset).where(Asset.library_id == UUID(extra)))
        await session.execute(delete(File).where(File.library_id == UUID(extra)))
    assert (await anna.delete(f"/libraries/{extra}")).status_code == 204
    await plant(live, anna.library, {})
    async with live.database.transaction() as session:
        await folding.fold(session)
        rows = (await session.execute(select(TimelineDay.library_id, TimelineDay.assets))).all()
        assert [tuple(row) for row in rows] == [(UUID(anna.library), 1)]
        assert await session.scalar(select(func.count()).select_from(TimelineChange)) == 0


def test_folding_is_a_job() -> None:
    assert JOBS[kinds.FOLD.name].kind.every is not None
