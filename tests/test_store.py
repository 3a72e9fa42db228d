"""One suite for every store: what the protocol promises, each store keeps."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from minio import Minio
from moto.server import ThreadedMotoServer

from storage import ObjectExists, ObjectMissing, Stat, Store, StoreUnavailable, check_url, open_store
from storage.base import CHUNK
from storage.local import LocalStore
from storage.memory import MemoryStore
from storage.s3 import S3Store

_BUCKET = "photos"
_numbers = count(1)

BAD_KEYS = [
    "",
    "../x",
    "a/../b",
    "/etc/passwd",
    "a//b",
    "a/",
    "./a",
    ".parts/a",
    "Upper",
    "a b",
    "a\0b",
    "a\nb",
    "a\n",
    "a\\b",
    "é",
    "a.jpg",
    "-a",
    "a" * 201,
]


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def cut_off(first: bytes, error: BaseException) -> AsyncIterator[bytes]:
    yield first
    raise error


async def drain(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


async def keys(store: Store, prefix: str = "") -> list[str]:
    return [found.key async for found in store.list(prefix)]


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = Minio(f"{host}:{port}", "key", "secret", secure=False)
    client.make_bucket(_BUCKET)
    yield f"{host}:{port}"
    server.stop()


def s3_url(server: str, path: str) -> str:
    return f"s3://key:secret@{server}/{path}?tls=false&region=us-east-1"


@pytest.fixture(params=["local", "memory", "s3", "s3 below a prefix"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each store, empty."""
    if request.param == "local":
        opened = open_store((tmp_path / "a store, ünïcode").as_uri())
    elif request.param == "memory":
        opened = open_store("memory:")
    else:
        server = request.getfixturevalue("s3_server")
        bucket = f"bucket{next(_numbers)}"
        Minio(server, "key", "secret", secure=False).make_bucket(bucket)
        opened = open_store(s3_url(server, bucket if request.param == "s3" else f"{bucket}/deep/prefix"))
    yield opened
    await opened.close()


# What every store promises


async def test_what_was_put_is_read(store: Store) -> None:
    assert await store.put("a/b-c_1", pieces(b"hello ", b"", b"world")) == 11
    assert await store.read("a/b-c_1") == b"hello world"
    assert await store.stat("a/b-c_1") == Stat("a/b-c_1", 11)


async def test_an_empty_object_is_an_object(store: Store) -> None:
    assert await store.put("empty", pieces()) == 0
    assert await store.read("empty") == b""
    assert (await store.stat("empty")).size == 0
    assert await drain(store.read_range("empty", 5, 10)) == b""


async def test_a_big_object_in_odd_pieces_survives(store: Store) -> None:
    body = os.urandom(5 * CHUNK + 12345)
    sizes = [1, 7, 65537, CHUNK + 1, 3 * CHUNK - 5]
    cuts = [0, *(sum(sizes[: index + 1]) for index in range(len(sizes))), len(body)]
    parts = [body[start:end] for start, end in pairwise(cuts)]
    assert await store.put("big", pieces(*parts)) == len(body)
    assert await store.read("big") == body
    assert await drain(store.read_range("big", CHUNK - 3, CHUNK + 6)) == body[CHUNK - 3 : 2 * CHUNK + 3]
    async for piece in store.read_range("big"):
        assert 0 < len(piece) <= CHUNK


async def test_an_object_is_written_once(store: Store) -> None:
    await store.put("once", pieces(b"first"))
    with pytest.raises(ObjectExists, match="once"):
        await store.put("once", pieces(b"second"))
    assert await store.read("once") == b"first"


async def test_what_is_missing_is_said_to_be_missing(store: Store) -> None:
    await store.put("here/a", pieces(b"x"))
    # A folder is no object, and an object is no folder.
    for key in ("gone", "gone/deep/down", "here", "here/a/b"):
        with pytest.raises(ObjectMissing, match=key):
            await store.read(key)
        with pytest.raises(ObjectMissing, match=key):
            await drain(store.read_range(key, 3, 0))
        with pytest.raises(ObjectMissing, match=key):
            await store.stat(key)


async def test_deleting_twice_is_no_error(store: Store) -> None:
    await store.put("a/b", pieces(b"x"))
    for key in ("a/b", "a/b", "never/was", "a", "a/b/c"):
        await store.delete(key)
    assert await keys(store) == []
    await store.put("a/b", pieces(b"again"))
    assert await store.read("a/b") == b"again"


