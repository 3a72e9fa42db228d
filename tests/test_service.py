"""The service as its operator meets it: a process of its own that is started, killed, stopped and started again."""

from __future__ import annotations

import asyncio
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
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from archive.embedded import valkey
from archive.embedded.places import socket_folder, valkey_socket
from archive.embedded.postgres import Postgres, find_binaries
from archive.embedded.privileges import service_user
from archive.embedded.servers import make_socket_folder, running
from archive.errors import StartRefused
from archive.settings import read_settings
from archive.supervisor import Lines, Program, Supervisor
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

    def __init__(self, data: Path, output: Path | None = None, **more: str) -> None:
        self.data = data
        data.mkdir(parents=True, exist_ok=True)
        self.output = data.parent / "output.txt"
        with (output or self.output).open("w") as output_file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api", "serve"],
                cwd=ROOT,
                env=environment(data, **({"port": "0", "workers": "1"} | more)),
                stdin=subprocess.DEVNULL,
                stdout=output_file,
                stderr=output_file,
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
        """The database's process. Its file is gone for the moment between one process and the next."""
        lock = self.data / "postgres" / "postmaster.pid"
        return int(until(lambda: lock.is_file() and lock.read_text().split(), "a database")[0])

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(_PATIENCE)

    def end(self) -> None:
        """Leave nothing running, whatever a test has done."""
        if self.process.poll() is None:
            self.interrupt()
        for pid in processes(self.data):
            with suppress(ProcessLookupError):  # it may have ended by itself meanwhile
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

    def start(data: Path, **more: Any) -> Service:
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
    # Who did what, and from which address.
    assert (service.data / "logs").stat().st_mode & 0o077 == 0


def test_a_worker_knows_the_port_that_links_in_mails_need(service: Service) -> None:
    for part in ("api-process", "worker-process"):
        (pid,) = service.running(part)
        known = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert f"TAGPHOTO_PORT={str(service.said('ready')).rpartition(':')[2]}".encode() in known
        assert b"TAGPHOTO_HOST=127.0.0.1" in known


def test_each_start_of_a_worker_has_a_name_of_its_own(service: Service) -> None:
    def names() -> set[str]:
        commands = [command for command in processes(service.data).values() if "worker-process" in command]
        return {command.partition("--name ")[2].split()[0] for command in commands}

    service.healthy()
    before = until(names, "a named worker")
    os.kill(service.running("worker-process")[0], signal.SIGKILL)
    until(lambda: names() and not names() & before, "a worker of another name")
    service.healthy()


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


def test_a_terminal_that_was_closed_stops_nothing(serve: NewService, tmp_path: Path) -> None:
    fifo = tmp_path / "terminal"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    service = serve(tmp_path / "data", output=fifo)
    until(lambda: service.running("postgres -D"), "a start")
    os.close(reader)
    log = tmp_path / "data" / "logs" / "tagphoto.log"
    until(lambda: log.exists() and "worker.started" in log.read_text(), "a worker")
    # A worker that dies and comes back is told of on the terminal, too.
    (before,) = service.running("worker-process")
    os.kill(before, signal.SIGKILL)
    until(lambda: log.read_text().count("worker.started") == 2, "another worker")
    assert service.interrupt() == 0
    assert processes(service.data) == {}


# Programs and their supervisor


class _Unwritable(Lines):
    def write(self, program: str, line: str, *, quiet: bool = False) -> None:
        raise RuntimeError(program, line, quiet)


@asynccontextmanager
async def supervised(lines: Lines, *programs: Program) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(lines)
    try:
        for program in programs:
            await supervisor.add(program)
        yield supervisor
    finally:
        async with asyncio.timeout(_PATIENCE):
            await supervisor.stop()


def shell(script: str, **more: Any) -> Program:
    return Program("shell", ("sh", "-c", script), **more)


async def becomes(condition: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)
    assert condition(), what


async def test_a_program_is_read_to_its_end_even_if_its_lines_cannot_be_written(tmp_path: Path) -> None:
    # More than a pipe and a reader hold: a program that nobody reads would not get to its end.
    much = f"yes $(printf %1000d 0) | head -c 5000000; touch {tmp_path}/end; sleep 600"
    async with supervised(_Unwritable(None), shell(much)):
        await becomes((tmp_path / "end").exists, "the end")


