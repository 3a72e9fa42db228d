"""What a process gives up: its namespaces, its user, its rights. By bubblewrap, or as far as one gets."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWNET = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x40000000,
)  # fmt: skip
_CAPABILITY_VERSION_3 = 0x20080522
# Nobody's user: the embedded servers run as 'nobody', and a decoder shall not be able to as much as signal them.
_USERS = (65533, 65534)
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")


def bubblewrap(folders: tuple[Path, ...]) -> tuple[str, ...] | None:
    """Give the beginning of a command line that sees only these folders, if bubblewrap is there and works."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    arguments = (program, *_flags(), *_binds(folders))
    probe = (*arguments, sys.executable, "-I", "-S", "-c", "pass")
    try:
        result = subprocess.run(  # noqa: S603 - our own interpreter
            probe, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, env={}
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return arguments if result.returncode == 0 else None


def _flags() -> tuple[str, ...]:
    shared = ("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv")
    spaces = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
    if os.geteuid() != 0:
        return ("--unshare-user", *spaces, *shared)
    # Inside a namespace of users we would stay root to the outside; so there is none, and the zygote changes its user.
    return (*spaces, *shared, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")


def _binds(folders: tuple[Path, ...]) -> tuple[str, ...]:
    binds: list[str] = []
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            binds += ["--symlink", str(path.readlink()), name]
        elif path.exists():
            binds += ["--ro-bind", name, name]
    for folder in folders:
        binds += ["--ro-bind", str(folder), str(folder)]
    return (*binds, "--proc", "/proc", "--remount-ro", "/")


def leave_namespaces(libc: ctypes.CDLL) -> tuple[str, ...]:
    """Leave the network and what else can be left without help; say which were left. Single-threaded callers only."""
    user = 0 if os.geteuid() == 0 else _CLONE_NEWUSER
    everything = _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWUTS | _CLONE_NEWNS
    if libc.unshare(user | everything) == 0:
        return ("network", "ipc", "uts", "mount", *(("user",) if user else ()))
    return ("network",) if libc.unshare(user | _CLONE_NEWNET) == 0 else ()


def shed_rights(libc: ctypes.CDLL) -> None:
    """Stop being root, and give up every capability."""
    if os.geteuid() == 0:
        os.setgroups([])
        for number, user in enumerate(_USERS):
            try:
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
                break
            except OSError:  # no such user in this namespace
                if number == len(_USERS) - 1:
                    raise
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)())
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # nobody of the same user may look into our memory


def die_with_parent(libc: ctypes.CDLL) -> None:
    """Be killed when the parent ends. A change of user makes the kernel forget this."""
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
