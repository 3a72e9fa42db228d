"""``tagphoto convert-film``: a film becomes another one; what cannot be is refused and leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result

from api.cli import commands
from tests.support.films import film


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "film.mkv"
    path.write_bytes(film(format="matroska", audio="pcm_s16le", seconds=2.0))
    return path


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(commands, ["convert-film", *map(str, args)])


def test_a_part_of_a_film_becomes_a_small_mp4(source: Path) -> None:
    ended = run(source, "--to", "mp4", "--shorter", "120", "--begin", "0.5", "--end", "1.5", "--json")
    assert ended.exit_code == 0, ended.output
    said = json.loads(ended.stdout)
    target = source.with_suffix(".mp4")
    assert (said["output"], said["bytes"]) == (str(target), target.stat().st_size)
    assert (said["width"], said["height"], said["duration_ms"]) == (160, 120, 1000)
    with av.open(str(target)) as made:
        assert (made.streams.video[0].codec_context.name, made.streams.audio[0].codec_context.name) == ("h264", "aac")
        assert made.streams.video[0].codec_context.width == 160
        assert abs((made.duration or 0) / av.time_base - 1.0) < 0.2


def test_its_sound_alone(source: Path, tmp_path: Path) -> None:
    ended = run(source, "--to", "m4a", "--output", tmp_path / "sound.m4a")
    assert ended.exit_code == 0, ended.output
    with av.open(str(tmp_path / "sound.m4a")) as made:
        assert [stream.type for stream in made.streams] == ["audio"]


def test_what_cannot_be_made_is_refused_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    assert "no vp9 in mp4" in run(source, "--to", "mp4", "--codec", "vp9").output
    late = run(source, "--to", "mp4", "--begin", "100")
    assert late.exit_code == 1
    assert "before the beginning that is wished for" in late.output
    (tmp_path / "no film.mp4").write_bytes(b"no film at all" * 100)
    broken = run(tmp_path / "no film.mp4", "--to", "webm")
    assert broken.exit_code == 1
    assert "no film.mp4" in broken.output
    missing = run(tmp_path / "nothing.mp4", "--to", "webm")
    assert missing.exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mkv", "no film.mp4"]


def test_nothing_is_written_over_unless_asked(source: Path) -> None:
    target = source.with_suffix(".mp4")
    target.write_bytes(b"mine")
    refused = run(source, "--to", "mp4", "--shorter", "64")
    assert refused.exit_code == 1
    assert "--force" in refused.output
    assert target.read_bytes() == b"mine"
    assert run(source, "--to", "mp4", "--shorter", "64", "--force").exit_code == 0
    assert target.stat().st_size > 100
