"""The child's life: it is forked, limits itself, does one task, and ends."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archive.media import seccomp
from archive.media.confinement import die_with_parent
from archive.media.file import MemoryFile, RangeFile, SourceFile
from archive.media.limits import Limits
from archive.media.protocol import PIECE_BYTES, Kind, Wire
from archive.media.verdict import LimitExceeded, Refused, Verdict

if TYPE_CHECKING:
    from archive.media.tasks import Task

_DETAIL_CHARACTERS = 300
_STATUS_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Ground:
    """What the zygote prepared before it forked."""

    libc: ctypes.CDLL
    tasks: dict[str, Task]
    # Bytes of address space.
    own_size: int
    zygote: int


class Memory:
    """The child's address space: a limit below one that is never passed.

    A decoder that gets no memory often says that the file is broken. So what has failed is tried again with more, and
    is called broken only if that needed no more than the limit.
    """

    def __init__(self, base: int, limits: Limits) -> None:
        self._limit = base + limits.memory
        self._most = self._limit + limits.memory_spare
        # Opened while there is still a way to; read after the filter is in place.
        self._status = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
        resource.setrlimit(resource.RLIMIT_AS, (self._limit, self._most))

    def widen(self) -> None:
        """Allow more, to find out whether memory was what was lacking."""
        resource.setrlimit(resource.RLIMIT_AS, (self._most, self._most))

    def exceeded(self) -> bool:
        """Whether more was ever used than the limit; can be so only after ``widen``."""
        for line in os.pread(self._status, _STATUS_BYTES, 0).splitlines():
            if line.startswith(b"VmPeak:"):
                return int(line.split()[1]) * 1024 > self._limit
        return True


@dataclass(slots=True)
class Work:
    """All that a task has: the file, its arguments, its limits, and ways to give things back."""

    file: SourceFile
    args: dict[str, Any]
    limits: Limits
    memory: Memory | None = None
    wire: Wire | None = None
    given: int = 0

    def progress(self, done: int, total: int) -> None:
        """Say how far it is."""
        if self.wire:
            self.wire.send_json(Kind.PROGRESS, [done, total])

    def emit(self, name: str, content: bytes | memoryview) -> None:
        """Give a small blob."""
        with self.blob(name) as blob:
            blob.write(content)

    @contextmanager
    def blob(self, name: str) -> Iterator[Blob]:
        """Give a blob piece by piece; one at a time."""
        assert self.wire, "this work has nobody to give to"
        self.wire.send(Kind.BLOB, name.encode())
        yield Blob(self, self.wire)
        self.wire.send(Kind.END)


@dataclass(slots=True)
class Blob:
    """A named stream of bytes on its way to the parent; waits while there is no room."""

    work: Work
    wire: Wire

    def write(self, content: bytes | bytearray | memoryview) -> int:
        """Give some bytes."""
        left = memoryview(content)
        self.work.given += len(left)
        if self.work.given > self.work.limits.output_bytes:
            message = f"it makes more than {self.work.limits.output_bytes} bytes"
            raise LimitExceeded(message)
        while left:
            self.wire.send(Kind.DATA, left[:PIECE_BYTES])
            left = left[PIECE_BYTES:]
        return len(content)


def live(ground: Ground, channel: int, memory_file: int | None) -> None:
    """Do one task, say how it went, and end the process."""
    code = 70
    try:
        die_with_parent(ground.libc)
        if os.getppid() == ground.zygote:  # else it was killed before we asked
            _work(ground, Wire(channel), memory_file)
            code = 0
    finally:
        # Nothing is flushed, closed or torn down: whatever a decoder left behind ends here.
        os._exit(code)


def _work(ground: Ground, wire: Wire, memory_file: int | None) -> None:
    wanted = _asked(wire)
    limits = Limits(**wanted["limits"])
    size: int = wanted["size"]
    mapped = memory_file is not None
    file = RangeFile(wire, size, limits.memory // 4) if memory_file is None else MemoryFile.of(memory_file, size)
    work = Work(file, wanted["args"], limits, wire=wire)
    work.memory = _confine(ground, limits, size if mapped else 0)
    task = ground.tasks.get(wanted["task"])
    wire.send_json(Kind.RESULT, _outcome(task, work))


def _asked(wire: Wire) -> dict[str, Any]:
    import json  # noqa: PLC0415 - long imported, named here for what it is used for

    document: dict[str, Any] = json.loads(wire.receive(Kind.TASK))
    return document


def _confine(ground: Ground, limits: Limits, mapped: int) -> Memory:
    memory = Memory(ground.own_size + mapped, limits)
    # More processor time than this is a signal that ends the process; a second more, one that nothing can stop.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits.open_files, limits.open_files))
    # Processes are forbidden by the filter; this bounds threads, and with them those of everybody of our user.
    resource.setrlimit(resource.RLIMIT_NPROC, (limits.threads, limits.threads))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The parent watches the clock; this is for a parent that is stopped.
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 2)
    seccomp.forbid_new_privileges(ground.libc)
    seccomp.install(ground.libc, seccomp.assemble(os.getpid()))
    return memory


def _outcome(task: Task | None, work: Work) -> dict[str, Any]:
    try:
        if task is None:
            return _ended(Verdict.UNSUPPORTED, "no such task")
        return {"verdict": Verdict.OK, "value": task(work)}
    except Refused as refused:
        if refused.verdict is Verdict.CORRUPT and work.memory and work.memory.exceeded():
            return _ended(Verdict.RESOURCE_LIMIT, f"it needs more memory than it may have ({refused.detail})")
        return _ended(refused.verdict, refused.detail)
    except MemoryError:
        return _ended(Verdict.RESOURCE_LIMIT, "it needs more memory than it may have")
    except Exception as error:  # noqa: BLE001 - whatever a decoder throws is said, not printed
        return _ended(Verdict.CRASH, f"{type(error).__name__}: {error}")


def _ended(verdict: Verdict, detail: str) -> dict[str, Any]:
    clean = "".join(character if character.isprintable() else " " for character in detail)
    return {"verdict": verdict, "detail": clean[:_DETAIL_CHARACTERS], "value": None}
