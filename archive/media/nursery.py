"""Where children come from: the parent's side of the zygote, which is started when needed and again when it died."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import itertools
import json
import os
import socket
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from archive import log
from archive.errors import TagphotoError
from archive.media import confinement

_log = log.get("media")
_MESSAGE_BYTES = 4096
# Importing every decoder takes two seconds, and much longer from a slow disk.
_START_SECONDS = 120
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    # No decoder may have threads when the zygote forks, nor start any later.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    # Each child's memory is new to it: in large pages, a third of what a photo takes of the kernel's time is saved.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
_ENTRY = "import sys; sys.path.insert(0, {root!r}); from archive.media.zygote import main; main({arguments})"
_ROOT = Path(__file__).resolve().parents[2]


class SandboxFailed(TagphotoError):
    """No child can be made here; it is no fault of the file's."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its status, as ``wait`` has it, or none if the zygote died before it could say."""

    status: int | None
    cpu_seconds: float = 0
    memory: int = 0
    # Why there never was a child.
    failed: str | None = None


@dataclass(slots=True)
class Child:
    """A child that was asked for."""

    number: int
    zygote: Zygote
    ended: asyncio.Future[Ended]

    def kill(self) -> None:
        """End it now, unless it has ended."""
        if not self.ended.done():
            self.zygote.tell({"do": "kill", "number": self.number})


class Nursery:
    """Keeps a zygote."""

    def __init__(self, *, use_bubblewrap: bool | None, plugins: tuple[str, ...]) -> None:
        self._use_bubblewrap = use_bubblewrap
        self._plugins = plugins
        self._zygote: Zygote | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    async def start(self, channel: socket.socket, memory_file: int | None) -> Child:
        """Make a child with these descriptors. The channel is taken over, the memory file stays the caller's."""
        zygote = await self.ready()
        return zygote.start(channel, memory_file)

    async def ready(self) -> Zygote:
        """Give a living zygote."""
        if self._zygote is None or self._zygote.dead:
            async with self._starting:
                if self._closed:
                    raise SandboxFailed("The sandbox is closed.")
                if self._zygote is None or self._zygote.dead:
                    await self._end()
                    self._zygote = await self._started()
                if self._closed:  # meanwhile
                    raise SandboxFailed("The sandbox is closed.")
        return self._zygote

    async def close(self) -> None:
        """End the zygote for good, also one that is being started just now."""
        self._closed = True
        async with self._starting:
            await self._end()

    async def _end(self) -> None:
        if self._zygote:
            await self._zygote.close()
            self._zygote = None

    async def _started(self) -> Zygote:
        prefix = None
        if self._use_bubblewrap is not False:
            prefix = await asyncio.to_thread(confinement.bubblewrap, _visible(self._plugins))
            if prefix is None and self._use_bubblewrap:
                raise SandboxFailed(
                    "bubblewrap is not there or does not work here. Install it, or allow it namespaces."
                )
        try:
            return await Zygote.started(prefix, self._plugins)
        except SandboxFailed:
            if prefix is None or self._use_bubblewrap:
                raise
            _log.warning("media.bubblewrap_failed")
            return await Zygote.started(None, self._plugins)


