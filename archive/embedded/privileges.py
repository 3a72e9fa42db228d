"""PostgreSQL refuses to run as root. When we are root, the embedded servers run as ``nobody`` with no other rights.

In a folder that ``nobody`` cannot reach, such as one below /root, they keep one capability: to pass through folders.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from archive.supervisor.program import die_with_parent

_SERVICE_USER = "nobody"
_PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 8, 47, 2
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_CAPABILITY_VERSION_3 = 0x20080522


@dataclass(frozen=True, slots=True)
class User:
    """Who the embedded servers run as."""

    uid: int
    gid: int


def service_user() -> User:
    """Give the user of the embedded servers: ourselves, or nobody when we are root."""
    if os.geteuid() != 0:
        return User(os.geteuid(), os.getegid())
    entry = pwd.getpwnam(_SERVICE_USER)
    return User(entry.pw_uid, entry.pw_gid)


def own(path: Path, user: User) -> None:
    """Give a folder and what is in it to the user the servers run as."""
    if os.geteuid() != 0 or path.stat().st_uid == user.uid:
        return
    for entry in [path, *path.rglob("*")]:
        os.chown(entry, user.uid, user.gid, follow_symlinks=False)


def become(user: User, needed: Iterable[Path], stop_signal: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Give what a child does before it becomes the server: shed root, and only then ask to die with us."""
    must_pass = os.geteuid() == 0 and not all(_reachable(path, user) for path in needed)
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    die = die_with_parent(stop_signal)

    def enter() -> None:
        if os.geteuid() == 0:
            _shed_root(libc, user, keep_passage=must_pass)
        die()  # a change of user would make the kernel forget this

    return enter


def _reachable(path: Path, user: User) -> bool:
    """Say whether the user may pass through every folder above."""
    for parent in path.absolute().parents:
        found = parent.stat()
        bit = stat.S_IXUSR if found.st_uid == user.uid else stat.S_IXGRP if found.st_gid == user.gid else stat.S_IXOTH
        if not found.st_mode & bit:
            return False
    return True


def _shed_root(libc: ctypes.CDLL | None, user: User, *, keep_passage: bool) -> None:
    if keep_passage and libc is not None:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    if keep_passage and libc is not None:
        # Containers often grant the second only.
        _ = _keep_only(libc, _CAP_DAC_READ_SEARCH) or _keep_only(libc, _CAP_DAC_OVERRIDE)


def _keep_only(libc: ctypes.CDLL, capability: int) -> bool:
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; low words, then high
    if libc.capset(header, data) != 0:
        return False
    return bool(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)
