"""``tagphoto serve``: the whole service under one supervisor."""

from __future__ import annotations

import asyncio
import errno
import shutil
import socket
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import click
import redis

from api import counters
from api.cli import common
from api.cli.work import add_workers, until_told_to_stop
from archive import __version__, installation, schema
from archive.db import Database, create_engine
from archive.embedded.servers import running
from archive.errors import StartRefused
from archive.queue.wake import Bell
from archive.settings import Addresses, Settings, masked
from archive.supervisor import Lines, Program, Supervisor

# Longer than the API process itself gives its last answers.
_GRACE = 10


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--workers", type=click.IntRange(0, 64), help="Worker processes; 0 when other hosts work.")
@click.option("--api-processes", type=click.IntRange(1, 64), help="API processes.")
def serve(host: str | None, port: int | None, workers: int | None, api_processes: int | None) -> None:
    """Start the service: what no URL names is embedded, then the API, the web client and the workers."""
    common.run(_serve, host=host, port=port, workers=workers, api_processes=api_processes)


async def _serve(settings: Settings) -> None:
    stop = until_told_to_stop()
    # First of all: a port in use is the commonest reason not to start, and must not cost a minute to find.
    listener = _listen(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    _prepare_folder(settings.data)
    async with AsyncExitStack() as stack:
        # Whoever presses Ctrl-C while it starts need not wait until it has.
        starting = asyncio.create_task(_start(stack, settings, listener))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
        if not starting.cancelled():
            starting.result()
        await stopping
        _say("stopping", "…")
    _say("stopped", "all data is safe in " + str(settings.data))


async def _start(stack: AsyncExitStack, settings: Settings, listener: socket.socket) -> None:
    lines = Lines(settings.data / "logs" / "tagphoto.log")
    lines.take_own_log("serve")
    supervisor = Supervisor(lines)
    _say("starting", f"Tagphoto {__version__}, data in {settings.data}")
    addresses = await stack.enter_async_context(running(settings, supervisor))
    link = await _prepare_database(settings, addresses)
    await common.require_store(addresses)
    _say("database", masked(addresses.database) if settings.database_url else "PostgreSQL, embedded")
    _say("redis", await _redis(addresses) if settings.redis_url else "Valkey, embedded")
    _say("store", masked(addresses.store))
    for number in range(1, settings.api_processes + 1):
        await supervisor.add(_api_program(settings, listener, number))
    await add_workers(stack, supervisor, addresses, settings.workers, environment=_address(settings))
    _say("ready", settings.url)
    if link:
        _say("first admin", link)
        _say("", "Open this link to make the first account. It works once, until the next start or for 7 days.")


async def _redis(addresses: Addresses) -> str:
    """Name the Redis. One that is away refuses no start: photos are received meanwhile, and their jobs wait."""
    bell = Bell(addresses.redis)
    try:
        await bell.ping()
    except redis.RedisError as error:
        return (
            f"{masked(addresses.redis)} cannot be reached now ({common.said(error)}). Jobs wait until it can: "
            "check that it runs and that TAGPHOTO_REDIS_URL is right."
        )
    finally:
        bell.close()
    return masked(addresses.redis)


async def _prepare_database(settings: Settings, addresses: Addresses) -> str | None:
    await common.require_database(settings, addresses)
    await schema.upgrade(addresses.database)
    database = Database(create_engine(addresses.database, pool_size=1))
    try:
        await installation.prepare(database, settings.key_file, settings.given_root_keys)
        return await installation.first_admin_link(database, settings.url)
    finally:
        await database.close()


def _prepare_folder(data: Path) -> None:
    try:
        logs = data / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        logs.chmod(0o700)  # they hold addresses and who did what; only we write there
        probe = logs / ".writable"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        message = f"The data folder {data} cannot be written to: {error.strerror}. Choose another with TAGPHOTO_DATA."
        raise StartRefused(message) from error


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        mend = {
            errno.EADDRINUSE: "Stop what uses it, or choose another with TAGPHOTO_PORT.",
            errno.EACCES: "Only root may use ports below 1024; choose another with TAGPHOTO_PORT.",
        }.get(error.errno or 0, "Choose an address of this machine with TAGPHOTO_HOST, such as 127.0.0.1 or 0.0.0.0.")
        message = f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. {mend}"
        raise StartRefused(message) from error
    return listener


def _address(settings: Settings) -> dict[str, str]:
    """Tell a program where the API really listens: it makes links of that, and the command line may have said it."""
    return {"TAGPHOTO_HOST": settings.host, "TAGPHOTO_PORT": str(settings.port)}


def _api_program(settings: Settings, listener: socket.socket, number: int) -> Program:
    environment = _address(settings)
    if settings.api_processes > 1:
        folder = settings.data / "run" / "metrics"
        if number == 1:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        environment[counters.FOLDER_VARIABLE] = str(folder)

    async def ready() -> bool:
        return await _answers(listener)

    return Program(
        name=f"api{number}",
        argv=(sys.executable, "-m", "api", "api-process", "--descriptor", str(listener.fileno())),
        environment=environment,
        descriptors=(listener.fileno(),),
        grace=_GRACE,
        ready=ready,
    )


async def _answers(listener: socket.socket) -> bool:
    host, port = listener.getsockname()[:2]
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET /api/v1/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            status = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status


def _say(what: str, text: str) -> None:
    with suppress(OSError, ValueError):  # a terminal that was closed ends no service
        click.echo(f"  {what:<12} {text}", err=True)
