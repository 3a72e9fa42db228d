"""``tagphoto duplicates`` and ``quality`` on folders: what they say, and that they change nothing unless told to."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from api.cli.duplicates import duplicates
from api.cli.folder import looker
from api.cli.quality import quality
from archive.media.looked import BLOB, looked
from archive.media.sandbox import Gathered, Sandbox
from archive.media.seeing import see
from archive.media.source import memory_source
from archive.media.verdict import Verdict
from ml.duplicates.compare import Kind, Reason, compare
from ml.duplicates.look import Look
from tests.support.degrading import BLURRED
from tests.support.films import film
from tests.support.pictures import jpeg
from tests.support.scenery import EDITS, burst, landscape, page, saved

GIF = {"save_all": True, "append_images": [landscape(11, 160, 120), landscape(12, 160, 120)]}


class Interrupted(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Place:
    folder: Path
    cache: Path

    def run(self, command: Any, *options: str) -> Result:
        return CliRunner().invoke(command, [str(self.folder), "--cache", str(self.cache), *options])

    def document(self, command: Any = duplicates, *options: str, code: int = 0) -> dict[str, Any]:
        result = self.run(command, "--json", *options)
        assert result.exit_code == code, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())

    def groups(self) -> list[tuple[str, list[str], str]]:
        """Kinds, names and who is kept."""
        return [
            (one["kind"], sorted(Path(file["path"]).name for file in one["files"]), Path(one["keep"]).name)
            for one in self.document()["groups"]
        ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A folder with a bit of everything, and the cache of having looked at it."""
    place = Place(tmp_path_factory.mktemp("photos") / "in", tmp_path_factory.mktemp("cache") / "looks")
    (place.folder / "deep").mkdir(parents=True)
    photo = landscape(1)
    chance = random.Random(1)
    files = {
        "photo.jpg": saved(photo, quality=92),
        "deep/copy.jpg": saved(photo, quality=92),
        "half.webp": saved(EDITS["half the size, WebP"](photo, chance), "WEBP"),
        "crop.png": saved(EDITS["cropped by 25 %"](photo, chance), "PNG"),
        "other.jpg": saved(landscape(2)),
        "soft.jpg": saved(BLURRED["blurred"](landscape(3))),
        "page.png": saved(page(1, (620, 877), 14), "PNG"),
        "page changed.png": saved(page(1, (620, 877), 14, word=20), "PNG"),
        "moving.gif": saved(landscape(10, 160, 120), "GIF", **GIF),
        "still.gif": saved(landscape(10, 160, 120), "GIF"),
        "broken.jpg": saved(photo)[:400],
        "also broken.jpg": saved(photo)[:400],
        "notes.txt": b"no picture",
        "film.mp4": film(seconds=3),
        "film again.mkv": film(format="matroska", seconds=3, options={"preset": "ultrafast", "crf": "38"}),
        "blink.mp4": film(seconds=0.6, picture=lambda width, height, _: landscape_pixels(width, height)),
        "one pixel.png": saved(Image.new("RGB", (1, 1), "red"), "PNG"),
        "empty": b"",
    }
    for name, content in files.items():
        (place.folder / name).write_bytes(content)
    place.document()
    return place


def landscape_pixels(width: int, height: int) -> Any:
    return np.asarray(landscape(8, width, height))


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    """The same for a test that changes something."""
    folder, cache = tmp_path / "in", tmp_path / "looks"
    shutil.copytree(made.folder, folder)
    # Looked at already, under the names they had.
    shutil.copy(made.cache, cache)
    with closing(sqlite3.connect(cache)) as database, database:
        database.execute("UPDATE seen SET path = replace(path, ?, ?)", (str(made.folder), str(folder)))
    return Place(folder, cache)


def test_groups_of_a_folder(made: Place) -> None:
    assert made.groups() == [
        ("identical", ["also broken.jpg", "broken.jpg"], "also broken.jpg"),
        ("same", ["copy.jpg", "crop.png", "half.webp", "photo.jpg"], "photo.jpg"),
        ("same", ["film again.mkv", "film.mp4"], "film.mp4"),
        ("similar", ["moving.gif", "still.gif"], "moving.gif"),
        ("similar", ["page changed.png", "page.png"], "page changed.png"),
    ]