async def test_deleting_a_folder_deletes_nothing(store: Store) -> None:
    await store.put("a/b", pieces(b"x"))
    await store.delete("a")
    assert await keys(store) == ["a/b"]


async def test_a_list_is_in_the_order_of_keys(store: Store) -> None:
    # '-' sorts before '/', digits before '_', '_' before letters; a folder lies between files that begin like it.
    names = ["a-b", "a/b", "a/b-c", "a/c/d", "a0", "a_b", "aa", "ab", "b/a", "b/z/1", "b-a/z", "z"]
    for number, name in enumerate(reversed(names)):
        await store.put(name, pieces(b"x" * number))
    found = [entry async for entry in store.list()]
    assert [entry.key for entry in found] == sorted(names)
    assert {entry.key: entry.size for entry in found} == {name: n for n, name in enumerate(reversed(names))}


async def test_a_list_holds_the_keys_that_begin_so(store: Store) -> None:
    names = ["a", "ab", "ab-c/x", "abc/d", "abc/de", "abd", "b"]
    for name in names:
        await store.put(name, pieces(b"x"))
    for prefix in ("", "a", "ab", "abc", "abc/", "abc/d", "abc/de", "abc/def", "ab-", "b", "c", "abc/d/"):
        assert await keys(store, prefix) == sorted(name for name in names if name.startswith(prefix)), prefix