class Zygote:
    """A running zygote."""

    def __init__(
        self, process: subprocess.Popen[bytes], line: socket.socket, hello: dict[str, Any], *, wrapped: bool
    ) -> None:
        self.dead = False
        self._process = process
        self._line = line
        self._hello = hello
        self._wrapped = wrapped
        self._numbers = itertools.count(1)
        self._children: dict[int, Child] = {}
        self._waiting: deque[tuple[bytes, list[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(line.fileno(), self._listen)

    @classmethod
    async def started(cls, prefix: tuple[str, ...] | None, plugins: tuple[str, ...]) -> Zygote:
        """Start one, and wait until it is ready."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mine.setblocking(False)
        arguments = f"{theirs.fileno()}, {list(plugins)!r}, wrapped={prefix is not None}"
        entry = _ENTRY.format(root=str(_ROOT), arguments=arguments)
        with theirs, open("/dev/null", "r+b") as null:  # noqa: ASYNC230, PTH123
            process = _spawn(
                (*(prefix or ()), *_setenv(prefix), sys.executable, "-I", "-c", entry), theirs, null.fileno()
            )
        try:
            async with asyncio.timeout(_START_SECONDS):
                hello = await asyncio.get_running_loop().sock_recv(mine, _MESSAGE_BYTES)
            if not hello:
                raise SandboxFailed(
                    "The decoders' process ended while it started; its last words are on standard error."
                )
            return cls(process, mine, json.loads(hello), wrapped=prefix is not None)
        except BaseException as error:
            mine.close()
            process.kill()
            process.wait()
            if isinstance(error, TimeoutError):
                raise SandboxFailed("The decoders' process did not get ready.") from error
            raise

    def start(self, channel: socket.socket, memory_file: int | None) -> Child:
        """Ask for a child."""
        child = Child(next(self._numbers), self, self._loop.create_future())
        self._children[child.number] = child
        descriptors = [channel.detach()]
        if memory_file is not None:
            descriptors.append(os.dup(memory_file))
        self.tell({"do": "start", "number": child.number}, descriptors)
        return child

    def tell(self, message: dict[str, Any], descriptors: list[int] | None = None) -> None:
        """Send a message, at once if there is room."""
        if self.dead:
            _close(descriptors or [])
            return
        self._waiting.append((json.dumps(message).encode(), descriptors or []))
        self._flush()

    def capabilities(self) -> dict[str, str]:
        """Say what confines its children, a sentence each."""
        left = ", ".join(self._hello["namespaces"])
        return {
            "bubblewrap": "Decoders run inside bubblewrap: they see no file but programs, and can write none."
            if self._wrapped
            else "bubblewrap is not in force: install the package 'bubblewrap', or allow it namespaces.",
            "namespaces": f"Decoders have namespaces of their own: {left}."
            if left
            else "Decoders share the machine's namespaces; only the filter of calls keeps them from the network.",
            "seccomp": "A decoder that asks the kernel for more than memory and what is open is killed."
            if self._hello["seccomp"]
            else "The kernel takes no filter of calls, or this machine is unknown to us: decoders could open files.",
            "rlimits": "Memory, processor time, files and processes of a decoder are limited.",
            "user": f"Decoders run as user {self._hello['user']}, without capabilities.",
        }

    async def close(self) -> None:
        """End it, and all its children."""
        self._lose()
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    def _flush(self) -> None:
        try:
            while self._waiting:
                content, descriptors = self._waiting[0]
                socket.send_fds(self._line, [content], descriptors)
                self._waiting.popleft()
                _close(descriptors)
        except BlockingIOError:
            self._loop.add_writer(self._line.fileno(), self._flush)
            return
        except OSError:
            self._lose()
            return
        self._loop.remove_writer(self._line.fileno())

    def _listen(self) -> None:
        try:
            while content := self._line.recv(_MESSAGE_BYTES):
                self._hear(json.loads(content))
        except BlockingIOError:
            return
        except OSError:
            pass
        _log.warning("media.zygote_died")
        self._lose()

    def _hear(self, message: dict[str, Any]) -> None:
        child = self._children.pop(message["number"], None)
        if child is None or child.ended.done():
            return
        if "failed" in message:
            child.ended.set_result(Ended(None, failed=message["failed"]))
        else:
            child.ended.set_result(Ended(message["status"], message["cpu"], message["memory"]))

    def _lose(self) -> None:
        if self.dead:
            return
        self.dead = True
        with contextlib.suppress(OSError):
            self._loop.remove_reader(self._line.fileno())
            self._loop.remove_writer(self._line.fileno())
        self._line.close()
        for _, descriptors in self._waiting:
            _close(descriptors)
        self._waiting.clear()
        for child in self._children.values():
            if not child.ended.done():
                child.ended.set_result(Ended(None))
        self._children.clear()
        # Inside bubblewrap this ends the whole namespace; outside, the children ask to die with the zygote.
        self._process.kill()


def _spawn(arguments: tuple[str, ...], line: socket.socket, null: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        arguments,
        stdin=null,
        stdout=null,
        pass_fds=(line.fileno(),),
        env=_ENVIRONMENT,
        start_new_session=True,
        cwd="/",
    )


def _setenv(prefix: tuple[str, ...] | None) -> tuple[str, ...]:
    if prefix is None:
        return ()
    return tuple(word for name, value in _ENVIRONMENT.items() for word in ("--setenv", name, value))


def _close(descriptors: list[int]) -> None:
    for one in descriptors:
        os.close(one)


@cache
def _visible(plugins: tuple[str, ...]) -> tuple[Path, ...]:
    """Find the folders the zygote's imports come from: the interpreter, what is installed, and our packages."""
    folders = {
        Path(sys.prefix),
        Path(sys.base_prefix),
        *(Path(name) for name in sys.path if name.endswith("-packages")),
    }
    for name in ("archive", "ml", *plugins):
        found = importlib.util.find_spec(name.partition(".")[0])
        assert found, f"no package of {name}"
        folders |= {Path(place) for place in found.submodule_search_locations or ()}
    system = Path("/usr")
    # Paths may lead through links, and the interpreter is found by both.
    folders.add(Path(sys.executable).parent)
    wanted = {path for folder in folders if folder.is_dir() for path in (folder.absolute(), folder.resolve())}
    return tuple(sorted(one for one in wanted if system not in one.parents and not wanted & set(one.parents)))
