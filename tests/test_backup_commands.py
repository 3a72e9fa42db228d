"""``tagphoto backup`` and ``tagphoto restore`` as their operator meets them."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import NewService
from tests.support.service import Service, answer, refusal, tagphoto

PASSWORD = "correct horse battery"
CONTENT = random.Random(3).randbytes(300_000)


def uploaded(service: Service, content: bytes) -> dict[str, Any]:
    """Make an account and upload a photo through HTTP; gives the key and the asset's id."""
    account = answer(
        service.data,
        *("account", "create", "--admin", "anna@example.org", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )
    key = answer(service.data, "apikey", "create", "anna@example.org", "--scopes", "read,upload,write,admin")["key"]
    headers = {"Authorization": f"Bearer {key}", "Tus-Resumable": "1.0.0", "Upload-Length": str(len(content))}
    headers |= {"Upload-Metadata": "filename cGhvdG8uanBn", "Content-Type": "application/offset+octet-stream"}
    made = httpx.post(f"{service.said('ready')}/api/v1/uploads", headers=headers, content=content, timeout=30)
    assert made.status_code == 201, made.text
    assets = service.get(f"/assets?library={account['library_id']}", Authorization=f"Bearer {key}")
    assert assets.status_code == 200, assets.text
    return {"key": key, "asset": assets.json()["items"][0]["id"], "library": account["library_id"]}


def original(service: Service, known: dict[str, Any]) -> bytes:
    found = service.get(f"/assets/{known['asset']}/original", Authorization=f"Bearer {known['key']}")
    assert found.status_code == 200, found.text
    return found.content


def test_a_service_is_backed_up_while_it_runs_and_comes_back_on_an_empty_machine(
    serve: NewService, tmp_path: Path
) -> None:
    service = serve(tmp_path / "one" / "data").ready()
    known = uploaded(service, CONTENT)
    target = tmp_path / "target"
    done = tagphoto(service.data, "backup", str(target))
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["verified"], made["objects"], made["new_objects"], made["missing"]) == ("restored", 1, 1, {})
    found = re.search(r"The recovery code of this archive: ((?:\w{4}-){7}\w{4})$", done.stderr, re.MULTILINE)
    assert found is not None
    again = tagphoto(service.data, "backup", str(target))
    assert "recovery code" not in again.stderr
    assert json.loads(again.stdout)["new_objects"] == 0
    listed = service.get("/backups", Authorization=f"Bearer {known['key']}").json()
    assert [backup["state"] for backup in listed["items"]] == ["verified", "verified"]
    assert "not empty" in refusal(tagphoto(service.data, "restore", str(target)))
    assert service.interrupt() == 0
    shutil.rmtree(tmp_path / "one")

    empty = tmp_path / "two" / "data"
    restored = tagphoto(empty, "restore", str(target), "--recovery-code", "-", stdin=found[1] + "\n")
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["assets"] == 1
    assert "nothing is lost. Start 'tagphoto serve'." in restored.stderr
    assert (empty / "root.key").stat().st_mode & 0o777 == 0o600
    service = serve(empty).ready().healthy()
    assert service.said("first admin") is None
    assert original(service, known) == CONTENT


def test_what_is_lost_is_named_and_reported(serve: NewService, tmp_path: Path) -> None:
    service = serve(tmp_path / "one" / "data", workers="0").ready()
    known = uploaded(service, CONTENT)
    (stored,) = (service.data / "store" / "o").rglob("*/*")
    target, key = tmp_path / "target", service.data / "root.key"
    assert tagphoto(service.data, "backup", str(target)).returncode == 0
    service.interrupt()
    (copy,) = (target / "objects" / "o").rglob("*/*")
    whole = copy.read_bytes()
    copy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    empty, report = tmp_path / "two" / "data", tmp_path / "losses.json"
    done = tagphoto(empty, "restore", str(target), "--root-key", str(key), "--report", str(report))
    assert done.returncode == 1
    assert "photo.jpg (original): not in backup" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout) == json.loads(report.read_text())
    (loss,) = json.loads(done.stdout)["losses"]
    assert (loss["name"], loss["asset_id"], loss["library_id"]) == ("photo.jpg", known["asset"], known["library"])
    # The store that a backup is made of may lack it, too.
    stored.unlink()
    lacking = tagphoto(service.data, "backup", str(tmp_path / "another"))
    assert lacking.returncode == 1
    assert list(json.loads(lacking.stdout)["missing"]) == [f"o/{stored.parent.name}/{stored.name}"]
    assert "tagphoto: The backup lacks what 'missing' names" in lacking.stderr


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    answer(data, "account", "list")
    assert "TAGPHOTO_BACKUP_URL" in refusal(tagphoto(data, "backup"))
    assert "lies in the store" in refusal(tagphoto(data, "backup", str(data / "store" / "backup")))
    said = refusal(tagphoto(data, "backup", "s3://hush-hush/x"))
    assert "is no place for backups: an S3 store is written" in said
    assert "There is no folder" in refusal(tagphoto(tmp_path / "other", "restore", str(tmp_path / "nowhere")))
    (tmp_path / "empty").mkdir()
    assert "There is no backup in" in refusal(tagphoto(tmp_path / "other", "restore", str(tmp_path / "empty")))
    both = tagphoto(data, "restore", "x", "--root-key", "y", "--recovery-code", "z")
    assert both.returncode == 2
    assert "not both" in both.stderr