async def test_what_a_program_left_behind_holds_neither_its_restart_nor_the_stop_up(tmp_path: Path) -> None:
    (tmp_path / "left").touch()
    left = f"setsid sleep 600 & echo $! >> {tmp_path}/left; [ $(wc -l < {tmp_path}/left) = 2 ] && sleep 600"
    async with supervised(Lines(None), shell(left)):
        await becomes(lambda: len((tmp_path / "left").read_text().split()) == 2, "a second start")
    for pid in (tmp_path / "left").read_text().split():
        os.kill(int(pid), signal.SIGKILL)


async def test_a_program_that_once_cannot_be_prepared_is_started_again_later(tmp_path: Path) -> None:
    starts = tmp_path / "starts"

    def enter() -> None:
        with starts.open("a") as file:
            file.write("start\n")
        if len(starts.read_text().splitlines()) == 2:
            raise RuntimeError("not now")

    program = shell(f"[ $(wc -l < {starts}) = 3 ] && sleep 600", enter=enter)
    async with supervised(Lines(None), program):
        await becomes(lambda: len(starts.read_text().splitlines()) == 3, "a third start")


async def test_a_program_that_cannot_be_prepared_at_all_refuses_the_start() -> None:
    def enter() -> None:
        raise RuntimeError("never")

    with pytest.raises(StartRefused, match="shell cannot be started"):
        async with supervised(Lines(None), shell("true", enter=enter)):
            pass


async def test_a_program_and_who_hears_of_its_end_know_the_name_of_the_start(tmp_path: Path) -> None:
    names, told = iter(["one", "two", "three", "four", "five"]), []

    async def ended(name: str, asked: bool) -> None:
        told.append((name, asked))

    (tmp_path / "names").touch()
    script = f'echo "$@" >> {tmp_path}/names; [ $2 = two ] && sleep 600'
    program = Program("shell", ("sh", "-c", script, "shell"), new_name=lambda: next(names), ended=ended)
    async with supervised(Lines(None), program):
        await becomes(lambda: (tmp_path / "names").read_text() == "--name one\n--name two\n", "a second start")
    assert told == [("one", False), ("two", True)]


def test_metrics_of_several_api_processes_are_added_up_and_shown_once(serve: NewService, tmp_path: Path) -> None:
    service = serve(tmp_path / "data", workers="0", api_processes="2").ready()
    answer(service.data, "account", "create", "--admin", "metrics@example.org")
    key = answer(service.data, "apikey", "create", "metrics@example.org", "--scopes", "metrics")["key"]
    for _ in range(10):  # a connection each, so both processes answer some
        assert service.get("/health/live").status_code == 200
    for _ in range(3):  # whichever process is asked, and however often
        lines = service.get("/metrics", Authorization=f"Bearer {key}").text.splitlines()
        assert [line for line in lines if line.startswith("tagphoto_workers")] == ["tagphoto_workers 0.0"]
        counted = [line for line in lines if line.startswith("tagphoto_http_requests_total") and "health/live" in line]
        assert len(counted) == 1
        assert float(counted[0].split()[-1]) >= 10


# Where it may live


def _offers_both_families() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return not int(Path("/proc/sys/net/ipv6/bindv6only").read_text())
    except OSError:
        return False


@pytest.mark.skipif(not _offers_both_families(), reason="this machine has no IPv6")
def test_a_proxy_by_ipv4_is_trusted_on_a_socket_for_both_families(serve: NewService, tmp_path: Path) -> None:
    data = tmp_path / "data"
    service = serve(data, host="::", workers="0").ready()
    answer(data, "account", "create", "a@example.org", "--password-stdin", stdin=PASSWORD + "\n")
    url = f"http://127.0.0.1:{str(service.said('ready')).rpartition(':')[2]}"
    signed_in = httpx.post(
        f"{url}/api/v1/session",
        json={"email": "a@example.org", "password": PASSWORD},
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"},
    )
    assert signed_in.status_code == 200, signed_in.text
    assert "Secure" in signed_in.headers["set-cookie"]


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


