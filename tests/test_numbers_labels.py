"""Labels that people made: five tools' files, their faults, and data prepared of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.numbers.errors import LabelsInvalid
from ml.training.generate.shards import load
from ml.training.labels import Annotation, read_labels
from ml.training.labels.prepare import Plan, event_of, prepare
from ml.training.labels.quality import faults, items, report
from ml.training.sets import read_set


def told(source: Path) -> tuple[str, list[tuple[str, str, tuple[float, ...] | None]]]:
    name, annotations = read_labels(source)
    return name, [(one.file, one.text, one.box) for one in annotations]


def test_mechanical_turk(tmp_path: Path) -> None:
    boxes = json.dumps([{"label": "1478", "left": 10, "top": 20, "width": 40, "height": 15}]).replace('"', '""')
    file = tmp_path / "batch.csv"
    file.write_text(
        "HITId,WorkerId,AssignmentStatus,Input.image_url,Answer.annotatedResult.boundingBoxes,Answer.text\n"
        f'h1,w1,Approved,https://x.test/a/run_01.jpg?sig=1,"{boxes}",\n'
        "h1,w2,Rejected,https://x.test/a/run_01.jpg,,9999\n"
        "h1,w3,Submitted,https://x.test/a/run_01.jpg,,1478\n"
    )
    assert told(file) == (
        "Mechanical Turk",
        [("run_01.jpg", "1478", (10, 20, 40, 15)), ("run_01.jpg", "1478", None)],
    )


def test_voc_whose_digits_are_objects(tmp_path: Path) -> None:
    def thing(name: str, x: int, width: int) -> str:
        return (
            f"<object><name>{name}</name><bndbox><xmin>{x}</xmin><ymin>10</ymin><xmax>{x + width}</xmax>"
            "<ymax>40</ymax></bndbox></object>"
        )

    (tmp_path / "a.xml").write_text(
        f"<annotation><filename>a.jpg</filename>{thing('bib', 0, 100)}{thing('7', 60, 15)}{thing('4', 20, 15)}"
        "</annotation>"
    )
    assert told(tmp_path) == ("Pascal VOC", [("a.jpg", "47", (0, 10, 100, 30))])


def test_voc_with_entities_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>')
    with pytest.raises(LabelsInvalid, match="entities"):
        read_labels(tmp_path)


def test_yolo_whose_classes_are_digits(tmp_path: Path) -> None:
    Image.new("RGB", (200, 100)).save(tmp_path / "a.png")
    (tmp_path / "classes.txt").write_text("\n".join("0123456789"))
    (tmp_path / "a.txt").write_text("4 0.2 0.5 0.1 0.2\n7 0.3 0.5 0.1 0.2\n1 0.9 0.5 0.1 0.2\n")
    name, found = told(tmp_path)
    assert name == "YOLO"
    assert [(file, text) for file, text, _ in found] == [("a.png", "47"), ("a.png", "1")]
    assert found[0][2] == pytest.approx((30, 40, 40, 20))


def test_coco(tmp_path: Path) -> None:
    document = {
        "images": [{"id": 7, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "plate"}],
        "annotations": [{"image_id": 7, "category_id": 1, "bbox": [1, 2, 30, 10], "attributes": {"text": "AB 12"}}],
    }
    (tmp_path / "c.json").write_text(json.dumps(document))
    assert told(tmp_path / "c.json") == ("COCO", [("a.jpg", "AB 12", (1, 2, 30, 10))])


def test_label_studio(tmp_path: Path) -> None:
    def result(kind: str, value: dict[str, object]) -> dict[str, object]:
        box = {"x": 10, "y": 20, "width": 50, "height": 10}
        return {"id": "r", "type": kind, "original_width": 200, "original_height": 100, "value": {**box, **value}}

    tasks = [
        {
            "data": {"ocr": "/data/local-files/?d=photos/a.jpg"},
            "annotations": [
                {"completed_by": 3, "result": [result("rectangle", {}), result("textarea", {"text": ["1478"]})]}
            ],
        }
    ]
    (tmp_path / "l.json").write_text(json.dumps(tasks))
    assert told(tmp_path / "l.json") == ("Label Studio", [("a.jpg", "1478", (20, 20, 100, 10))])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"one,two\n1,2\n", "no known format"),
        ("a.csv", b"file,text,x,y,w,h\na.jpg,1,1,2,three,4\n", "row 2"),
        ("a.csv", b"file,text\n\xff\xfe,1\n", "not UTF-8"),
        ("a.json", b"[1, 2", "line 1"),
        ("a.json", b'{"a": 1}', "neither COCO"),
        ("a.json", b"[1]", "task 1"),
        ("a.json", b'{"images": [], "annotations": [{"image_id": 1, "bbox": [1]}]}', "annotation 1"),
        ("a.xml", b"<annotation>", "a.xml"),
        ("a.xml", b"<annotation><object><name>1</name></object></annotation>", "object 1"),
        ("a.csv", b"Input.image_url,Answer.x\nnothing,1\n", "row 2"),
        ("a.csv", b"Input.image_url,Answer.x\na.jpg,[1\n", "row 2"),
    ],
)
def test_what_cannot_be_understood_names_its_place(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabelsInvalid, match=said):
        read_labels(tmp_path / name)


def said_by(worker: str, text: str, file: str = "a.jpg", x: float = 0) -> Annotation:
    return Annotation(file, text, (x, 10, 60, 20), worker, f"row of {worker}")


def test_workers_settle_by_majority_and_who_differs_stands_out() -> None:
    annotations = [said_by(worker, text) for worker, text in (("w1", "14-78"), ("w2", "1478"), ("w3", "1473"))]
    [item] = items(annotations)
    assert item.settled == "1478"
    found = report(annotations)
    assert found["agreement"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["workers"] == {"w3": {"judged": 1, "right": 0.0}}
    assert found["settled"] == 1


def test_boxes_apart_are_numbers_of_their_own() -> None:
    assert len(items([said_by("w1", "1"), said_by("w2", "2", x=200)])) == 2


def test_two_who_differ_settle_nothing() -> None:
    found = report([said_by("w1", "1478"), said_by("w2", "1473")])
    assert found["settled"] == 0
    assert found["unsettled"] == [{"file": "a.jpg", "said": {"1478": 1, "1473": 1}}]


def test_faults_are_found_where_they_stand() -> None:
    good = [Annotation(f"{n}.jpg", "1478", (0, 0, 60, 20)) for n in range(6)]
    bad = [
        Annotation("x.jpg", "?", (0, 0, 60, 20), "", "row 7"),
        Annotation("x.jpg", "12", (0, 0, 0, 20), "", "row 8"),
        Annotation("x.jpg", "12", (0, 0, 900, 300), "", "row 9"),
        Annotation("x.jpg", "123456", (0, 0, 10, 20), "", "row 10"),
        Annotation("0.jpg", "1478", (0, 0, 60, 20), "", "row 11"),
    ]
    found = faults([*good, *bad])
    assert [one["place"] for one in found] == [one.place for one in bad]
    assert len({one["fault"] for one in found}) == 5


def picture(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((100, 160, 3), sum(map(ord, name)) % 200, np.uint8)


def test_prepared_data_keeps_events_apart_and_can_be_read_again(tmp_path: Path) -> None:
    annotations = [
        Annotation(f"{event}/{n}.png", str(100 + n), (10, 20, 60, 20))
        for event in ("berlin", "paris", "oslo")
        for n in range(4)
    ]
    done = prepare(annotations, picture, tmp_path, Plan(held_out=0.4, seed=3))
    assert (done.events, done.training + done.held_out, done.left_out) == (3, 12, 0)
    assert done.training
    assert done.held_out
    sides = json.loads((tmp_path / "prepared.json").read_text())["events"]
    held = read_set(tmp_path / "held-out")
    assert {one.file.name.split("_")[0] for one in held} == {
        event for event, side in sides.items() if side == "held-out"
    }
    assert all(one.file.exists() and one.labels[0].corners is not None for one in held)
    shard = load(tmp_path / "training" / "own-00000.npz")
    assert len(shard.texts) == done.training * 6
    assert set(shard.kinds) == {"bib"}


def test_doubtful_labels_are_left_out(tmp_path: Path) -> None:
    annotations = [said_by("w1", "1", "e1/a.png"), said_by("w1", "2", "e2/b.png"), said_by("w2", "3", "e2/b.png")]
    done = prepare(annotations, picture, tmp_path)
    assert done.left_out == 1
    with pytest.raises(LabelsInvalid, match="no label"):
        prepare(annotations[1:], picture, tmp_path)


@pytest.mark.parametrize(
    ("file", "event"),
    [("berlin/a1.jpg", "berlin"), ("images/run_0012.jpg", "run"), ("oslo-1.jpg", "oslo"), ("0001.jpg", "0001")],
)
def test_events_are_folders_or_what_names_begin_with(file: str, event: str) -> None:
    assert event_of(file) == event
