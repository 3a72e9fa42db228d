"""Tasks that only tests have: the zygote imports this module where a test's sandbox names it as a plugin."""

from __future__ import annotations

import ctypes
import hashlib
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from archive.media.child import Work
from archive.media.verdict import Corrupt, Unsupported


def nothing(work: Work) -> dict[str, Any]:
    return {"size": work.file.size, "args": work.args}


def digest(work: Work) -> dict[str, Any]:
    """Read in odd pieces, back and forth."""
    whole = hashlib.sha256()
    while piece := work.file.read(300_001):
        whole.update(piece)
    work.file.seek(-min(10, work.file.size), os.SEEK_END)
    return {"sha256": whole.hexdigest(), "tail": work.file.read().hex(), "position": work.file.tell()}


def copy(work: Work) -> dict[str, Any]:
    with work.blob("copy") as blob:
        while piece := work.file.read(1 << 20):
            blob.write(piece)
            work.progress(work.file.tell(), work.file.size)
    work.emit("tail", b"tail")
    return {}


def pour(work: Work) -> dict[str, Any]:
    with work.blob("much") as blob:
        for _ in range(work.args["mib"]):
            blob.write(bytes(1 << 20))
    return {}


def refuse(work: Work) -> dict[str, Any]:
    raise {"corrupt": Corrupt, "unsupported": Unsupported}[work.args["as"]]("so it is\x1b[31m")


def fail(_: Work) -> dict[str, Any]:
    message = "what?"
    raise KeyError(message)


def eat_memory(work: Work) -> dict[str, Any]:
    return {"held": len(bytearray(work.args["bytes"]))}


def eat_time(_: Work) -> dict[str, Any]:
    while True:
        pass


def sleep(work: Work) -> dict[str, Any]:
    time.sleep(work.args["seconds"])
    return {}


def limits(_: Work) -> dict[str, Any]:
    return {
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
        "written": resource.getrlimit(resource.RLIMIT_FSIZE)[1],
        "processes": resource.getrlimit(resource.RLIMIT_NPROC)[1],
    }


def abort(_: Work) -> dict[str, Any]:
    os.abort()


def crash(_: Work) -> dict[str, Any]:
    return {"read": ctypes.string_at(8)}


FORBIDDEN: dict[str, Callable[[], object]] = {
    "open": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "socket": socket.socket,
    "execve": lambda: os.execve("/bin/true", ["true"], {}),
    "ptrace": lambda: ctypes.CDLL(None).ptrace(0, 0, 0, 0),
    "kill": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "listdir": lambda: list(Path("/").iterdir()),
    "stat": Path("/etc/passwd").stat,
    "unlink": Path("/tmp/x").unlink,
    "memfd": lambda: os.memfd_create("x"),
    "pipe": os.pipe,
    "connect": lambda: ctypes.CDLL(None).connect(3, b"\0" * 16, 16),
}


def forbidden(work: Work) -> dict[str, Any]:
    FORBIDDEN[work.args["call"]]()
    return {"survived": True}


def fork(_: Work) -> dict[str, Any]:
    try:
        return {"process": os.fork()}
    except OSError as error:
        return {"errno": error.errno}


def say(work: Work) -> dict[str, Any]:
    """Say what the file says over the wire, be it what a child of ours never says."""
    assert work.wire
    os.write(work.wire._descriptor, work.file.read())
    return {}


TASKS = {
    one.__name__: one
    for one in (
        nothing,
        digest,
        copy,
        pour,
        refuse,
        fail,
        eat_memory,
        eat_time,
        sleep,
        limits,
        abort,
        crash,
        forbidden,
        fork,
        say,
    )
}


def warm_up() -> None:
    """There is nothing to warm."""
