"""The parent's half of the sandbox: asks the zygote for a child, talks to it, and says how it ended.

Whatever the child does, a run ends: with a verdict within the limits, or at once when it is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from archive.media.limits import DEFAULT, MIB, Limits
from archive.media.nursery import Child, Ended, Nursery, SandboxFailed
from archive.media.protocol import HEADER, RANGE, Kind, Nonsense, frame, json_frame, parse_header, parse_json
from archive.media.source import MemorySource, RangeSource, ReadAhead, Source
from archive.media.verdict import LimitExceeded, Verdict

__all__ = ["BlobSink", "Gathered", "Progress", "Result", "Sandbox", "SandboxFailed", "capabilities"]

Progress = Callable[[int, int], Awaitable[None]]
_STREAM_BYTES = 1 << 18
# Between its result and its end a child has nothing left to do.
_LINGER_SECONDS = 2


class BlobSink(Protocol):
    """Takes blobs, one after the other; the child waits while a piece is being dealt with."""

    async def __call__(self, name: str, pieces: AsyncIterator[bytes], /) -> None:
        """Take a blob; what is left of its pieces is thrown away."""


@dataclass(slots=True)
class Gathered:
    """Takes small blobs into memory."""

    most: int = 32 * MIB
    blobs: dict[str, bytes] = field(default_factory=dict)

    async def __call__(self, name: str, pieces: AsyncIterator[bytes], /) -> None:
        """Keep a blob, unless all together would be too much."""
        held = sum(map(len, self.blobs.values()))
        content = bytearray()
        async for piece in pieces:
            content += piece
            if held + len(content) > self.most:
                message = f"blobs of more than {self.most} bytes"
                raise LimitExceeded(message)
        self.blobs[name] = bytes(content)


@dataclass(frozen=True, slots=True)
class Result:
    """How a task ended, what it found, and what it took."""

    verdict: Verdict
    detail: str | None
    value: dict[str, Any] | None
    cpu_seconds: float
    peak_memory: int


class Sandbox:
    """Runs tasks in children that may do nothing but compute. One a process, for one event loop.

    ``plugins`` names modules with further ``TASKS`` and a ``warm_up``, which the zygote imports; their packages become
    visible to it.
    """

    def __init__(
        self, limits: Limits = DEFAULT, *, use_bubblewrap: bool | None = None, plugins: tuple[str, ...] = ()
    ) -> None:
        self._limits = limits
        self._nursery = Nursery(use_bubblewrap=use_bubblewrap, plugins=plugins)

    async def run(
        self,
        task: str,
        args: dict[str, Any],
        source: Source,
        *,
        limits: Limits | None = None,
        progress: Progress | None = None,
        blobs: BlobSink | None = None,
    ) -> Result:
        """Do a task on a file. Cancelling it kills the child at once.

        What ``progress``, ``blobs`` or the source raise comes out here: it is no fault of the file's.
        """
        limits = limits or self._limits
        mine, theirs = socket.socketpair()
        try:
            child = await self._nursery.start(theirs, source.descriptor if isinstance(source, MemorySource) else None)
        except BaseException:
            mine.close()
            theirs.close()
            raise
        try:
            mine.setblocking(False)
            reader, writer = await asyncio.open_unix_connection(sock=mine, limit=_STREAM_BYTES)
            try:
                writer.write(json_frame(Kind.TASK, _asked(task, args, source, limits)))
                talk = _Conversation(reader, writer, source, limits, progress, blobs)
                return await _ended(talk, child, limits.wall_seconds)
            finally:
                child.kill()
                await _close(writer)
        finally:
            child.kill()

    async def capabilities(self) -> dict[str, str]:
        """Say what confines the children here, a sentence each."""
        return (await self._nursery.ready()).capabilities()

    async def close(self) -> None:
        """End the zygote, and with it every child."""
        await self._nursery.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def capabilities() -> dict[str, str]:
    """Say what would confine children on this machine, a sentence each."""
    async with Sandbox() as sandbox:
        return await sandbox.capabilities()


class _Conversation:
    """What one child says, and what it is answered."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        source: Source,
        limits: Limits,
        progress: Progress | None,
        blobs: BlobSink | None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._ranges = ReadAhead(source) if isinstance(source, RangeSource) else None
        self._left = limits.output_bytes
        self._progress = progress
        self._blobs = blobs or _let_go

    async def result(self) -> dict[str, Any] | None:
        """Listen until the child gives its result, or ends without one."""
        try:
            return await self._listen()
        except _BrokenOff as broken:
            said = _valid(parse_json(broken.result)) if broken.result else None
            if said and said["verdict"] == Verdict.OK:
                raise Nonsense("a good result in the middle of a blob") from broken
            return said
        finally:
            if self._ranges:
                await self._ranges.close()

    async def _listen(self) -> dict[str, Any] | None:
        while (heard := await self._hear()) is not None:
            kind, payload = heard
            if kind is Kind.RESULT:
                return _valid(parse_json(payload))
            if kind is not Kind.BLOB:
                raise Nonsense("a piece of no blob")
            await self._blob(payload)
        return None

    async def _blob(self, name: bytes) -> None:
        if not name.isascii() or not name.decode().isidentifier():
            raise Nonsense("a blob whose name is none")
        async with aclosing(self._pieces()) as pieces:
            await self._blobs(name.decode(), pieces)
            async for _ in pieces:
                pass

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        while True:
            heard = await self._hear()
            if heard is None:
                raise _BrokenOff(None)
            kind, payload = heard
            if kind is Kind.END:
                return
            if kind is Kind.RESULT:
                raise _BrokenOff(payload)
            if kind is not Kind.DATA:
                raise Nonsense("a blob within a blob")
            self._left -= len(payload)
            if self._left < 0:
                raise Nonsense("more blobs than it may give")
            yield payload

    async def _hear(self) -> tuple[Kind, bytes] | None:
        """Give the next frame that is not answered here; none when the child has closed its end."""
        while True:
            try:
                kind, size = parse_header(await self._reader.readexactly(HEADER.size))
                payload = await self._reader.readexactly(size) if size else b""
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            if kind is Kind.WANT:
                await self._give(*RANGE.unpack(payload))
            elif kind is Kind.PROGRESS:
                await self._report(parse_json(payload))
            else:
                return kind, payload

    async def _give(self, start: int, length: int) -> None:
        if self._ranges is None:
            raise Nonsense("a wish for what it has")
        try:
            content = await self._ranges.block(start, length)
        except ValueError as error:
            raise Nonsense(str(error)) from error
        with contextlib.suppress(ConnectionError):
            self._writer.write(frame(Kind.BYTES, content))
            await self._writer.drain()

    async def _report(self, said: object) -> None:
        match said:
            case [int(done), int(total)]:
                if self._progress:
                    await self._progress(done, total)
            case _:
                raise Nonsense("progress that is none")


