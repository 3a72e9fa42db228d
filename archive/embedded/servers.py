"""Run the embedded servers that are needed, once a data folder; others who need them meanwhile use the running ones."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from archive.embedded import valkey
from archive.embedded.places import addresses, socket_folder
from archive.embedded.postgres import Postgres, find_binaries
from archive.embedded.privileges import User, own, service_user
from archive.errors import StartRefused
from archive.supervisor import Lines, Supervisor

if TYPE_CHECKING:
    from archive.settings import Addresses, Settings
    from archive.supervisor import Program

# A start on a disk this full would fail later and less clearly.
_LEAST_FREE = 64 << 20
_HOW_TO_GET = "Install the wheels with 'pip install tagphoto[embedded]', or set {variable}."


class AlreadyRunning(StartRefused):
    """Another process runs the servers of this data folder."""


@asynccontextmanager
async def running(
    settings: Settings, supervisor: Supervisor, *, postgres_options: Sequence[str] = ()
) -> AsyncIterator[Addresses]:
    """Run what no URL names. The data folder is ours alone meanwhile."""
    with data_folder(settings.data):
        for program in _programs(settings, tuple(postgres_options)):
            await supervisor.add(program)
        yield addresses(settings)


@asynccontextmanager
async def reachable(settings: Settings) -> AsyncIterator[Addresses]:
    """Have the servers for one command: those of a running service, or our own for as long as it takes."""
    supervisor = Supervisor(Lines(None))
    try:
        async with running(settings, supervisor) as found:
            try:
                yield found
            finally:
                await supervisor.stop()
    except AlreadyRunning:
        yield addresses(settings)


@contextmanager
def data_folder(folder: Path) -> Iterator[None]:
    """Make the data folder and hold it: two services in one folder would ruin it."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        message = f"The data folder {folder} cannot be used: {error.strerror}. Choose another one with TAGPHOTO_DATA."
        raise StartRefused(message) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
            message = f"Tagphoto is already running with the data folder {folder} (process {holder}). Stop it first."
            raise AlreadyRunning(message) from error
        if free < _LEAST_FREE:
            message = (
                f"The disk of {folder} is full ({free >> 20} MB free). Make room, or choose another TAGPHOTO_DATA."
            )
            raise StartRefused(message)
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


def _programs(settings: Settings, postgres_options: tuple[str, ...]) -> list[Program]:
    if settings.database_url and settings.redis_url:
        return []
    user = service_user()
    _make_socket_folder(socket_folder(settings.data), user)
    programs = []
    if not settings.database_url:
        binaries = find_binaries()
        if binaries is None:
            raise StartRefused("No PostgreSQL was found. " + _HOW_TO_GET.format(variable="TAGPHOTO_DATABASE_URL"))
        server = Postgres(settings.data, user, binaries, postgres_options)
        server.prepare()
        programs.append(server.program())
    if not settings.redis_url:
        binary = valkey.find_binary()
        if binary is None:
            raise StartRefused("No Valkey or Redis was found. " + _HOW_TO_GET.format(variable="TAGPHOTO_REDIS_URL"))
        programs.append(valkey.program(settings.data, user, binary))
    return programs


def _make_socket_folder(folder: Path, user: User) -> None:
    """Make the folder whose only protection is that nobody else can enter it; one made by somebody else is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid not in {os.geteuid(), user.uid} or folder.is_symlink():
        message = f"{folder} belongs to another user. Remove it, or choose a shorter TAGPHOTO_DATA."
        raise StartRefused(message)
    folder.chmod(0o700)
    own(folder, user)
