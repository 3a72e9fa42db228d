"""The store in a folder: what is on the disk, and what a disk can do."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage import ObjectExists, StoreUnavailable
from storage.base import CHUNK
from storage.local import LocalStore
from tests.support.bodies import cut_off, drain, in_pieces_of, keys, pieces


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


async def test_a_stream_in_crumbs_is_written_and_read_in_large_pieces(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    body = os.urandom(2 * CHUNK + 5)
    assert await store.put("a", in_pieces_of(1000, body)) == len(body)
    assert [len(piece) async for piece in store.read_range("a")] == [CHUNK, CHUNK, 5]
    assert await store.read("a") == body


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
async def test_a_disk_that_fails_while_an_object_is_made_last_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    store = LocalStore(tmp_path)
    calls = 0

    def failing(real: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: object) -> None:
            nonlocal calls
            calls += 1
            if calls == number:
                raise OSError(code, "the disk fails")
            real(*arguments)

        return call

    # In this order: sync the file, the two new folders' names, link, sync the folder of the name.
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing(os.fsync))
        patched.setattr(os, "link", failing(os.link))
        with pytest.raises(StoreUnavailable, match=r"the disk (is full|fails)"):
            await store.put("a/b/c", pieces(b"x"))
    assert calls == number
    assert files_of(tmp_path) == []
    assert await store.put("a/b/c", pieces(b"y")) == 1
    assert await store.read("a/b/c") == b"y"


async def test_a_folder_somebody_else_made_is_synced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path)
    (tmp_path / "a").mkdir()  # by a process that had no time to sync it
    synced: list[str] = []
    real = os.open

    def noted(path: Path, *arguments: int) -> int:
        synced.append(Path(path).name)
        return real(path, *arguments)

    monkeypatch.setattr(os, "open", noted)
    await store.put("a/b", pieces(b"x"))
    await store.put("a/c", pieces(b"x"))
    assert synced == [tmp_path.name, "a", "a"]


async def test_a_file_system_without_hard_links_is_said_to_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", unknown)
    with pytest.raises(StoreUnavailable, match="no hard links"):
        await LocalStore(tmp_path).put("a", pieces(b"x"))
    assert files_of(tmp_path) == []


async def test_a_put_that_is_cancelled_anywhere_leaves_nothing_or_all(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for number in range(40):
        task = asyncio.create_task(store.put(f"k{number}", in_pieces_of(CHUNK, bytes(2 * CHUNK))))
        await asyncio.sleep(number * 0.0005)  # wherever it has got to by then
        task.cancel()
        await asyncio.wait([task])
        assert files_of(tmp_path) == ([] if task.cancelled() else [f"k{number}"])
        await store.delete(f"k{number}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ("-t", "tmpfs", "-o", "size=4m,nr_inodes=64", "tmpfs", str(folder))
    if mount is None or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("mounting is left to root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_disk_that_is_full_is_unavailable_until_there_is_room(small_disk: Path) -> None:
    store = LocalStore(small_disk)
    await store.put("a/first", in_pieces_of(CHUNK, bytes(3 * CHUNK)))
    for size in (2 * CHUNK, 64 * CHUNK):
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await store.put("a/second", in_pieces_of(1000, bytes(size)))
        assert files_of(small_disk) == ["a/first"]
    assert len(await store.read("a/first")) == 3 * CHUNK
    await store.delete("a/first")
    await store.put("a/second", in_pieces_of(1000, bytes(2 * CHUNK)))
    assert await drain(store.read_range("a/second", 2 * CHUNK - 1)) == bytes(1)


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

# A file may not grow beyond the limit, as on a full disk.
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


def test_a_file_that_may_not_grow_is_unavailable_and_leaves_no_part(tmp_path: Path) -> None:
    said = in_a_process(_FULL, tmp_path)
    assert [line.split()[0] for line in said] == ["refused", "refused", "put", "listed"]
    assert all("limit of this process" in line for line in said[:2])
    assert said[2:] == ["put 1000", "listed ['small'] []"]
