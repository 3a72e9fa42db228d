"""A recompression and a retirement die at every act they have: the asset downloads, and the next run ends it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from archive.forms.giving import Giver
from archive.models import Object
from archive.runtime import Runtime
from archive.space import recompressing, retiring
from archive.usage import service as usage
from tests.conftest import MakePerson
from tests.support import photos, space
from tests.support.dying import MODES, DyingStore, Fate, Mode, dying_database
from tests.support.people import Person

SMALL = photos.saved(photos.scene(160, 120), "JPEG", quality=92)


@pytest.fixture
async def anna(person: MakePerson) -> Person:
    return await person()


@pytest.fixture
def live(app: FastAPI, anna: Person) -> Runtime:
    return app.state.runtime  # type: ignore[no-any-return]


async def sent(anna: Person, live: Runtime, content: bytes) -> str:
    asset_id = await space.send(anna, content)
    await space.described(live)
    return asset_id


@pytest.mark.parametrize("mode", MODES)
async def test_every_crash_point_leaves_an_asset_that_downloads(anna: Person, live: Runtime, mode: Mode) -> None:
    """Let the k-th act on database or store be the last one, for every k of a recompression and a retirement."""
    fate, turned = Fate(), 0
    giver = Giver(replace(live.vault, store=DyingStore(live.vault.store, fate)), live.sandbox)

    async def whole_way() -> None:
        await recompressing.run(live.database.transaction, giver, space.RULES, space._nobody)
        await retiring.run(live.database.transaction, giver, space.NO_SECOND_PLACE)

    for act in range(1, 300):
        content = SMALL + act.to_bytes(4, "big") * 8
        asset_id = await sent(anna, live, content)
        await space.hours_pass(live)
        with dying_database(live.database.engine, fate), fate.at(act, mode):
            with suppress(Exception):  # what a dead process would not see
                await whole_way()
            struck = fate.struck
        turned += (await space.kept(live, asset_id))[1].kind == "exact"
        await sound(anna, live, asset_id, content)
        # Whatever was left behind, the next run ends it.
        await space.recompress(live)
        assert (await space.kept(live, asset_id))[1].kind == "exact"
        await space.verified(live)
        await space.days_pass(live)
        with dying_database(live.database.engine, fate), fate.at(act, mode):
            with suppress(Exception):
                await whole_way()
            struck = struck or fate.struck
        await sound(anna, live, asset_id, content)
        await space.retire(live)
        assert await space.forms(live, asset_id) == [("exact", False, False), ("received", True, True)]
        await sound(anna, live, asset_id, content)
        if not struck:
            assert 0 < turned < act
            return
    pytest.fail("it never ran to its end")


async def sound(anna: Person, live: Runtime, asset_id: str, content: bytes) -> None:
    """Check what must hold at every moment."""
    assert (await anna.get(f"/assets/{asset_id}/original")).content == content
    asset, _ = await space.kept(live, asset_id)
    async with live.database.transaction() as session:
        counted = await usage.recount(session, asset.library_id)
    shown = (await anna.get(f"/libraries/{anna.library}/usage")).json()
    assert (shown["originals"], shown["renditions"], shown["trash"]) == counted
    async with live.database.transaction() as session:
        keys = set(await session.scalars(select(Object.key)))
    assert keys <= {stat.key async for stat in live.store.list("o/")}, "a row without its object"
