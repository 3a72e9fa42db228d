"""A real S3 server, as Debian packages it: Ceph with one monitor, one disk in memory, and its gateway. No manager, no
systemd; everything in one folder, on free ports, ended by process id.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from archive.supervisor.program import die_with_parent

_PROGRAMS = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "ceph-authtool", "monmaptool")

# With one disk there is one copy, which Ceph has to be talked into. Proposals wait a second by default, each.
_CONF = """
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{mon_port}
public addr = 127.0.0.1
mon initial members = a
keyring = {folder}/keyring
auth allow insecure global id reclaim = false
admin socket =
run dir = {folder}
log file = {folder}/$name.log
mon cluster log file =
mon data = {folder}/mon
mon allow pool size one = true
mon data avail crit = 0
mon max pg per osd = 1000
osd data = {folder}/osd
osd objectstore = memstore
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
paxos propose interval = 0.05
paxos min wait = 0.01
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
"""


def demand() -> None:
    """Skip the test where Ceph is not installed, or fail it where it has to be."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if not missing:
        return
    reason = f"no {missing[0]}: apt-get install radosgw ceph-mon ceph-osd ceph-common"
    if os.environ.get("REQUIRE_S3_SERVER"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running(folder: Path, access_key: str, secret_key: str) -> Iterator[str]:
    """Run the server; gives its host and port."""
    mon_port, port = _free_ports(2)
    fsid, disk = str(uuid4()), str(uuid4())
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    conf = folder / "ceph.conf"
    conf.write_text(_CONF.format(folder=folder, fsid=fsid, mon_port=mon_port, port=port))
    _make_keys(folder)
    _call("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{mon_port}]", f"{folder}/monmap")
    with ExitStack() as stack:
        ceph = ("-c", str(conf))
        _call("ceph-mon", *ceph, "-i", "a", "--mkfs", "--monmap", f"{folder}/monmap", "--keyring", f"{folder}/keyring")
        stack.enter_context(_kept("ceph-mon", *ceph, "-f", "-i", "a"))
        _call("ceph", *ceph, "osd", "new", disk)
        _call("ceph-osd", *ceph, "-i", "0", "--mkfs", "--osd-uuid", disk)
        stack.enter_context(_kept("ceph-osd", *ceph, "-f", "-i", "0"))
        user = ("--uid", "tests", "--display-name", "tests", "--access-key", access_key, "--secret-key", secret_key)
        _call("radosgw-admin", *ceph, "user", "create", *user)
        _await_answer(stack.enter_context(_kept("radosgw", *ceph, "-f", "-n", "client.admin")), port)
        yield f"127.0.0.1:{port}"


def _make_keys(folder: Path) -> None:
    keyring = f"{folder}/keyring"
    _call("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    everything = ("--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *")
    for name in ("client.admin", "osd.0"):
        _call("ceph-authtool", keyring, "--gen-key", "-n", name, *everything)


def _call(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{argv[0]}: {done.stderr[-2000:]}"


@contextmanager
def _kept(*argv: str) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    enter = die_with_parent(signal.SIGKILL)
    with subprocess.Popen(argv, stdin=quiet, stdout=quiet, stderr=quiet, preexec_fn=enter) as process:  # noqa: PLW1509
        try:
            yield process
        finally:
            process.kill()  # none of them has anything to keep


def _await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except ConnectionRefusedError:
            assert process.poll() is None, "the gateway ended; its log is beside its configuration"
            assert time.monotonic() < deadline, "the gateway does not listen"
            time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports
