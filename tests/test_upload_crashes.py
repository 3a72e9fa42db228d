"""Every crash point of receiving, finishing and purging: nothing half-visible, nothing acknowledged lost."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from api.app import create_app
from archive.runtime import Runtime, open_runtime
from archive.settings import Addresses, Settings
from archive.usage import service as usage
from storage.memory import MemoryStore
from tests.support import people
from tests.support.dying import MODES, DyingStore, Fate, Mode, dying_database
from tests.support.people import Person

random.seed(4)
PHOTO = random.randbytes(40_000)
HALF = 20_000
TYPE = "application/offset+octet-stream"


@dataclass
class Mortal:
    """An archive that dies at a chosen act, and somebody who uses it."""

    runtime: Runtime
    fate: Fate
    anna: Person

    async def tus(
        self, method: str, path: str = "/api/v1/uploads", body: bytes = b"", **headers: object
    ) -> httpx.Response:
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()} | {"Tus-Resumable": "1.0.0"}
        return await self.anna.http.request(method, path, content=body, headers=named)

    async def begin(self, body: bytes = PHOTO[:HALF]) -> str:
        made = await self.tus("POST", body=body, Upload_Length=len(PHOTO), Content_Type=TYPE)
        assert made.headers["upload-offset"] == str(len(body)), made.text
        return made.headers["location"]

    async def go_on(self, path: str, body: bytes | None = None) -> httpx.Response:
        """Do what a client does after a break: ask for the offset, and send the rest."""
        head = await self.tus("HEAD", path)
        assert head.status_code == 200, head.text
        offset = int(head.headers["upload-offset"])
        if offset == len(PHOTO):
            return head
        rest = PHOTO[offset:] if body is None else body
        return await self.tus("PATCH", path, rest, Upload_Offset=offset, Content_Type=TYPE)

    async def lapse(self) -> None:
        """Let leases run out, as they do when their holder is dead, and forget what only it knew."""
        self.runtime.vault.keys._known.clear()
        async with self.runtime.database.transaction() as session:
            await session.execute(text("UPDATE upload SET writing_until = NULL"))

    async def sound(self) -> list[str]:
        """Check what must hold at every moment; gives the assets there are, each of them read whole."""
        items = (await self.anna.get(f"/assets?library={self.anna.library}")).json()["items"]
        for item in items:
            assert (await self.anna.get(f"/assets/{item['id']}/original")).content == PHOTO
        async with self.runtime.database.transaction() as session:
            counted = await usage.recount(session, UUID(self.anna.library))
            gaps = await session.scalar(text(
                "SELECT count(*) FROM file f "
                "WHERE size != (SELECT coalesce(sum(size), 0) FROM object WHERE file_id = f.id)"
            ))  # fmt: skip
            known = set((await session.scalars(text("SELECT key FROM object"))).all())
        shown = (await self.anna.get(f"/libraries/{self.anna.library}/usage")).json()
        assert (shown["originals"], shown["renditions"], shown["trash"]) == counted
        assert gaps == 0
        stored = {found.key async for found in self.runtime.store.list("o/")}
        assert known <= stored, "a row without its object"
        return [item["id"] for item in items]


@pytest.fixture
async def mortal(settings: Settings, addresses: Addresses) -> AsyncIterator[Mortal]:
    fate = Fate()
    store = DyingStore(MemoryStore(), fate)
    app = create_app(lambda: open_runtime(settings, addresses, pool_size=5, store=store))
    async with app.router.lifespan_context(app):
        runtime: Runtime = app.state.runtime
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://photos.test") as client:
            anna = await people.make(runtime, Person(client), "anna@example.org")
            with dying_database(runtime.database.engine, fate):
                yield Mortal(runtime, fate, anna)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("forgotten", [False, True], ids=["hashes", "reread"])
async def test_receiving_and_finishing(mortal: Mortal, mode: Mode, forgotten: bool) -> None:
    """The last request of an upload dies at every act it has."""
    for act in range(1, 200):
        path = await mortal.begin()
        if forgotten:
            mortal.runtime.hashes.forget(UUID(path.rpartition("/")[2]))
        with mortal.fate.at(act, mode):
            died = await mortal.tus("PATCH", path, PHOTO[HALF:], Upload_Offset=HALF, Content_Type=TYPE)
            struck = mortal.fate.struck
        assert len(await mortal.sound()) <= 1
        await mortal.lapse()
        done = await mortal.go_on(path)
        assert "upload-asset" in done.headers, (act, died.status_code, done.text)
        assert await mortal.sound() == [done.headers["upload-asset"]]
        await mortal.anna.delete("/assets/" + done.headers["upload-asset"])
        await mortal.anna.post("/assets/purge", {"ids": [done.headers["upload-asset"]]})
        if not struck:
            assert died.status_code == 204
            return
        assert died.status_code in {204, 503}, died.text
    pytest.fail("it never ran to its end")


@pytest.mark.parametrize("mode", MODES)
async def test_the_same_bytes_again(mortal: Mortal, mode: Mode) -> None:
    """A duplicate dies at every act; the one asset is there all the time."""
    first = await mortal.tus("POST", body=PHOTO, Upload_Length=len(PHOTO), Content_Type=TYPE)
    for act in range(1, 200):
        path = await mortal.begin(b"")
        with mortal.fate.at(act, mode):
            await mortal.tus("PATCH", path, PHOTO, Upload_Offset=0, Content_Type=TYPE)
            struck = mortal.fate.struck
        assert await mortal.sound() == [first.headers["upload-asset"]]
        await mortal.lapse()
        done = await mortal.go_on(path)
        assert done.headers["upload-asset"] == first.headers["upload-asset"]
        if not struck:
            return
    pytest.fail("it never ran to its end")


@pytest.mark.parametrize("mode", MODES)
async def test_putting_parts_together(mortal: Mortal, mode: Mode) -> None:
    for act in range(1, 200):
        parts = []
        for part in (PHOTO[:HALF], PHOTO[HALF:]):
            made = await mortal.tus(
                "POST", body=part, Upload_Length=len(part), Upload_Concat="partial", Content_Type=TYPE
            )
            parts.append(made.headers["location"])
        with mortal.fate.at(act, mode):
            died = await mortal.tus("POST", Upload_Concat="final;" + " ".join(parts))
            struck = mortal.fate.struck
        assets = await mortal.sound()
        if not assets:
            done = await mortal.tus("POST", Upload_Concat="final;" + " ".join(parts))
            assert done.status_code == 201, (act, done.text)
            assets = await mortal.sound()
        assert len(assets) == 1
        await mortal.anna.delete(f"/assets/{assets[0]}")
        await mortal.anna.post("/assets/purge", {"ids": assets})
        if not struck:
            assert died.status_code == 201
            return
    pytest.fail("it never ran to its end")


@pytest.mark.parametrize("mode", MODES)
async def test_purging(mortal: Mortal, mode: Mode) -> None:
    """A purge dies at every act: the asset is whole in the trash, or it is gone."""
    for act in range(1, 200):
        made = await mortal.tus("POST", body=PHOTO, Upload_Length=len(PHOTO), Content_Type=TYPE)
        asset = made.headers["upload-asset"]
        await mortal.anna.delete(f"/assets/{asset}")
        with mortal.fate.at(act, mode):
            died = await mortal.anna.post("/assets/purge", {"ids": [asset]})
            struck = mortal.fate.struck
        await mortal.sound()
        left = await mortal.anna.get(f"/assets/{asset}/original")
        assert left.status_code in {200, 404}
        if left.status_code == 200:
            assert left.content == PHOTO
            assert (await mortal.anna.post("/assets/purge", {"ids": [asset]})).status_code == 204
        assert await mortal.sound() == []
        if not struck:
            assert died.status_code == 204
            return
    pytest.fail("it never ran to its end")
