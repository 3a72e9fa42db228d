"""``tagphoto read`` and ``tagphoto train`` as people call them, pictures through the sandbox."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from api.cli import commands
from ml.numbers.sessions import WEIGHTS
from ml.training.promotion import Judged, Models
from tests.test_numbers_reading import scene


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands, [str(one) for one in arguments])


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    file = tmp_path / "plate.png"
    Image.fromarray(scene("AB 123 CD")).save(file)
    return file


def test_read_prints_a_document_a_picture_and_draws_on_it(plate: Path, tmp_path: Path) -> None:
    done = call("read", plate, "--json", "--annotate", tmp_path / "seen", "--kind", "plate", "--country", "fr")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["file"] == str(plate)
    [number] = document["numbers"]
    assert (number["text"], number["country"], len(number["characters"])) == ("AB123CD", "FR", 7)
    with Image.open(tmp_path / "seen" / "plate.png") as drawn, Image.open(plate) as before:
        assert drawn.size == before.size
        assert drawn.tobytes() != before.tobytes()


def test_read_goes_on_after_what_is_no_picture(plate: Path, tmp_path: Path) -> None:
    bad, empty = tmp_path / "bad.jpg", tmp_path / "empty.png"
    bad.write_bytes(b"not a picture")
    Image.new("RGB", (64, 64)).save(empty)
    done = call("read", bad, empty, plate, tmp_path / "missing.jpg")
    assert done.exit_code == 1
    assert f"{empty}: no number" in done.stdout
    assert "AB123CD" in done.stdout
    assert str(bad) in done.stderr
    assert "missing.jpg" in done.stderr


def test_read_refuses_a_country_nobody_knows(plate: Path) -> None:
    done = call("read", plate, "--country", "QQ")
    assert done.exit_code == 1
    assert "no grammar for QQ" in done.output


def test_evaluate_prints_the_figures_of_a_set(plate: Path, tmp_path: Path) -> None:
    with (tmp_path / "labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["file", "text", "x", "y", "w", "h"], [plate.name, "AB123CD", 215, 210, 210, 60]])
    done = call("train", "evaluate", "--data", tmp_path, "--json", "--report", tmp_path / "page")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures["images"] == 1
    assert figures["exact_folded"] == figures["recall"] == 1.0
    assert (tmp_path / "page" / "report.html").exists()
    assert call("train", "evaluate", "--data", tmp_path / "page").exit_code == 1


def test_labels_are_judged_and_prepared(plate: Path, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(f"file,text,x,y,w,h\n{plate.name},AB123CD,215,210,210,60\n")
    found = json.loads(call("train", "labels", file).stdout)
    assert (found["format"], found["numbers"], found["faults"]) == ("labels.csv", 1, [])
    done = call("train", "prepare", file, tmp_path / "mine", "--pictures", tmp_path, "--kind", "FR", "--held-out", "0")
    assert done.exit_code == 0, done.output
    assert "1 numbers to train on, 0 held out, of 1 events" in done.stdout
    assert list((tmp_path / "mine" / "training").glob("*.npz"))


def test_data_is_drawn(tmp_path: Path) -> None:
    assert call("train", "sheet", tmp_path / "sheet.png", "--rows", "1", "--columns", "2").exit_code == 0
    with Image.open(tmp_path / "sheet.png") as drawn:
        assert drawn.width == 2 * 138


def test_read_uses_what_was_promoted(plate: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(WEIGHTS, mine)
    record = json.loads((mine / "record.json").read_text())
    (mine / "record.json").write_text(json.dumps(record | {"version": "mine-1"}))
    models = tmp_path / "models"
    models.mkdir()
    before = json.loads(call("read", plate, "--json", "--models", models).output)
    Models(models).promote(mine, Judged(0.9, 10), Judged(0.8, 10))
    after = json.loads(call("read", plate, "--json", "--models", models).output)
    assert {one["model"] for one in before["numbers"]} == {record["version"]}
    assert {one["model"] for one in after["numbers"]} == {"mine-1"}


def test_what_is_not_better_is_not_promoted(plate: Path, tmp_path: Path) -> None:

    (tmp_path / "labels.csv").write_text(f"file,text,x,y,w,h\n{plate.name},AB123CD,215,210,210,60\n")
    done = call("train", "promote", WEIGHTS, "--data", tmp_path, "--models", tmp_path / "models")
    assert done.exit_code == 1
    assert "nothing was changed" in done.output
    assert "nothing was promoted" in call("train", "rollback", "--models", tmp_path / "models").output
