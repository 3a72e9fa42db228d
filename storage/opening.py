"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from storage.base import Store
from storage.local import LocalStore
from storage.memory import MemoryStore
from storage.s3 import S3Address, S3Store


def open_store(url: str) -> Store:
    """Open ``file:///folder``, ``s3://key:secret@host/bucket`` or ``memory:``."""
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return MemoryStore()
    if parts.scheme == "file":
        return LocalStore(Path(url2pathname(parts.path)))
    if parts.scheme == "s3":
        return S3Store(S3Address.parse(url))
    message = f"not the URL of a store: {parts.scheme}://…"
    raise ValueError(message)
