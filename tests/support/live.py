"""The application on a real socket, in this process: for what a transport without one cannot show."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Serve on the test's own event loop; gives the base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = _server(app)
    task = asyncio.create_task(_serve(server, listener))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        app.state.hub.end_streams()
        server.should_exit = True
        await task


@contextmanager
def served_in_thread(app: FastAPI) -> Iterator[str]:
    """Serve on an event loop of its own, for callers that block."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = _server(app)
    thread = threading.Thread(target=lambda: asyncio.run(_serve(server, listener)))
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the application did not start"
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    with listener:
        await server.serve(sockets=[listener])
    # The server gives up on a connection that nobody reads or that came while it closed; the loop may end with it.
    while left := server.server_state.connections:
        for connection in tuple(left):
            connection.transport.abort()
        await asyncio.sleep(0)


class _Quiet(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Leave signals to the test runner."""


def _server(app: FastAPI) -> uvicorn.Server:
    return _Quiet(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=2))
