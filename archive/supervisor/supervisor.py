"""Start, watch, restart and stop programs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections import deque
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archive import log
from archive.errors import StartRefused
from archive.supervisor.program import die_with_parent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from archive.supervisor.lines import Lines
    from archive.supervisor.program import Program

_log = log.get("supervisor")
_LINE_LIMIT = 1 << 20
_READY_PAUSE = 0.05
_LAST_WORDS = 2.0
# A program that dies young is restarted after longer and longer pauses.
_FIRST_PAUSE, _LONGEST_PAUSE, _OLD_ENOUGH = 0.2, 30.0, 30.0


@dataclass(slots=True)
class _Child:
    """A program that is kept running."""

    program: Program
    name: str
    process: asyncio.subprocess.Process
    reader: asyncio.Task[None]
    last_lines: deque[str]
    keeper: asyncio.Task[None] | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    started: float = field(default_factory=lambda: asyncio.get_running_loop().time())


class Supervisor:
    """Keeps programs running, in the order they were added."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._children: list[_Child] = []

    async def add(self, program: Program, *, patience: float = 60) -> None:
        """Start a program, wait until it is ready, then keep it running. One that cannot start refuses our start."""
        child = await self._start(program)
        self._children.append(child)
        try:
            async with asyncio.timeout(patience):
                await self._until_ready(child)
        except TimeoutError as error:
            message = f"{program.name} was not ready within {patience:.0f} seconds. {_said(child)}"
            raise StartRefused(message) from error
        child.keeper = asyncio.create_task(self._keep(child))

    async def stop(self, kind: str | None = None) -> None:
        """Stop what runs, last started first; or only the programs of one kind, such as ``worker``."""
        while running := [child for child in self._children if kind in {None, _kind(child)}]:
            # Programs of one kind are stopped together: their graces must not add up.
            same = [child for child in running if _kind(child) == _kind(running[-1])]
            await asyncio.gather(*(self._stop(child) for child in same))
            self._children = [child for child in self._children if child not in same]

    async def _start(self, program: Program) -> _Child:
        name = program.new_name() if program.new_name else program.name
        # A pipe of our own: asyncio's would make whoever waits for the process wait for the pipe's end, too.
        output, for_child = os.pipe()
        try:
            process = await _spawn(program, name, for_child)
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(for_child)
        last_lines: deque[str] = deque(maxlen=8)
        return _Child(program, name, process, asyncio.create_task(self._read(program, output, last_lines)), last_lines)

    async def _read(self, program: Program, output: int, last_lines: deque[str]) -> None:
        async with _stream(output) as stream:
            while True:
                try:
                    raw = await stream.readline()
                except ValueError:  # a line longer than the limit: its beginning is dropped
                    continue
                if not raw:
                    return
                line = raw.decode(errors="replace").rstrip()
                last_lines.append(line)
                with suppress(Exception):  # whatever is wrong there: a pipe that nobody reads stops the program
                    self._lines.write(program.name, line, quiet=program.quiet)

    async def _until_ready(self, child: _Child) -> None:
        while True:
            if child.process.returncode is not None:
                await _read_out(child)
                message = f"{child.program.name} stopped at once. {_said(child)}"
                raise StartRefused(message)
            if child.program.ready is None or await child.program.ready():
                return
            await asyncio.sleep(_READY_PAUSE)

    async def _keep(self, child: _Child) -> None:
        pause = _FIRST_PAUSE
        while True:
            await child.process.wait()
            await _read_out(child)
            await self._tell(child)
            if child.stopping.is_set():
                return
            loop = asyncio.get_running_loop()
            pause = _FIRST_PAUSE if loop.time() - child.started > _OLD_ENOUGH else min(pause * 2, _LONGEST_PAUSE)
            code = child.process.returncode
            said = child.last_lines[-1] if child.last_lines and child.program.quiet else None
            _log.warning("program.died", program=child.program.name, status=code, restart_in=round(pause, 1), said=said)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await child.stopping.wait()
                return
            child.started = asyncio.get_running_loop().time()
            try:
                fresh = await self._start(child.program)
            except StartRefused as error:
                _log.warning("program.not_restarted", program=child.program.name, error=error.message)
                continue
            child.name, child.process = fresh.name, fresh.process
            child.reader, child.last_lines = fresh.reader, fresh.last_lines
            if child.stopping.is_set():  # asked to stop while it came up: nobody else knows this process
                await self._end(child)

    async def _tell(self, child: _Child) -> None:
        if child.program.ended is None:
            return
        try:
            await child.program.ended(child.name, child.stopping.is_set())
        except Exception as error:  # noqa: BLE001  # the reconciler does the same later; the program must come back now
            _log.warning("program.end_not_told", program=child.program.name, error=str(error).split("\n", 1)[0])

    async def _stop(self, child: _Child) -> None:
        child.stopping.set()
        await self._end(child)
        if child.keeper is not None:
            await asyncio.wait([child.keeper])
        child.reader.cancel()
        await asyncio.wait([child.reader])

    async def _end(self, child: _Child) -> None:
        if child.process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            child.process.send_signal(child.program.stop_signal)
        try:
            async with asyncio.timeout(child.program.grace):
                await child.process.wait()
        except TimeoutError:
            _log.warning("program.killed", program=child.program.name, after=child.program.grace)
            with suppress(ProcessLookupError):
                # With its children: it leads a process group of its own.
                os.killpg(child.process.pid, signal.SIGKILL)
            await child.process.wait()


async def _spawn(program: Program, name: str, output: int) -> asyncio.subprocess.Process:
    named = ("--name", name) if program.new_name else ()
    try:
        return await asyncio.create_subprocess_exec(
            *program.argv,
            *named,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C reaches a whole process group; ours stop in order instead.
            start_new_session=True,
            # Forks from the main thread, which lives as long as we do: the child dies with it.
            preexec_fn=program.enter or die_with_parent(program.stop_signal),
            cwd=program.folder,
            env={**os.environ, **program.environment},
            pass_fds=program.descriptors,
        )
    except (OSError, subprocess.SubprocessError) as error:  # the latter when 'enter' fails in the child
        message = f"{program.name} cannot be started: {error}"
        raise StartRefused(message) from error


@asynccontextmanager
async def _stream(output: int) -> AsyncIterator[asyncio.StreamReader]:
    stream = asyncio.StreamReader(limit=_LINE_LIMIT)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb", buffering=0)
    )
    try:
        yield stream
    finally:
        transport.close()


async def _read_out(child: _Child) -> None:
    # Its own children may outlive it and hold the pipe open; they must not hold its restart up.
    await asyncio.wait([child.reader], timeout=_LAST_WORDS)


def _kind(child: _Child) -> str:
    return child.program.name.rstrip("0123456789")


def _said(child: _Child) -> str:
    return "It said: " + " | ".join(child.last_lines) if child.last_lines else "It said nothing."