def test_each_group_says_why(made: Place) -> None:
    links = {
        (Path(link["first"]).name, Path(link["second"]).name): link
        for one in made.document()["groups"]
        for link in one["links"]
    }
    reasons = {names: link["reason"] for names, link in links.items()}
    assert reasons["photo.jpg", "copy.jpg"] == Reason.BYTES
    assert reasons["page changed.png", "page.png"] == Reason.WRITING
    assert reasons["moving.gif", "still.gif"] == Reason.ANIMATION
    crop = next(link for names, link in links.items() if "crop.png" in names)
    assert crop["reason"] == Reason.PART
    assert {"correlation", "alike", "first_shown", "second_shown", "distance"} <= crop.keys()


def test_what_cannot_be_read_is_said_and_nothing_ends_for_it(made: Place) -> None:
    unread = {Path(one["path"]).name: one["why"] for one in made.document()["unread"]}
    assert unread.keys() == {"broken.jpg", "also broken.jpg", "notes.txt"}
    assert unread["broken.jpg"].startswith("corrupt: ")
    assert unread["notes.txt"].startswith("unsupported: ")


def test_the_table_names_files_and_marks_the_keeper(made: Place) -> None:
    before = made.names()
    result = made.run(duplicates)
    assert result.exit_code == 0
    assert "same picture (bytes, part, pixels); keep: " in result.stdout
    starred = [line for line in result.stdout.splitlines() if line.startswith("  * ")]
    assert len(starred) == 5
    assert made.names() == before
    assert "similar" not in made.run(duplicates, "--no-similar").stdout


def test_a_second_run_looks_at_nothing(made: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("looked at again")

    monkeypatch.setattr(looker, "_look", never)
    assert len(made.document()["groups"]) == 5


def test_an_interrupted_run_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.cache.unlink()
    look = looker._look
    seen: set[Path] = set()

    async def some(sandbox: Sandbox, file: Any) -> Any:
        if len(seen) >= 5:
            raise Interrupted
        found = await look(sandbox, file)
        seen.add(file.path)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(looker, "_look", some)
        assert isinstance(place.run(duplicates).exception, ExceptionGroup)
    assert len(seen) >= 5

    async def rest(sandbox: Sandbox, file: Any) -> Any:
        assert file.path not in seen, "what was looked at is known"
        return await look(sandbox, file)

    monkeypatch.setattr(looker, "_look", rest)
    assert len(place.groups()) == 5


def test_hard_links_join_only_equal_bytes(place: Place) -> None:
    assert place.document(duplicates, "--hard-link", "--same")["failed"] == []
    one, other = place.folder / "photo.jpg", place.folder / "deep/copy.jpg"
    assert one.stat().st_ino == other.stat().st_ino
    assert one.read_bytes() == saved(landscape(1), quality=92)
    assert (place.folder / "half.webp").stat().st_nlink == 1
    assert ("same", ["crop.png", "half.webp", "photo.jpg"], "photo.jpg") in place.groups(), "one file now"


def test_moving_takes_what_is_not_kept(place: Place, tmp_path: Path) -> None:
    before, to = place.names(), tmp_path / "out"
    (to / "deep").mkdir(parents=True)
    (to / "deep/copy.jpg").write_bytes(b"already there")
    place.document(duplicates, "--move", str(to))
    moved = sorted(set(before) - set(place.names()))
    assert moved == ["broken.jpg", "deep/copy.jpg"]
    assert (to / "deep/copy.jpg").read_bytes() == b"already there"
    assert (to / "deep/copy-1.jpg").read_bytes() == saved(landscape(1), quality=92)


def test_deleting_needs_the_word_and_leaves_the_similar(place: Place) -> None:
    before = place.names()
    place.document()
    assert place.names() == before
    place.document(duplicates, "--delete")
    assert sorted(set(before) - set(place.names())) == ["broken.jpg", "deep/copy.jpg"]
    place.document(duplicates, "--delete", "--same")
    gone = {"broken.jpg", "deep/copy.jpg", "crop.png", "half.webp", "film again.mkv"}
    assert set(before) - set(place.names()) == gone


def test_a_file_that_changes_meanwhile_is_left_alone(place: Place) -> None:
    place.document()
    victim = place.folder / "deep/copy.jpg"
    stat = victim.stat()
    victim.write_bytes(b"x" * stat.st_size)  # as large, and with the time it had
    os.utime(victim, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    found = place.document(duplicates, "--delete", code=1)
    assert [line for line in found["failed"] if "copy.jpg: has changed" in line]
    assert victim.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--delete", "--hard-link"], "Choose one"),
        (["--move", "{folder}/below"], "leads into the folder"),
    ],
)
def test_wishes_that_contradict_are_refused(made: Place, options: list[str], says: str) -> None:
    result = made.run(duplicates, *(option.format(folder=made.folder) for option in options))
    assert result.exit_code == 2
    assert says in result.output


