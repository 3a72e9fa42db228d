"""What the service refuses to start with, and says so in one line."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NewService
from tests.support.service import (
    answer,
    processes,
    refusal,
    tagphoto,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port nobody listens on and nobody else can take."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_data_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "data"
    for command in (("serve",), ("account", "list"), ("migrate",)):
        said = refusal(tagphoto(data, *command, port="0"))
        assert f"The data folder {data} cannot be" in said
        assert "Not a directory" in said
        assert "TAGPHOTO_DATA" in said


@pytest.mark.parametrize("command", [["serve"], ["work"], ["migrate"], ["account", "list"]], ids=" ".join)
def test_a_database_that_is_away_is_named_without_its_password(
    tmp_path: Path, closed_port: int, command: list[str]
) -> None:
    url = f"postgresql://anna:hush-hush@127.0.0.1:{closed_port}/photos"
    done = tagphoto(tmp_path / "data", *command, port="0", database_url=url)
    said = refusal(done)
    assert f"The database postgresql://anna:…@127.0.0.1:{closed_port}/photos cannot be reached: " in said
    assert "TAGPHOTO_DATABASE_URL" in said
    assert "hush-hush" not in done.stderr
    assert processes(tmp_path / "data") == {}


def test_a_store_that_cannot_be_used_is_refused(tmp_path: Path, closed_port: int) -> None:
    (tmp_path / "file").touch()
    for url in ((tmp_path / "file").as_uri(), f"s3://key:hush-hush@127.0.0.1:{closed_port}/photos?tls=false"):
        done = tagphoto(tmp_path / "data", "serve", port="0", store_url=url)
        assert refusal(done).startswith(f"The store {url.replace('hush-hush', '…')} cannot be used: ")
        assert "hush-hush" not in done.stderr
    assert processes(tmp_path / "data") == {}


def test_a_redis_that_is_away_delays_jobs_but_no_start(serve: NewService, tmp_path: Path, closed_port: int) -> None:
    service = serve(tmp_path / "data", redis_url=f"redis://:hush-hush@127.0.0.1:{closed_port}", workers="0").ready()
    said = str(service.said("redis"))
    assert said.startswith(f"redis://:…@127.0.0.1:{closed_port} cannot be reached now")
    assert "TAGPHOTO_REDIS_URL" in said
    assert service.health() == "degraded"
    assert "hush-hush" not in service.output.read_text()


@pytest.mark.parametrize(
    ("host", "mend"), [("203.0.113.1", "TAGPHOTO_HOST"), ("no.such.host.invalid", "TAGPHOTO_HOST")]
)
def test_an_address_that_is_not_this_machines_is_refused(tmp_path: Path, host: str, mend: str) -> None:
    said = refusal(tagphoto(tmp_path / "data", "serve", port="0", host=host))
    assert said.startswith(f"Cannot listen on {host} port 0: ")
    assert mend in said


def test_workers_without_a_running_service_say_what_is_missing(tmp_path: Path) -> None:
    said = refusal(tagphoto(tmp_path / "data", "work"))
    assert said.startswith(f"The embedded database of {tmp_path / 'data'} is not running. Start 'tagphoto serve'")


def test_a_root_key_of_another_installation_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    answer(data, "account", "list")
    (data / "root.key").unlink()
    assert "root.key is missing" in refusal(tagphoto(data, "serve", port="0"))
    assert not (data / "root.key").exists()
    assert processes(data) == {}
