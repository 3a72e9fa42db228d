"""A small HTTP server for one file, with ranges, that remembers what was asked of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!doctype html><title>film</title><video muted preload=metadata></video>"


@dataclass(slots=True)
class Served:
    """The server's address, and the beginnings of the ranges that were asked for."""

    url: str
    starts: list[int] = field(default_factory=list)


@contextmanager
def served_film(content: bytes, kind: str = "video/mp4") -> Iterator[Served]:
    """Serve a page at ``/`` and the film at ``/film``."""
    served = Served("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path != "/film":
                self._answer(200 if self.path == "/" else 204, PAGE if self.path == "/" else b"", "text/html")
                return
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-"))
            assert found is not None
            start, last = int(found[1]), int(found[2] or len(content) - 1)
            served.starts.append(start)
            part = content[start : last + 1]
            self._answer(206, part, kind, f"bytes {start}-{start + len(part) - 1}/{len(content)}")

        def _answer(self, status: int, body: bytes, kind: str, part: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Accept-Ranges", "bytes")
            if part:
                self.send_header("Content-Range", part)
            self.end_headers()
            try:
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # a browser that has seen enough hangs up

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
