"""The service as its operator meets it: a process of its own that is started, killed, stopped and started again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from archive.embedded.privileges import service_user
from tests.conftest import NewService
from tests.support.service import (
    PASSWORD,
    PATIENCE,
    ROOT,
    Service,
    answer,
    processes,
    refusal,
    status,
    tagphoto,
    until,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


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
    assert service.process.wait(PATIENCE) == 0
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