class _BrokenOff(Exception):
    """The child failed, or ended, while it gave a blob; this tells the sink, too, that the blob is not whole."""

    def __init__(self, result: bytes | None) -> None:
        super().__init__("a blob that broke off")
        self.result = result


async def _ended(talk: _Conversation, child: Child, wall_seconds: float) -> Result:
    """Listen to a child to its end; after this it is gone, whatever it did."""
    said: dict[str, Any] | None = None
    failed: tuple[Verdict, str] | None = None
    try:
        async with asyncio.timeout(wall_seconds) as clock:
            said = await talk.result()
            await asyncio.wait([child.ended], timeout=_LINGER_SECONDS)
    except TimeoutError:
        if not clock.expired():
            raise
        failed = Verdict.TIMEOUT, f"it took more than {wall_seconds:g} seconds"
    except LimitExceeded as exceeded:
        failed = exceeded.verdict, exceeded.detail
    except Nonsense as nonsense:
        failed = Verdict.CRASH, f"the decoder said what it never says: {nonsense}"
    child.kill()
    done, _ = await asyncio.wait([child.ended], timeout=_LINGER_SECONDS)
    end = child.ended.result() if done else Ended(None)
    if end.failed:
        message = f"There is no process for a decoder: {end.failed}."
        raise SandboxFailed(message)
    if failed is None and said is not None:
        return Result(Verdict(said["verdict"]), said["detail"], said["value"], end.cpu_seconds, end.memory)
    verdict, detail = failed or _died(end)
    return Result(verdict, detail, None, end.cpu_seconds, end.memory)


_DEATHS: dict[int, tuple[Verdict, str]] = {
    signal.SIGXCPU: (Verdict.RESOURCE_LIMIT, "it needs more processor time than it may have"),
    signal.SIGALRM: (Verdict.TIMEOUT, "it took too long"),
    signal.SIGKILL: (Verdict.RESOURCE_LIMIT, "the system ended the decoder, most likely for want of memory"),
    signal.SIGSYS: (Verdict.CRASH, "the decoder tried what it may not"),
}


def _died(end: Ended) -> tuple[Verdict, str]:
    """Say why a child ended without a result."""
    if end.status is None:
        return Verdict.CRASH, "the decoder was lost"
    if not os.WIFSIGNALED(end.status):
        return Verdict.CRASH, f"the decoder ended with code {os.waitstatus_to_exitcode(end.status)}"
    number = os.WTERMSIG(end.status)
    return _DEATHS.get(number) or (Verdict.CRASH, f"the decoder died of signal {signal.strsignal(number)}")


def _valid(said: object) -> dict[str, Any]:
    match said:
        case {"verdict": str(verdict), **rest} if verdict in set(Verdict):
            detail, value = rest.get("detail"), rest.get("value")
            if (detail is None or isinstance(detail, str)) and (value is None or isinstance(value, dict)):
                return {"verdict": verdict, "detail": detail, "value": value}
    raise Nonsense("a result that is none")


def _asked(task: str, args: dict[str, Any], source: Source, limits: Limits) -> dict[str, Any]:
    return {"task": task, "args": args, "size": source.size, "limits": asdict(limits)}


async def _let_go(_: str, pieces: AsyncIterator[bytes], /) -> None:
    async for _piece in pieces:
        pass


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
