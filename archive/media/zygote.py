"""The zygote: a process with every decoder imported that forks a child for each file, and never reads a file itself.

It has no environment, no secrets and one socket, over which it hears ``start`` and ``kill``, and says what ended how.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import time
import warnings
from typing import Any

from archive.media import seccomp
from archive.media.child import Ground, live
from archive.media.confinement import die_with_parent, leave_namespaces, shed_rights

MESSAGE_BYTES = 4096


def main(control: int, plugins: list[str], *, wrapped: bool) -> None:
    """Get ready, say so, and serve until the parent has gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    die_with_parent(libc)
    # A warning quotes the source line, and a child that opens a file is killed.
    warnings.simplefilter("ignore")
    tasks = _load(plugins)
    namespaces = ("network", "pid", "ipc", "uts", "mount") if wrapped else leave_namespaces(libc)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    shed_rights(libc)
    die_with_parent(libc)
    seccomp.forbid_new_privileges(libc)
    gc.collect()
    gc.freeze()  # so that no child's collector touches, and thereby copies, what all of them share
    ground = Ground(libc, tasks, _own_size(), os.getpid())
    with socket.socket(fileno=control) as line:
        line.send(_message({"namespaces": namespaces, "seccomp": _filters(libc), "user": os.geteuid()}))
        _Service(line, ground).serve()


class _Service:
    """Forks children, and says how they ended."""

    def __init__(self, line: socket.socket, ground: Ground) -> None:
        self._line = line
        self._ground = ground
        # By process, the number the parent knows it by, and the processor time it took to make.
        self._running: dict[int, tuple[int, float]] = {}
        self._wakeup, self._woken = socket.socketpair()
        for end in (self._wakeup, self._woken):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        poll.register(self._wakeup, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self._wakeup.fileno():
                    self._wakeup.recv(MESSAGE_BYTES)
                    self._reap()
                elif not self._hear():
                    return

    def _hear(self) -> bool:
        content, descriptors, _, _ = socket.recv_fds(self._line, MESSAGE_BYTES, 2)
        if not content:
            return False
        message = json.loads(content)
        if message["do"] == "start":
            self._start(message["number"], descriptors)
        else:
            for process, (number, _) in self._running.items():
                if number == message["number"]:
                    os.kill(process, signal.SIGKILL)
        return True

    def _start(self, number: int, descriptors: list[int]) -> None:
        begun = time.process_time()
        try:
            process = os.fork()
        except OSError as error:
            self._say({"number": number, "failed": str(error)})
        else:
            if process == 0:
                self._become_child(descriptors)
            self._running[process] = number, time.process_time() - begun
        for descriptor in descriptors:
            os.close(descriptor)

    def _become_child(self, descriptors: list[int]) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._line, self._wakeup, self._woken):
            end.close()
        os.dup2(0, 2)  # what libraries complain about a file is of no use, and could fill the log
        live(self._ground, descriptors[0], descriptors[1] if len(descriptors) > 1 else None)

    def _reap(self) -> None:
        while self._running:
            process, status, usage = os.wait4(-1, os.WNOHANG)
            if process == 0:
                return
            number, making = self._running.pop(process)
            cpu = making + usage.ru_utime + usage.ru_stime
            self._say({"number": number, "status": status, "cpu": cpu, "memory": usage.ru_maxrss * 1024})

    def _say(self, message: dict[str, Any]) -> None:
        self._line.send(_message(message))


def _load(plugins: list[str]) -> dict[str, Any]:
    tasks: dict[str, Any] = {}
    for name in ("archive.media.tasks", *plugins):
        module = importlib.import_module(name)
        tasks |= module.TASKS
        module.warm_up()
    return tasks


def _filters(libc: ctypes.CDLL) -> bool:
    """Find out in a child whether a filter can be installed, and kills."""
    process = os.fork()
    if process == 0:
        try:
            seccomp.install(libc, seccomp.assemble(os.getpid()))
            os.getppid()  # no call of the list
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS


def _own_size() -> int:
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - no path of the machine's
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGESIZE")


def _message(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()
