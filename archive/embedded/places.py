"""Where the embedded servers live. Everything follows from the data folder, so every process finds them by itself."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from archive.settings import Addresses

if TYPE_CHECKING:
    from archive.settings import Settings

ROLE = DATABASE = "tagphoto"
# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero among them.
_SOCKET_NAME = 100 - len("/.s.PGSQL.5432.lock")


def addresses(settings: Settings) -> Addresses:
    """Say where database, Redis and store are: where the settings say, or embedded below the data folder."""
    sockets = socket_folder(settings.data)
    return Addresses(
        database=settings.database_url or f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(sockets), safe='')}",
        redis=settings.redis_url or f"unix://{quote(str(valkey_socket(settings.data)))}",
        store=settings.store_url or (settings.data.absolute() / "store").as_uri(),
        mirror=settings.mirror_url,
    )


def socket_folder(data: Path) -> Path:
    """Keep sockets below the data folder, or in a private temporary one when that path cannot name a socket.

    It may be too long, or hold a comma, at which the database's client cuts it into several hosts.
    """
    folder = data.absolute() / "run"
    if len(str(folder).encode()) <= _SOCKET_NAME and "," not in str(folder):
        return folder
    short = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tagphoto-{short}"


def valkey_socket(data: Path) -> Path:
    """Name Valkey's socket."""
    return socket_folder(data) / "valkey.sock"
