"""Making data and training: the same seed, the same pictures; a killed run goes on; only what is better is used."""

from __future__ import annotations

import gzip
import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from ml.numbers.alphabet import CHARACTERS
from ml.numbers.errors import LabelsInvalid, NumbersError
from ml.numbers.geometry import box
from ml.numbers.reading import Kind, Reading
from ml.numbers.sessions import WEIGHTS
from ml.training import mnist
from ml.training.config import Training
from ml.training.evaluation import Evaluation, calibration_error, distance, judge
from ml.training.generate.glyphs import FAMILIES, glyph
from ml.training.generate.sample import LONGEST, sample
from ml.training.generate.shards import generate, load
from ml.training.generate.sheet import sheet
from ml.training.kinds import KINDS
from ml.training.promotion import Judged, Models, NotBetter
from ml.training.report import calibration, mistaken, write
from ml.training.sets import Label, Labelled, read_set

# Data that is drawn


def test_a_seed_decides_a_sample() -> None:
    first, again, other = sample(7, 3), sample(7, 3), sample(8, 3)
    assert np.array_equal(first.picture, again.picture)
    assert (first.text, first.kind, first.rows) == (again.text, again.kind, again.rows)
    assert not np.array_equal(first.picture, other.picture)


def test_samples_are_of_all_kinds_and_can_be_labelled() -> None:
    made = [sample(1, number) for number in range(150)]
    assert {"bib", "none"} < {one.kind for one in made} <= set(KINDS)
    assert {one.rows for one in made} == {1, 2}
    assert all(len(one.text) <= LONGEST and set(one.text) <= set(CHARACTERS) for one in made)
    assert all(one.text for one in made if one.kind != "none")
    assert all(one.picture.std() > 0 for one in made)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_character_of_our_glyphs_is_drawn_unlike_the_others(family: str) -> None:
    drawn = {}
    for character in CHARACTERS:
        mask = glyph(character, FAMILIES[family], 40)
        assert mask.shape[0] == 40
        assert (mask > 127).mean() > 0.05
        drawn[mask.tobytes()] = character
    # In many standards the letter O is the digit 0.
    assert len(drawn) >= len(CHARACTERS) - 1


def test_a_shard_is_made_once_and_anew_if_it_is_missing(tmp_path: Path) -> None:
    [file] = generate(tmp_path, 5, 1, 12)
    first = load(file)
    before = file.stat().st_mtime_ns
    assert list(generate(tmp_path, 5, 1, 12)) == [file]
    assert file.stat().st_mtime_ns == before
    file.unlink()
    [file] = generate(tmp_path, 5, 1, 12)
    again = load(file)
    assert np.array_equal(first.pictures, again.pictures)
    assert first.texts == again.texts


def test_a_contact_sheet_shows_what_was_asked_for() -> None:
    assert sheet(1, 2, 3).shape[0] == 2 * 68
    assert sheet(1, 1, 2, flat=True).shape[2] == 3


def idx(file: Path, magic: int, content: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    file.write_bytes(gzip.compress(struct.pack(f">I{content.ndim}I", magic, *content.shape) + content.tobytes()))


def test_digits_of_mnist_become_lines(tmp_path: Path) -> None:
    pictures = np.random.default_rng(1).integers(0, 255, (10, 28, 28)).astype(np.uint8)
    idx(tmp_path / "train-images-idx3-ubyte.gz", 0x803, pictures)
    idx(tmp_path / "train-labels-idx1-ubyte.gz", 0x801, np.arange(10, dtype=np.uint8))
    shard = mnist.lines(*mnist.read(tmp_path), 5, 1)
    assert shard.pictures.shape[0] == len(shard.texts) == 5
    assert all(text.isdigit() for text in shard.texts)
    idx(tmp_path / "train-labels-idx1-ubyte.gz", 0x803, pictures)
    with pytest.raises(LabelsInvalid, match="no file of MNIST"):
        mnist.read(tmp_path)


# Training

SMALL = Training(steps=6, batch=8, save_every=2, judge_every=6, channels=(4, 6, 8), line=8)


def shards_of(folder: Path) -> list[Path]:
    return list(generate(folder, 2, 1, 24))


def test_a_training_that_was_killed_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from ml.training import loop
    from ml.training.batches import Shards
    from ml.training.judge import judged

    files = shards_of(tmp_path / "data")

    def train(kill_at: int | None) -> int:
        shards = Shards((tmp_path / "data",), list(KINDS), SMALL.batch, SMALL.seed)
        state = loop.begin(SMALL, list(KINDS), tmp_path / "run")
        begun = state.step

        def tick() -> None:
            if state.step == kill_at:
                raise KeyboardInterrupt

        loop.run(SMALL, shards, state, tmp_path / "run", judge=lambda model: judged(model, shards, files), tick=tick)
        return begun

    with pytest.raises(KeyboardInterrupt):
        train(5)
    assert train(None) == 4
    journal = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in journal if "loss" in entry] == [2, 4, 6]
    assert 0 <= journal[-1]["exact"] <= 1
    assert train(None) == 6


