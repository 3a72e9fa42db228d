"""A PostgreSQL with a migrated template database, and a Valkey: started as the service starts its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from archive import schema
from archive.embedded import addresses as places_of
from archive.embedded import valkey
from archive.embedded.places import socket_folder
from archive.embedded.postgres import Postgres, find_binaries
from archive.embedded.privileges import service_user
from archive.embedded.servers import make_socket_folder
from archive.settings import read_settings
from tests.support import servers

# Tests lose nothing they want to keep in a power cut.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass
class Cluster:
    """The running servers."""

    folder: Path
    postgres: Postgres
    process: subprocess.Popen[bytes]
    redis_url: str

    def dsn(self, database: str) -> str:
        return f"postgresql://tagphoto@/{database}?host={socket_folder(self.folder)}"

    def kill_postgres(self) -> None:
        """Stop the server as a power cut would."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def start_postgres(self) -> None:
        self.process = servers.start(self.postgres.program())

    async def execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.dsn("postgres"))
        await connection.execute(statement)
        await connection.close()


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    # The servers may run as another user, who has to get there.
    for parent in [folder, *folder.parents][:4]:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(0o755)
    user, binaries, binary = service_user(), find_binaries(), valkey.find_binary()
    assert binaries is not None
    assert binary is not None
    make_socket_folder(socket_folder(folder), user)
    postgres = Postgres(folder, user, binaries, _FAST)
    postgres.prepare()
    with ExitStack() as stack:
        stack.enter_context(servers.running(valkey.program(folder, user, binary)))
        redis_url = places_of(read_settings(data=folder)).redis
        cluster = Cluster(folder, postgres, servers.start(postgres.program()), redis_url)
        stack.callback(lambda: servers.stop(postgres.program(), cluster.process))
        asyncio.run(_make_template(cluster))
        yield cluster


async def _make_template(cluster: Cluster) -> None:
    await cluster.execute("CREATE DATABASE template")
    await schema.upgrade(cluster.dsn("template"))
