"""Real clients, real sockets, real kills: what was acknowledged is there, what comes back is what was sent."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from archive.settings import Addresses
from tests.support.api import Api, running_api
from tests.support.service import PASSWORD, ROOT

TUS = {"Tus-Resumable": "1.0.0"}
PATCH = TUS | {"Content-Type": "application/offset+octet-stream"}
_CLIENT = ROOT / "web" / "node_modules" / "tus-js-client"
needs_client = pytest.mark.skipif(
    not (_CLIENT.is_dir() and shutil.which("node")), reason="the packages of the web client are not installed"
)
# './run soak uploads' asks for more.
KILLS = int(os.environ.get("UPLOAD_KILLS", "12"))


@pytest.fixture
def api(addresses: Addresses, tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path / "data", addresses, tmp_path / "store") as running:
        yield running


@pytest.fixture
def key(api: Api) -> str:
    made = json.loads(api.command("account", "create", "a@example.org", "--password-stdin", stdin=PASSWORD + "\n"))
    assert made["library_id"]
    key: str = json.loads(api.command("apikey", "create", "a@example.org", "--name", "test"))["key"]
    return key


def photo(folder: Path, size: int) -> Path:
    file = folder / "photo.jpg"
    file.write_bytes(random.Random(size).randbytes(size))
    return file


def client(api: Api, key: str, file: Path, chunk: int, parallel: int) -> subprocess.Popen[str]:
    arguments = [f"{api.url}/api/v1/uploads", key, str(file), str(chunk), str(parallel)]
    packages = {"PACKAGES": str(ROOT / "web" / "package.json")}
    digest = {"SHA256": hashlib.sha256(file.read_bytes()).hexdigest()}
    return subprocess.Popen(
        ["node", str(ROOT / "tests" / "support" / "tus_upload.mjs"), *arguments],
        env=os.environ | packages | digest,
        stdout=subprocess.PIPE,
        text=True,
    )


def only_asset(api: Api, key: str, upload: str) -> dict[str, Any]:
    """The one asset there is, by name, once: nothing is half-visible."""
    with httpx.Client(base_url=api.url + "/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
        library = http.get("/libraries").json()["items"][0]["id"]
        deadline = time.monotonic() + 60
        # The client knows that all bytes are safe. Killed before it had made the asset, the API does so when somebody
        # asks and the lease of the dead is over; where workers run, a job does.
        while not (items := http.get("/assets", params={"library": library}).json()["items"]):
            assert time.monotonic() < deadline, "no asset"
            http.head(upload, headers=TUS)
            time.sleep(0.2)
        [asset] = items
        found: dict[str, Any] = asset
        return found


@needs_client
@pytest.mark.parametrize(("chunk", "parallel"), [(0, 1), (3_000_000, 1), (0, 3)], ids=["whole", "chunks", "parallel"])
async def test_an_upload_survives_kills_of_the_api(
    api: Api, key: str, tmp_path: Path, chunk: int, parallel: int
) -> None:
    file = photo(tmp_path, 150_000_000)
    uploading = client(api, key, file, chunk, parallel)
    moments = random.Random(chunk + parallel)
    for _ in range(KILLS // 3):
        # Bytes flow again some time after a start; the moments lie before, at, and behind that.
        await asyncio.sleep(moments.uniform(0.1, 2.5))
        if uploading.poll() is not None:
            break
        api.kill()
    output, _ = uploading.communicate(timeout=180)
    lines = [json.loads(line) for line in output.splitlines()]
    assert uploading.returncode == 0, lines[-3:]
    asset = only_asset(api, key, lines[-1]["url"])
    assert (asset["name"], asset["size"]) == (file.name, file.stat().st_size)
    with httpx.stream(
        "GET", f"{api.url}/api/v1/assets/{asset['id']}/original", headers={"Authorization": f"Bearer {key}"}
    ) as answer:
        digest = hashlib.sha256()
        for piece in answer.iter_bytes():
            digest.update(piece)
    assert digest.hexdigest() == hashlib.sha256(file.read_bytes()).hexdigest()


async def create(http: httpx.AsyncClient, length: int) -> str:
    made = await http.post("/api/v1/uploads", headers=TUS | {"Upload-Length": str(length)})
    assert made.status_code == 201, made.text
    return made.headers["location"]


async def offset(http: httpx.AsyncClient, path: str) -> int:
    return int((await http.head(path, headers=TUS)).headers["upload-offset"])


async def test_of_two_requests_at_once_one_writes_and_nobody_waits(api: Api, key: str) -> None:
    content = random.Random(5).randbytes(3_000_000)
    hold = asyncio.Event()

    async def slow() -> Any:
        yield content[:1_000_000]
        await hold.wait()
        yield content[1_000_000:]

    async with httpx.AsyncClient(base_url=api.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
        path = await create(http, len(content))
        headers = PATCH | {"Upload-Offset": "0"}
        first = asyncio.create_task(http.patch(path, content=slow(), headers=headers))
        await asyncio.sleep(0.5)
        second = await http.patch(path, content=content, headers=headers)
        assert second.status_code == 423
        assert second.json()["type"].endswith("/upload-locked")
        # Others are served meanwhile, the upload's own offset among them.
        assert await offset(http, path) == 0
        assert (await http.get("/api/v1/libraries")).status_code == 200
        assert (await http.delete(path, headers=TUS)).status_code == 423
        assert not first.done()
        hold.set()
        done = await first
        assert done.status_code == 204, done.text
        original = await http.get(f"/api/v1/assets/{done.headers['upload-asset']}/original")
        assert original.content == content


async def test_what_arrived_before_the_line_broke_is_kept(api: Api, key: str) -> None:
    content = random.Random(6).randbytes(2_000_000)
    host, _, port = api.url.removeprefix("http://").partition(":")
    async with httpx.AsyncClient(base_url=api.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
        path = await create(http, len(content))
        _, writer = await asyncio.open_connection(host, int(port))
        head = f"PATCH {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nTus-Resumable: 1.0.0\r\n"
        head += "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n"
        head += f"Content-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content[:1_200_000])
        await writer.drain()
        await asyncio.sleep(0.5)
        writer.transport.abort()
        deadline = time.monotonic() + 30
        while (safe := await offset(http, path)) == 0:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert safe == 1_200_000
        done = await http.patch(path, content=content[safe:], headers=PATCH | {"Upload-Offset": str(safe)})
        original = await http.get(f"/api/v1/assets/{done.headers['upload-asset']}/original")
        assert original.content == content


async def test_nobody_sends_a_byte_before_saying_who_they_are(api: Api, key: str, tmp_path: Path) -> None:
    """A client that asks first (Expect: 100-continue) is refused before it sends its body."""
    host, _, port = api.url.removeprefix("http://").partition(":")
    for path in ("/api/v1/assets", "/api/v1/uploads"):
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
        writer.write(head.encode())
        status = await asyncio.wait_for(reader.readline(), 30)
        assert b" 401 " in status
        writer.close()
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


async def test_one_account_has_so_many_transfers_at_once(addresses: Addresses, tmp_path: Path) -> None:
    with running_api(tmp_path / "data", addresses, tmp_path / "store", uploads_at_once="2") as api:
        api.command("account", "create", "a@example.org", "--password-stdin", stdin=PASSWORD + "\n")
        key = json.loads(api.command("apikey", "create", "a@example.org", "--name", "test"))["key"]
        hold = asyncio.Event()

        async def slow() -> Any:
            yield b"x" * 500
            await hold.wait()
            yield b"y" * 500

        async with httpx.AsyncClient(base_url=api.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
            paths = [await create(http, 1000) for _ in range(3)]
            headers = PATCH | {"Upload-Offset": "0"}
            running = [asyncio.create_task(http.patch(path, content=slow(), headers=headers)) for path in paths[:2]]
            await asyncio.sleep(0.5)
            third = await http.patch(paths[2], content=b"z" * 1000, headers=headers)
            assert third.status_code == 429
            assert int(third.headers["retry-after"]) >= 1
            hold.set()
            assert [(await one).status_code for one in running] == [204, 204]
            again = await http.patch(paths[2], content=b"z" * 1000, headers=headers)
            assert again.status_code == 204