def test_training_learns_what_it_is_shown(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from ml.training import loop
    from ml.training.batches import Shards

    shards_of(tmp_path / "data")
    training = Training(steps=40, batch=8, rate=4e-3, channels=(8, 12, 16), line=24)
    shards = iter(Shards((tmp_path / "data",), list(KINDS), 8, 1))
    state = loop.begin(training, list(KINDS), tmp_path / "run")
    losses = [loop.step(state.model, state.optimizer, next(shards), "float32") for _ in range(training.steps)]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_what_is_exported_reads_as_what_was_trained(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from ml.numbers.readers import OwnReader
    from ml.training import loop
    from ml.training.export import export

    state = loop.begin(SMALL, list(KINDS), tmp_path / "run")
    loop.save(state, tmp_path / "run")
    record = export(SMALL, tmp_path / "run", tmp_path / "out", {"temperature": 1.0})
    assert record["training"]["steps_done"] == 0
    crop = np.random.default_rng(1).integers(0, 255, (48, 128, 3)).astype(np.uint8)
    grey = np.repeat(crop[..., :1], 3, axis=2)
    [seen] = OwnReader(tmp_path / "out").read([grey])
    with torch.no_grad():
        state.model.eval()
        characters, _, _ = state.model(torch.from_numpy(grey[None, None, :, :, 0].astype(np.float32)))
    assert np.allclose(seen.frames, characters[0, 0].log_softmax(1).numpy(), atol=1e-3)


def test_a_configuration_names_what_it_does_not_know(tmp_path: Path) -> None:
    file = tmp_path / "training.toml"
    file.write_text("steps = 5\nchannels = [4, 6, 8]\n")
    assert Training.read(file) == Training(steps=5, channels=(4, 6, 8))
    file.write_text("epochs = 5\n")
    with pytest.raises(LabelsInvalid, match="epochs"):
        Training.read(file)


# Judging


def reading(text: str, confidence: float = 0.9, x: float = 0, *, accepted: bool = False) -> Reading:
    corners = box(x, 0, 60, 20)
    return Reading(Kind.BIB, text, corners, 1, 0.9, confidence, accepted, (), (), {}, "m")


def test_figures_of_an_evaluation() -> None:
    result = Evaluation()
    labelled = Labelled(Path("set/images/a.jpg"), (Label("1478", box(0, 0, 60, 20)), Label("O5", box(200, 0, 60, 20))))
    found = [reading("1478", accepted=True), reading("05", x=200), reading("99", x=500)]
    judge(result, labelled, np.zeros((10, 10, 3), np.uint8), lambda _: found)
    figures = result.document()
    assert list(figures) == [
        "images", "exact", "exact_folded", "ser", "cer", "recall", "precision",
        "seconds_per_image", "calibration_error", "auto_accepted", "auto_accepted_right",
    ]  # fmt: skip
    assert figures["exact"] == 0.5
    assert figures["exact_folded"] == figures["recall"] == 1.0
    assert figures["precision"] == pytest.approx(2 / 3, abs=1e-3)
    assert figures["cer"] == pytest.approx(1 / 6, abs=1e-3)
    assert (figures["auto_accepted"], figures["auto_accepted_right"]) == (pytest.approx(1 / 3, abs=1e-3), 1.0)


def test_calibration_and_distance() -> None:
    assert calibration_error([(0.95, True)] * 19 + [(0.95, False)]) == pytest.approx(0, abs=1e-9)
    assert calibration_error([(0.9, False)]) == pytest.approx(0.9)
    assert [distance("1478", other) for other in ("1478", "147", "1748", "")] == [0, 1, 2, 4]


def test_a_report_names_what_is_mistaken(tmp_path: Path) -> None:
    result = Evaluation()
    labelled = Labelled(tmp_path / "images" / "<a>.jpg", (Label("1478", box(0, 0, 60, 20)),))
    judge(result, labelled, np.zeros((10, 10, 3), np.uint8), lambda _: [reading("1473")])
    assert mistaken(result.cases) == {"8>3": 1}
    assert calibration(result) == [{"told": 0.9, "right": 0.0, "count": 1}]
    write(result, tmp_path / "page", lambda name: tmp_path / "images" / name)
    page = (tmp_path / "page" / "report.html").read_text()
    assert "&lt;a&gt;.jpg" in page
    assert "<a>" not in page


@pytest.mark.parametrize(
    ("content", "said"),
    [("a,b\n", "no column file"), ("file,text,x,y,w,h\na,1,x,2,3,4\n", "row 2"), (None, "is no set")],
)
def test_a_set_that_is_none_says_why(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(LabelsInvalid, match=said):
        read_set(tmp_path)


# Use


def test_only_what_is_better_is_used_and_it_can_be_undone(tmp_path: Path) -> None:
    candidate, models = tmp_path / "candidate", Models(tmp_path / "models")
    shutil.copytree(WEIGHTS, candidate)
    assert models.current() == WEIGHTS
    with pytest.raises(NotBetter, match="nothing was changed"):
        models.promote(candidate, Judged(0.8, 50), Judged(0.8, 50))
    with pytest.raises(NotBetter):
        models.promote(candidate, Judged(1.0, 0), Judged(0.0, 0))
    assert models.current() == WEIGHTS
    used = models.promote(candidate, Judged(0.9, 50), Judged(0.8, 50))
    assert models.current() == used
    assert (used / "model.onnx").read_bytes() == (WEIGHTS / "model.onnx").read_bytes()
    assert models.roll_back() == WEIGHTS
    with pytest.raises(NumbersError, match="nothing was promoted"):
        models.roll_back()
