"""``tagphoto convert``: files become files, and what fails leaves nothing behind."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.support.photos import saved, scene
from tests.support.pictures import jpeg


def tagphoto(*words: str | Path, folder: Path, most_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.run(
        [sys.executable, "-m", "api", "convert", *map(str, words)],
        cwd=folder, capture_output=True, text=True, check=False, preexec_fn=limit,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


def opened(file: Path) -> tuple[int, int]:
    return Image.open(io.BytesIO(file.read_bytes())).convert("RGB").size


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "one.jpg", tmp_path / "two.jpg"]
    for file in files:
        file.write_bytes(jpeg(scene(400, 300)))
    return files


def test_each_picture_gets_its_conversion_beside_it(photos: list[Path], tmp_path: Path) -> None:
    done = tagphoto(*photos, "--to", "webp", "--width", "200", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    for file, said in zip(photos, told, strict=True):
        made = file.with_suffix(".webp")
        assert (said["file"], said["output"], said["width"]) == (str(file), str(made), 200)
        assert said["bytes"] == made.stat().st_size
        assert opened(made) == (200, 150)


def test_all_pictures_become_one_book(photos: list[Path], tmp_path: Path) -> None:
    done = tagphoto(*photos, "--to", "pdf", "--output", "book.pdf", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 pages" in done.stdout
    assert (tmp_path / "book.pdf").read_bytes().startswith(b"%PDF")


def test_what_is_there_is_written_over_only_by_force(photos: list[Path], tmp_path: Path) -> None:
    (tmp_path / "one.webp").write_bytes(b"mine")
    done = tagphoto(photos[0], "--to", "webp", folder=tmp_path)
    assert done.returncode == 1
    assert "--force" in done.stderr
    assert (tmp_path / "one.webp").read_bytes() == b"mine"
    assert tagphoto(photos[0], "--to", "webp", "--force", folder=tmp_path).returncode == 0
    assert opened(tmp_path / "one.webp") == (400, 300)
    itself = tagphoto(photos[0], "--to", "jpeg", "--force", folder=tmp_path)
    assert itself.returncode == 1
    assert "written over itself" in itself.stderr


def test_what_is_no_picture_is_told_and_the_others_are_made(photos: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_bytes(b"no picture")
    done = tagphoto(tmp_path / "text.jpg", tmp_path / "none.jpg", *photos, "--to", "png", folder=tmp_path)
    assert done.returncode == 1
    assert [line.split(": ")[0].rsplit("/", 1)[1] for line in done.stderr.splitlines()] == ["text.jpg", "none.jpg"]
    assert {file.name for file in tmp_path.iterdir()} == {"one.jpg", "two.jpg", "text.jpg", "one.png", "two.png"}


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "large.bmp").write_bytes(saved(scene(1200, 900), "BMP"))
    done = tagphoto("large.bmp", "--to", "png", folder=tmp_path, most_bytes=100_000)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["large.bmp: File too large"]
    assert [file.name for file in tmp_path.iterdir()] == ["large.bmp"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "webp", "--quality", "400"), "between 1 and 100"),
        (("--to", "png", "--score", "80"), "A score can be reached with"),
        (("--to", "webp", "--output", "nowhere"), "is no folder"),
        (("--to", "exe"), "is not one of"),
    ],
)
def test_what_means_nothing_is_refused(photos: list[Path], tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = tagphoto(*photos, *words, folder=tmp_path)
    assert done.returncode != 0
    assert said in done.stderr
    assert {file.name for file in tmp_path.iterdir()} == {"one.jpg", "two.jpg"}


def test_a_pipe_of_formats_ends_where_it_began(photos: list[Path], tmp_path: Path) -> None:
    before = opened(photos[0])
    file = photos[0]
    for number, to in enumerate(("heic", "jxl", "avif", "tiff", "png")):
        target = tmp_path / f"{number}.{to}"
        done = tagphoto(file, "--to", to, "--quality", "95", "--output", target, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        file = target
    assert opened(file) == before