def test_a_folder_that_is_none_and_a_cache_that_is_none(made: Place, tmp_path: Path) -> None:
    result = CliRunner().invoke(duplicates, [str(tmp_path / "nowhere")])
    assert result.exit_code == 1
    assert "is no folder" in result.output
    (tmp_path / "text").write_text("no database, but long enough to look like one" * 50)
    result = CliRunner().invoke(duplicates, [str(made.folder), "--cache", str(tmp_path / "text")])
    assert result.exit_code == 1
    assert "no cache of looks" in result.output


def test_quality_of_a_folder(made: Place) -> None:
    pictures = {Path(one["path"]).name: one for one in made.document(quality)["pictures"]}
    verdicts = {name: one["verdicts"] for name, one in pictures.items()}
    assert verdicts["soft.jpg"] == ["maybe_blurred"]
    assert verdicts["other.jpg"] == []
    assert verdicts["page.png"] in (["document"], ["screenshot"])
    assert verdicts["blink.mp4"] == ["short_film"]
    assert verdicts["one pixel.png"] == ["empty", "tiny"]
    assert pictures["soft.jpg"]["percentile"] < 0.2 < pictures["other.jpg"]["percentile"]
    order = [Path(one["path"]).name for one in made.document(quality, "--best")["pictures"]]
    assert order.index("other.jpg") < order.index("soft.jpg")
    assert "maybe_blurred" in made.run(quality).stdout


def test_quality_moves_only_what_has_the_verdict(place: Place, tmp_path: Path) -> None:
    assert place.run(quality, "--delete").exit_code == 2, "without a verdict it would be everything"
    assert place.run(quality, "--verdict", "ugly").exit_code == 2
    before = place.names()
    place.document(quality, "--verdict", "maybe-blurred", "--move", str(tmp_path / "out"))
    assert set(before) - set(place.names()) == {"soft.jpg"}


def test_the_best_of_a_burst_has_a_plus(tmp_path: Path) -> None:
    place = Place(tmp_path / "in", tmp_path / "looks")
    place.folder.mkdir()
    for number, shot in enumerate(burst(4, size=(640, 480))):
        shown = shot if number == 2 else BLURRED["moved by 9 pixels"](shot)
        taken = jpeg(shown, taken="2026:05:01 10:00:00", subsecond=str(number * 2), model="Camera")
        (place.folder / f"{number}.jpg").write_bytes(taken)
    best = [Path(one["path"]).name for one in place.document(quality)["pictures"] if one["best_of_burst"]]
    assert best == ["2.jpg"]
    assert [kind for kind, *_ in place.groups()] == ["similar"]


# The task


async def look_in_child(content: bytes) -> tuple[Verdict, Look | None]:
    blobs = Gathered()
    async with Sandbox() as sandbox:
        with await memory_source(content) as source:
            result = await sandbox.run("look", {}, source, blobs=blobs)
    if result.value is None:
        return result.verdict, None
    return result.verdict, looked(result.value, blobs.blobs).look


async def test_a_child_sees_what_is_seen_here() -> None:
    verdict, seen = await look_in_child(saved(landscape(1), "PNG"))
    here = see(landscape(1))[0]
    assert verdict is Verdict.OK
    assert seen
    assert (seen.hashes, seen.large) == (here.hashes, here.large)
    assert (found := compare(seen, here))
    assert (found.kind, found.correlation) == (Kind.SAME, 1.0)


async def test_the_orientation_is_applied_first() -> None:
    _, upright = await look_in_child(saved(landscape(1), quality=95))
    turned = landscape(1).transpose(Image.Transpose.ROTATE_90)
    _, tagged = await look_in_child(jpeg(turned, orientation=6))
    assert upright
    assert tagged
    assert (tagged.width, tagged.height) == (640, 480)
    assert (found := compare(upright, tagged))
    assert (found.kind, found.orientation) == (Kind.SAME, 0)


@pytest.mark.parametrize(
    ("content", "verdict"),
    [(b"nothing", Verdict.UNSUPPORTED), (saved(landscape(1))[:300], Verdict.CORRUPT), (film()[:2000], Verdict.CORRUPT)],
)
async def test_bad_files_end_in_verdicts(content: bytes, verdict: Verdict) -> None:
    assert await look_in_child(content) == (verdict, None)


@pytest.mark.parametrize(
    "blobs",
    [{}, {BLOB: b""}, {BLOB: b"\1" * 500}, {BLOB: b"\1\0\0\x08" + b"\0" * 200}],
    ids=["none", "empty", "full", "zero"],
)
def test_a_child_is_not_believed(blobs: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="look"):
        looked({"scores": None}, blobs)
