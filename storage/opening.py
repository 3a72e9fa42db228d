"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from storage.base import Store
from storage.local import LocalStore
from storage.memory import MemoryStore
from storage.retrying import RetryingStore
from storage.s3_address import S3Address


def open_store(url: str) -> Store:
    """Open ``file:///folder``, ``s3://key:secret@host/bucket`` or ``memory:``.

    What goes through a network comes with a ``RetryingStore`` around it already.
    """
    place = _parse(url)
    if isinstance(place, Path):
        return LocalStore(place)
    if place is None:
        return MemoryStore()
    from storage.s3 import S3Store  # noqa: PLC0415  # its client costs a third of a second, for a folder in vain

    return RetryingStore(S3Store(place))


def check_url(url: str) -> None:
    """Refuse a URL that names no store, with a ValueError that says what is wrong but shows no secret."""
    _parse(url)


def _parse(url: str) -> Path | S3Address | None:
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return None
    if parts.scheme == "s3":
        return S3Address.parse(url)
    if parts.scheme != "file":
        message = f"not the URL of a store: {parts.scheme}://…"
        raise ValueError(message)
    folder = Path(url2pathname(parts.path))
    # With two slashes the first folder would be taken for a host, and the rest for the whole path.
    if parts.netloc not in {"", "localhost"} or not folder.is_absolute():
        message = "a folder is written with its whole path after three slashes: file:///srv/tagphoto"
        raise ValueError(message)
    return folder
