"""The counters of HTTP requests. With several API processes they are kept in files and added up when they are read."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

# prometheus_client reads this variable itself, when it is imported; ``serve`` sets it for its API processes.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_own = CollectorRegistry()
REQUESTS = Counter("tagphoto_http_requests_total", "Requests answered.", ["method", "route", "status"], registry=_own)
SECONDS = Histogram("tagphoto_http_request_seconds", "Seconds to answer.", ["method", "route"], registry=_own)
STORE_SECONDS = Histogram("tagphoto_store_seconds", "Seconds the store took.", ["operation", "outcome"], registry=_own)
STORE_BYTES = Counter("tagphoto_store_bytes_total", "Bytes to and from the store.", ["operation"], registry=_own)


def observe_store(operation: str, outcome: str, seconds: float, size: int) -> None:
    """Count an act on the store."""
    STORE_SECONDS.labels(operation, outcome).observe(seconds)
    STORE_BYTES.labels(operation).inc(size)


def registry() -> CollectorRegistry:
    """Give the counters of all API processes when there are several, else our own."""
    if FOLDER_VARIABLE not in os.environ:
        return _own
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together
