"""A proxy that does to HTTP requests what networks and servers do: it is between a store and its server.

A fault is given a request, whole, and a way to the server; it returns what the client gets before its connection ends.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Forward = Callable[[bytes], Awaitable[bytes]]
Fault = Callable[[bytes, Forward], Awaitable[bytes]]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


def busy(status: int = 503, code: str = "SlowDown") -> Fault:
    """Let the server refuse for now."""

    async def fault(_request: bytes, _forward: Forward) -> bytes:
        body = f"<Error><Code>{code}</Code><Message>later</Message></Error>".encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"Connection: close\r\n\r\n" + body

    return fault


def request_cut(size: int) -> Fault:
    """Break the line when so much of the body has gone to the server."""

    async def fault(request: bytes, forward: Forward) -> bytes:
        head, body = _parted(request)
        await forward(head + body[:size])
        return b""

    return fault


def reply_cut(size: int) -> Fault:
    """Break the line when so much of the answer's body has come."""

    async def fault(request: bytes, forward: Forward) -> bytes:
        head, body = _parted(await forward(request))
        return head + body[:size]

    return fault


async def reply_lost(request: bytes, forward: Forward) -> bytes:
    """Let the server do it and nobody hear of it."""
    await forward(request)
    return b""


async def silence(_request: bytes, _forward: Forward) -> bytes:
    """Take a request and never answer."""
    await asyncio.Event().wait()
    return b""


def request_damaged(at: int) -> Fault:
    """Flip a bit on the way to the server."""

    async def fault(request: bytes, forward: Forward) -> bytes:
        head, body = _parted(request)
        return await forward(head + body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])

    return fault


def reply_changed(change: Callable[[bytes], bytes]) -> Fault:
    """Let the server answer otherwise."""

    async def fault(request: bytes, forward: Forward) -> bytes:
        return change(await forward(request))

    return fault


def request_changed(change: Callable[[bytes], bytes]) -> Fault:
    """Let the server understand otherwise."""

    async def fault(request: bytes, forward: Forward) -> bytes:
        return await forward(change(request))

    return fault


@dataclass
class Plan:
    """The next so many requests that begin so get this fault."""

    begins: str
    fault: Fault
    times: int


@dataclass
class Proxy:
    """Where it listens, what it is to do, and what it was asked."""

    server: str
    address: str = ""
    plans: list[Plan] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    def plan(self, begins: str, fault: Fault, times: int = 1) -> None:
        """``begins`` is a pattern for the first line: ``PUT /bucket/key``."""
        self.plans.append(Plan(begins, fault, times))

    def asked(self, begins: str) -> int:
        """Count the requests whose first line begins so."""
        return sum(re.match(begins.encode(), request) is not None for request in self.requests)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request and answer it, then end the connection."""
        async with _closed(writer):
            request = await _request(reader)
            self.requests.append(request)
            fault = self._fault(request)
            writer.write(await (fault(request, self._forward) if fault else self._forward(request)))
            await writer.drain()

    def _fault(self, request: bytes) -> Fault | None:
        for plan in self.plans:
            if plan.times and re.match(plan.begins.encode(), request):
                plan.times -= 1
                return plan.fault
        return None

    async def _forward(self, request: bytes) -> bytes:
        host, port = self.server.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        reply = b""
        async with _closed(writer):
            writer.write(request)
            if len(request) < _whole(request):
                writer.write_eof()
            reply = await reader.read()
        return reply  # noqa: RET504  # the connection may have ended before there was one


@asynccontextmanager
async def _closed(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close a connection at the end; that the other side did before is what faults are about."""
    with suppress(OSError, asyncio.IncompleteReadError):
        try:
            yield
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def between(server: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """Listen before a server."""
    proxy = Proxy(server)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(proxy.answer(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    proxy.address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    found = _LENGTH.search(head)
    body = await reader.readexactly(int(found[1])) if found else b""
    # One request a connection: then a connection that ends is always a fault that was meant.
    return head[:-2] + b"Connection: close\r\n\r\n" + body


def _parted(message: bytes) -> tuple[bytes, bytes]:
    head, end, body = message.partition(b"\r\n\r\n")
    return head + end, body


def _whole(request: bytes) -> int:
    head, _ = _parted(request)
    found = _LENGTH.search(head)
    return len(head) + (int(found[1]) if found else 0)
