"""The service as its operator meets it: a process of its own that is started, killed, stopped and started again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from archive.embedded import valkey
from archive.embedded.places import socket_folder, valkey_socket
from archive.embedded.postgres import Postgres, find_binaries
from archive.embedded.privileges import service_user
from archive.embedded.servers import make_socket_folder
from tests.support import servers

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct horse battery"
_PATIENCE = 60
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def environment(data: Path, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAGPHOTO_")}
    return clean | {"TAGPHOTO_DATA": str(data)} | {f"TAGPHOTO_{name.upper()}": value for name, value in more.items()}


def tagphoto(data: Path, *arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "api", *arguments],
        cwd=ROOT,
        env=environment(data, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )


def answer(data: Path, *arguments: str, stdin: str = "", **more: str) -> Any:
    """The JSON that a command prints."""
    done = tagphoto(data, *arguments, stdin=stdin, **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line a command refuses with."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    # Beside it are what 'serve' has told of its start so far, and the log.
    said = [line for line in done.stderr.splitlines() if not line.startswith(("  ", "time="))]
    assert "Traceback" not in done.stderr
    assert len(said) == 1, done.stderr
    assert said[0].startswith("tagphoto: ")
    return said[0].removeprefix("tagphoto: ")


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {_PATIENCE} seconds: {what}"
        time.sleep(0.05)
    return found


def processes(data: Path) -> dict[int, str]:
    """Who works in a data folder: process id and command line."""
    mark, found = os.fsencode(data), {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            where = os.fsencode((entry / "cwd").readlink())
            known = command + where + (entry / "environ").read_bytes()
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if mark in known:
            found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def status(pid: int, field: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(field + ":"))


class Service:
    """A running ``tagphoto serve``."""

    def __init__(self, data: Path, **more: str) -> None:
        self.data = data
        data.mkdir(parents=True, exist_ok=True)
        self.output = data.parent / "output.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api", "serve"],
                cwd=ROOT,
                env=environment(data, **({"port": "0", "workers": "1"} | more)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def ready(self) -> Service:
        until(lambda: self.said("ready") or self.process.poll() is not None, "ready")
        assert self.process.poll() is None, self.output.read_text()
        return self

    def said(self, what: str) -> str | None:
        """What it said about something, on the terminal."""
        lines = self.output.read_text().splitlines()
        return next((line[15:] for line in lines if line.startswith(f"  {what:<12} ")), None)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.said('ready')}/api/v1{path}", headers=headers, timeout=10)

    def health(self) -> str:
        try:
            return str(self.get("/health").json()["status"])
        except httpx.TransportError:
            return "away"

    def healthy(self) -> Service:
        until(lambda: self.health() == "ok", "healthy")
        return self

    def running(self, part: str) -> list[int]:
        """The processes whose command line holds this."""
        return [pid for pid, command in processes(self.data).items() if part in command]

    @property
    def postgres(self) -> int:
        return int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(_PATIENCE)

    def end(self) -> None:
        """Leave nothing running, whatever a test has done."""
        if self.process.poll() is None:
            self.interrupt()
        for pid in processes(self.data):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    started = Service(tmp_path_factory.mktemp("service") / "data")
    yield started.ready()
    started.end()


NewService = Callable[..., Service]


@pytest.fixture
def serve() -> Iterator[NewService]:
    started: list[Service] = []

    def start(data: Path, **more: str) -> Service:
        started.append(Service(data, **more))
        return started[-1]

    yield start
    for one in started:
        one.end()


# While it runs


def test_it_becomes_ready_and_healthy_and_offers_the_first_account(service: Service) -> None:
    service.healthy()
    assert service.get("/health").json()["checks"].keys() == {"database", "redis", "store", "workers"}
    link = service.said("first admin")
    assert link is not None
    assert link.startswith(f"{service.said('ready')}/welcome#")


def test_accounts_and_keys_made_on_the_command_line_work_over_http(service: Service) -> None:
    made = answer(
        service.data,
        *("account", "create", "--admin", "a@example.org", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )
    assert (made["email"], made["is_admin"], "link" in made) == ("a@example.org", True, False)
    key = answer(service.data, "apikey", "create", "a@example.org", "--name", "script")["key"]
    found = service.get("/libraries", Authorization=f"Bearer {key}")
    assert found.status_code == 200, found.text
    assert made["library_id"] in found.text
    assert service.get("/libraries", Authorization="Bearer tp_wrong").status_code == 401
    url = service.said("ready")
    signed_in = httpx.post(f"{url}/api/v1/session", json={"email": "a@example.org", "password": PASSWORD})
    assert signed_in.status_code == 200, signed_in.text


def test_the_log_holds_the_lines_of_all_programs(service: Service) -> None:
    log = service.data / "logs" / "tagphoto.log"
    programs = {"postgres", "valkey", "worker1"}
    until(lambda: programs <= {line.split()[0] for line in log.read_text().splitlines() if line}, "lines of each")


def test_a_second_service_in_its_data_folder_is_refused(service: Service) -> None:
    said = refusal(tagphoto(service.data, "serve", port="0"))
    assert said == (
        f"Tagphoto is already running with the data folder {service.data} (process {service.process.pid}). "
        "Stop it first."
    )
    service.healthy()


def test_a_second_service_on_its_port_is_refused(service: Service, tmp_path: Path) -> None:
    port = str(service.said("ready")).rpartition(":")[2]
    said = refusal(tagphoto(tmp_path / "data", "serve", port=port))
    assert said.startswith(f"Cannot listen on 127.0.0.1 port {port}: Address already in use. ")
    assert "TAGPHOTO_PORT" in said
    assert not (tmp_path / "data").exists()


def test_servers_do_not_run_as_root_and_nobody_else_may_enter_their_folders(service: Service) -> None:
    for pid in (service.postgres, *service.running("valkey-server")):
        assert {int(uid) for uid in status(pid, "Uid").split()} == {service_user().uid}
        assert status(pid, "Uid").split()[0] != "0"
    for folder in ("postgres", "valkey", "run"):
        assert (service.data / folder).stat().st_mode & 0o077 == 0
    assert (service.data / "root.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("program", ["worker-process", "api-process", "valkey-server"])
def test_a_program_that_is_killed_comes_back(service: Service, program: str) -> None:
    service.healthy()
    before = service.running(program)
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: set(service.running(program)) - set(before), f"another {program}")
    service.healthy()


def test_a_database_that_is_killed_comes_back_and_everything_recovers(service: Service) -> None:
    service.healthy()
    before = service.postgres
    os.kill(before, signal.SIGKILL)
    until(lambda: service.running("postgres -D") and service.postgres != before, "another postgres")
    service.healthy()
    # Workers, too: what they hear of the database after this is new.
    assert answer(service.data, "account", "list") is not None
    # Why it was away is said on the terminal and in the file.
    for place in (service.data / "logs" / "tagphoto.log", service.output):
        assert re.search(r"event=program\.died .*program=postgres", place.read_text())


# Stopping and starting


def test_ctrl_c_stops_everything_and_a_second_start_finds_all_again(serve: NewService, tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = serve(data).ready()
    answer(data, "account", "create", "a@example.org")
    assert first.interrupt() == 0
    assert processes(data) == {}
    assert "Traceback" not in first.output.read_text()
    assert str(first.said("stopped")).startswith("all data is safe")

    second = serve(data).ready().healthy()
    assert second.said("first admin") is None
    assert [account["email"] for account in answer(data, "account", "list")] == ["a@example.org"]


def test_ctrl_c_while_it_starts_stops_it(serve: NewService, tmp_path: Path) -> None:
    service = serve(tmp_path / "data")
    until(lambda: service.said("starting"), "starting")
    assert service.interrupt() == 0
    assert "Traceback" not in service.output.read_text()
    assert processes(service.data) == {}


def test_killing_the_supervisor_kills_all_and_the_next_start_works(serve: NewService, tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = serve(data).ready().healthy()
    answer(data, "account", "create", "a@example.org")
    port = str(first.said("ready")).rpartition(":")[2]
    first.process.kill()
    first.process.wait()
    until(lambda: not processes(data), "the end of all its programs")

    serve(data, port=port).ready().healthy()
    assert [account["email"] for account in answer(data, "account", "list")] == ["a@example.org"]


def test_sigterm_stops_it_as_well_as_ctrl_c(serve: NewService, tmp_path: Path) -> None:
    service = serve(tmp_path / "data", workers="0", api_processes="2").ready()
    assert len(service.running("api-process")) == 2
    assert service.health() == "degraded"  # nobody works
    service.process.terminate()
    assert service.process.wait(_PATIENCE) == 0
    assert processes(service.data) == {}


# Where it may live


def test_a_data_folder_with_a_long_and_odd_name_works(serve: NewService, tmp_path: Path) -> None:
    data = tmp_path / "Мой архив, том 1" / ("длинное имя папки " * 4) / "данные %20 'x' \"y\""
    assert len(os.fsencode(data)) > 150
    serve(data).ready().healthy()


def test_a_data_folder_with_a_short_and_odd_name_works(serve: NewService) -> None:
    # Short enough for the sockets to lie inside, but for the comma.
    with tempfile.TemporaryDirectory(prefix="т, ") as folder:
        service = serve(Path(folder) / "d").ready().healthy()
        assert answer(Path(folder) / "d", "account", "list") == []
        assert service.interrupt() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="root's own folders are root's")
def test_a_folder_that_only_root_may_enter_works_with_one_capability(serve: NewService, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    service = serve(closed / "data").ready().healthy()
    capabilities = int(status(service.postgres, "CapEff"), 16)
    assert capabilities in {1 << 1, 1 << 2}  # to pass through folders, and nothing else
    assert int(status(service.postgres, "Uid").split()[0]) != 0
    assert service.interrupt() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to shed")
def test_in_a_folder_that_all_may_enter_the_servers_keep_no_capability() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        data.mkdir()
        user, binary = service_user(), valkey.find_binary()
        assert binary is not None
        make_socket_folder(socket_folder(data), user)
        with servers.running(valkey.program(data, user, _reachable_copy(binary, Path(folder)))) as process:
            assert int(status(process.pid, "CapEff"), 16) == 0
            assert int(status(process.pid, "CapPrm"), 16) == 0
            assert status(process.pid, "Groups") == ""


def _reachable_copy(binary: Path, folder: Path) -> Path:
    copy = folder / "valkey-server"
    shutil.copy(binary, copy)
    copy.chmod(0o755)
    return copy


# What an earlier crash left


@pytest.fixture
def cluster_folder(tmp_path: Path) -> Path:
    make_socket_folder(socket_folder(tmp_path), service_user())
    return tmp_path


def test_a_database_server_left_running_is_stopped_before_the_next_starts(cluster_folder: Path) -> None:
    binaries = find_binaries()
    assert binaries is not None
    cluster = Postgres(cluster_folder, service_user(), binaries, ("fsync=off",))
    cluster.prepare()
    left = servers.start(cluster.program())
    cluster.prepare()
    assert left.wait(_PATIENCE) == 0
    with servers.running(cluster.program()):
        pass


def test_the_process_id_of_a_crashed_database_may_belong_to_somebody_else_now(cluster_folder: Path) -> None:
    binaries, user = find_binaries(), service_user()
    assert binaries is not None
    cluster = Postgres(cluster_folder, user, binaries, ("fsync=off",))
    cluster.prepare()
    lock = cluster.cluster / "postmaster.pid"
    with servers.running(cluster.program()):
        left = lock.read_text()
    bystander = subprocess.Popen(["sleep", "600"], user=user.uid)
    lock.write_text(left.replace(left.split()[0], str(bystander.pid), 1))
    os.chown(lock, user.uid, user.gid)
    try:
        cluster.prepare()
        with servers.running(cluster.program()):
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_valkey_left_running_is_stopped_before_the_next_starts(cluster_folder: Path) -> None:
    binary = valkey.find_binary()
    assert binary is not None
    left = servers.start(valkey.program(cluster_folder, service_user(), binary))
    program = valkey.program(cluster_folder, service_user(), binary)
    left.wait(_PATIENCE)
    with servers.running(program):
        assert valkey_socket(cluster_folder).exists()


def test_a_cluster_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    said = refusal(tagphoto(tmp_path, "serve", port="0"))
    assert "was made by PostgreSQL 17; the embedded one is 18" in said
    assert "TAGPHOTO_DATABASE_URL" in said


# What is refused


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