async def test_the_embedded_database_takes_as_many_connections_as_its_processes_may_want(tmp_path: Path) -> None:
    for processes_, least in ((1, 100), (8, 8 * 21 + 16 * 8)):
        settings = read_settings(data=tmp_path, api_processes=processes_, workers=2 * processes_)
        async with running(settings, Supervisor(Lines(None))) as addresses:
            connection = await asyncpg.connect(addresses.database)
            assert int(await connection.fetchval("SHOW max_connections")) >= least
            await connection.close()


def _connect_as(uid: int, sockets: Path) -> subprocess.CompletedProcess[str]:
    """Connect from a process that has become another user."""
    script = (
        "import asyncio, asyncpg, os, sys; os.setgroups([]); os.setuid(int(sys.argv[1])); "
        "asyncio.run(asyncpg.connect(host=sys.argv[2], user='tagphoto', database='postgres'))"
    )
    arguments = [sys.executable, "-c", script, str(uid), str(sockets)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=_PATIENCE, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_the_embedded_database_admits_us_and_no_other_program_of_its_user() -> None:
    binaries, user = find_binaries(), service_user()
    assert binaries is not None
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        make_socket_folder(socket_folder(Path(folder)), user)
        cluster = Postgres(Path(folder), user, binaries, ("fsync=off",))
        cluster.prepare()
        # As a cluster of an earlier version was.
        (cluster.cluster / "pg_hba.conf").write_text("local all all trust\n")
        cluster.prepare()
        with servers.running(cluster.program()):
            assert _connect_as(0, socket_folder(Path(folder))).returncode == 0
            refused = _connect_as(user.uid, socket_folder(Path(folder)))
            assert "InvalidAuthorizationSpecificationError: Peer authentication failed" in refused.stderr


def test_the_rules_of_admission_are_not_written_through_somebodys_link(cluster_folder: Path) -> None:
    binaries = find_binaries()
    assert binaries is not None
    cluster = Postgres(cluster_folder, service_user(), binaries, ("fsync=off",))
    cluster.prepare()
    for name in ("pg_hba.conf", "pg_hba.conf.new"):
        (cluster_folder / name).write_text("precious")
        (cluster.cluster / name).unlink(missing_ok=True)
        (cluster.cluster / name).symlink_to(cluster_folder / name)
    cluster.prepare()
    for name in ("pg_hba.conf", "pg_hba.conf.new"):
        assert (cluster_folder / name).read_text() == "precious"
    assert (cluster.cluster / "pg_hba.conf").read_text() == "local all all peer map=tagphoto\n"


def _pretend_set_up(checkout: Path, shown: str) -> None:
    """Make what ``./run`` looks at before it starts the command line, which here says where it lies."""
    for folder in ("api", "locks", "web/src", "web/public", "web/dist"):
        (checkout / folder).mkdir(parents=True)
    for file in ("locks/base.txt", "web/index.html", "web/package-lock.json", "web/vite.config.ts"):
        (checkout / file).touch()
    (checkout / "api" / "__main__.py").write_text(f"print({shown!r})")
    shutil.copy(ROOT / "run", checkout / "run")


def _mark_done(checkout: Path) -> None:
    files = "find src public index.html package-lock.json vite.config.ts -type f | LC_ALL=C sort"
    for name, script in (("base", "cksum < locks/base.txt"), ("web", f"cd web && {files} | xargs -n1 cksum | cksum")):
        stamp = subprocess.run(["sh", "-c", script], cwd=checkout, capture_output=True, check=True).stdout
        (checkout / ".venv" / f"stamp-{name}").write_bytes(stamp.rstrip())


def test_a_copied_checkout_runs_what_lies_in_the_copy(tmp_path: Path) -> None:
    _pretend_set_up(tmp_path / "first", "the first")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "first" / ".venv"], check=True)
    _mark_done(tmp_path / "first")
    for checkout, shown in (("first", "the first\n"), ("second", "the copy\n")):
        if checkout == "second":
            shutil.copytree(tmp_path / "first", tmp_path / "second", symlinks=True)
            (tmp_path / "second" / "api" / "__main__.py").write_text("print('the copy')")
        done = subprocess.run(
            [tmp_path / checkout / "run", "tagphoto"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr, done.returncode) == (shown, "", 0)


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
