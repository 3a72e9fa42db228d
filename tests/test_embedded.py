"""The embedded servers: whose they are, who may enter, and what an earlier crash left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest

from archive.embedded import valkey
from archive.embedded.places import socket_folder, valkey_socket
from archive.embedded.postgres import Postgres, find_binaries
from archive.embedded.privileges import service_user
from archive.embedded.servers import make_socket_folder, running
from archive.settings import read_settings
from archive.supervisor import Lines, Supervisor
from tests.support import servers
from tests.support.service import (
    PATIENCE,
    refusal,
    status,
    tagphoto,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


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
    return subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE, check=False)


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
    assert left.wait(PATIENCE) == 0
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
    left.wait(PATIENCE)
    with servers.running(program):
        assert valkey_socket(cluster_folder).exists()


def test_a_cluster_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    said = refusal(tagphoto(tmp_path, "serve", port="0"))
    assert "was made by PostgreSQL 17; the embedded one is 18" in said
    assert "TAGPHOTO_DATABASE_URL" in said