@pytest.mark.parametrize("key", BAD_KEYS, ids=[repr(key[:20]) for key in BAD_KEYS])
async def test_a_bad_key_is_refused_everywhere(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await store.put(key, pieces(b"x"))
    with pytest.raises(ValueError, match="not a key"):
        await store.read(key)
    with pytest.raises(ValueError, match="not a key"):
        await drain(store.read_range(key))
    with pytest.raises(ValueError, match="not a key"):
        await store.stat(key)
    with pytest.raises(ValueError, match="not a key"):
        await store.delete(key)
    assert await keys(store) == []


@pytest.mark.parametrize(
    "error",
    [ConnectionResetError("gone"), FileNotFoundError("no"), FileExistsError("yes"), RuntimeError("odd"), MemoryError()],
    ids=lambda error: type(error).__name__,
)
async def test_a_body_that_breaks_off_leaves_nothing(store: Store, error: Exception) -> None:
    with pytest.raises(type(error)) as raised:  # as it is: an uploader's broken line is no fault of the store's
        await store.put("half", cut_off(b"x" * 100_000, error))
    assert raised.value is error
    assert await keys(store) == []
    await store.put("half", pieces(b"whole"))
    assert await store.read("half") == b"whole"


async def test_a_cancelled_put_leaves_nothing(store: Store) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        begun.set()
        await never.wait()

    task = asyncio.create_task(store.put("half", body()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await keys(store) == []


async def test_an_object_is_invisible_until_it_is_whole(store: Store) -> None:
    seen: list[list[str]] = []

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        seen.append(await keys(store))
        with pytest.raises(ObjectMissing):
            await store.read("slow")
        yield b"y"

    await store.put("slow", body())
    assert seen == [[]]
    assert await keys(store) == ["slow"]


async def test_a_reader_may_stop_early(store: Store) -> None:
    await store.put("big", pieces(b"x" * (3 * CHUNK)))
    stream = store.read_range("big")
    assert await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # stores' streams are generators
    await store.delete("big")
    assert await keys(store) == []


async def test_a_store_that_is_there_answers(store: Store) -> None:
    await store.ping()
    assert await keys(store) == []  # and the question leaves nothing behind


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True
)
@given(
    body=st.binary(max_size=300),
    ranges=st.lists(st.tuples(st.integers(0, 400), st.one_of(st.none(), st.integers(0, 400))), min_size=1, max_size=4),
)
async def test_a_range_is_a_slice(store: Store, body: bytes, ranges: list[tuple[int, int | None]]) -> None:
    key = f"range{next(_numbers)}"
    await store.put(key, pieces(body))
    for start, length in ranges:
        wanted = body[start:] if length is None else body[start : start + length]
        assert await drain(store.read_range(key, start, length)) == wanted


@pytest.mark.parametrize("kind", ["local", "memory"])
async def test_of_two_writers_at_once_one_wins(kind: str, tmp_path: Path) -> None:
    # S3 is not promised to keep this: its client has no conditional put, and keys of ours are random.
    store: Store = LocalStore(tmp_path) if kind == "local" else MemoryStore()
    bodies = [bytes([number]) * 1000 for number in range(8)]
    results = await asyncio.gather(*(store.put("k", pieces(body)) for body in bodies), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["ObjectExists"] * 7 + ["int"]
    winner = next(index for index, result in enumerate(results) if result == 1000)
    assert await store.read("k") == bodies[winner]


# The folder


def parts_of(folder: Path) -> list[Path]:
    return list((folder / ".parts").iterdir())


def files_of(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


async def test_a_folder_holds_only_the_objects(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    await store.put("a/b", pieces(b"x"))
    with pytest.raises(ObjectExists):
        await store.put("a/b", pieces(b"y"))
    with pytest.raises(RuntimeError):
        await store.put("c", cut_off(b"z", RuntimeError()))
    assert parts_of(tmp_path) == []
    assert files_of(tmp_path) == ["a/b"]


async def test_what_is_no_object_is_not_listed(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    await store.put("a/b", pieces(b"x"))
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "lost+found" / "a").touch()
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "a" / "Thumbs.db").touch()
    (tmp_path / ".parts" / "abandoned").touch()
    (tmp_path / "pipe").symlink_to("/nowhere")
    assert await keys(store) == ["a/b"]


async def test_a_key_that_is_the_folder_of_another_is_refused(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    await store.put("a/b", pieces(b"x"))
    for key in ("a", "a/b/c", "a/b/c/d"):
        with pytest.raises(ObjectExists):
            await store.put(key, pieces(b"y"))
    assert await keys(store) == ["a/b"]
    assert parts_of(tmp_path) == []


async def test_parts_that_a_crash_left_are_swept_away_when_they_are_old(tmp_path: Path) -> None:
    LocalStore(tmp_path)
    old, fresh = tmp_path / ".parts" / "old", tmp_path / ".parts" / "fresh"
    for part in (old, fresh):
        part.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    LocalStore(tmp_path)
    assert parts_of(tmp_path) == [fresh]


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file"):
        LocalStore(tmp_path / "file" / "store")
    with pytest.raises(StoreUnavailable, match="file"):
        LocalStore(tmp_path / "file")


async def test_a_folder_that_went_away_is_unavailable_and_its_objects_are_not_missing(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    store = LocalStore(folder)
    await store.put("a/b", pieces(b"x"))
    folder.rename(tmp_path / "away")
    for call in (store.read("a/b"), store.stat("a/b"), store.delete("a/b"), store.ping(), keys(store)):
        with pytest.raises(StoreUnavailable):
            await call
    with pytest.raises(StoreUnavailable):
        await store.put("c", pieces(b"x"))
    (tmp_path / "away").rename(folder)
    assert await store.read("a/b") == b"x"


async def test_a_long_list_of_files_is_whole(tmp_path: Path) -> None:
    names = sorted(f"n{number % 7}/{number:04}" for number in range(1100))
    store = LocalStore(tmp_path)
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert await keys(store) == names


# Root may write everywhere, so the rights are tested as somebody else, in a process of its own.
_UNWRITABLE = """
    import asyncio, os, sys
    from pathlib import Path
    from storage import StoreUnavailable
    from storage.local import LocalStore

    async def body():
        yield b"x"

    async def main(folder):
        store = LocalStore(folder)
        await asyncio.to_thread(int)  # imported while the interpreter can still be read
        os.chmod(folder / ".parts", 0o500)
        os.chmod(folder, 0o500)
        if os.geteuid() == 0:
            for path in (folder, folder / ".parts"):
                os.chown(path, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        for attempt in (store.put("a", body()), store.ping()):
            try:
                await attempt
            except StoreUnavailable as error:
                print("refused", error)
        print("listed", [found.key async for found in store.list()])

    asyncio.run(main(Path(sys.argv[1])))
"""

# A file may not grow beyond the limit: to the program this is what a full disk is.
_FULL = """
    import asyncio, resource, signal, sys
    from pathlib import Path
    from storage import StoreUnavailable
    from storage.local import LocalStore

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    async def body(pieces):
        for _ in range(pieces):
            yield b"x" * 1000

    async def main(folder):
        store = LocalStore(folder)
        for pieces in (101, 500):
            try:
                await store.put("big", body(pieces))
            except StoreUnavailable as error:
                print("refused", error)
        print("put", await store.put("small", body(1)))
        print("listed", [found.key async for found in store.list()], list((folder / ".parts").iterdir()))

    asyncio.run(main(Path(sys.argv[1])))
"""


def in_a_process(script: str, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_unwritable_folder_is_unavailable(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o011)  # whoever it becomes has to get there
    said = in_a_process(_UNWRITABLE, tmp_path / "store")
    assert [line.split()[0] for line in said] == ["refused", "refused", "listed"]
    assert "Permission denied" in said[0]


def test_a_full_disk_is_unavailable_and_leaves_no_part(tmp_path: Path) -> None:
    said = in_a_process(_FULL, tmp_path)
    assert [line.split()[0] for line in said] == ["refused", "refused", "put", "listed"]
    assert said[2:] == ["put 1000", "listed ['small'] []"]


# The bucket


async def test_other_tools_markers_are_not_listed(s3_server: str) -> None:
    client = Minio(s3_server, "key", "secret", secure=False)
    client.make_bucket("marked")
    store = open_store(s3_url(s3_server, "marked"))
    await store.put("a/b", pieces(b"x"))
    for name in ("a/", "Readme.TXT"):
        client.put_object("marked", name, BytesIO(), 0)
    assert await keys(store) == ["a/b"]
    await store.close()


async def test_a_list_of_several_pages_is_whole(s3_server: str) -> None:
    client = Minio(s3_server, "key", "secret", secure=False)
    client.make_bucket("many")
    names = sorted(f"p/n{number % 7}/{number:04}" for number in range(1010))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: client.put_object("many", name, BytesIO(), 0), names))
    store = open_store(s3_url(s3_server, "many/p"))
    assert await keys(store) == [name.removeprefix("p/") for name in names]
    await store.close()


async def test_a_missing_bucket_is_unavailable_and_its_objects_are_not_missing(s3_server: str) -> None:
    store = open_store(s3_url(s3_server, "no-such-bucket"))
    for call in (store.read("a"), store.stat("a"), store.ping(), keys(store), store.put("a", pieces(b"x"))):
        with pytest.raises(StoreUnavailable, match=r"no-such-bucket|NoSuchBucket"):
            await call
    await store.close()


async def test_a_server_that_is_away_is_unavailable(free_port: int) -> None:
    store = open_store(s3_url(f"127.0.0.1:{free_port}", "photos"))
    for call in (store.read("a"), keys(store), store.put("a", pieces(b"x"))):
        with pytest.raises(StoreUnavailable) as raised:
            await call
        assert "secret" not in str(raised.value)
    await store.close()


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that is bound but not listened on: nobody else can take it, and connections are refused."""
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


# The address


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://host/bucket", "not the URL of a store"),
        ("", "not the URL of a store"),
        ("/srv/photos", "not the URL of a store"),
        ("file://srv/photos", "file:///srv"),
        ("file:photos", "file:///srv"),
        ("file://", "file:///srv"),
        ("s3://bucket", "s3://key:secret@host/bucket"),
        ("s3://key:hush@host", "s3://key:secret@host/bucket"),
        ("s3://key:hush@host/", "s3://key:secret@host/bucket"),
        ("s3://key@host/bucket", "s3://key:secret@host/bucket"),
        ("s3://key:hush@host:99999/bucket", "Port"),
        ("s3://key:hush@host/bucket?tsl=false", "options"),
        ("s3://key:hush@host/bucket?tls=no", "options"),
    ],
)
def test_a_url_that_names_no_store_is_refused(url: str, said: str) -> None:
    for refuse in (check_url, open_store):
        with pytest.raises(ValueError, match=said) as raised:
            refuse(url)
        assert "hush" not in str(raised.value)


@pytest.mark.parametrize("url", ["file:///", "file://localhost/srv", "s3://k:s@h/b", "s3://k:a%2Fb@h:1/b/c?tls=true"])
def test_a_url_that_names_a_store_is_taken(url: str) -> None:
    check_url(url)


def test_names_in_a_url_are_escaped(tmp_path: Path) -> None:
    folder = tmp_path / "Фото, 100 % #1?"
    assert isinstance(open_store(folder.as_uri()), LocalStore)
    assert (folder / ".parts").is_dir()
    assert isinstance(open_store("s3://key:a%2Fb%40c@host:9000/bucket"), S3Store)
