"""``tagphoto keys``: which keys there are, exchange them, and the code that opens a backup's key file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import click

from api.cli import common
from archive.rotation import library, listing, root
from archive.rotation.source import KeySource
from archive.runtime import Runtime
from archive.settings import Settings


class _RootId(click.ParamType[bytes]):
    """The id of a root key, as ``keys list`` shows it."""

    name = "root id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:  # noqa: ANN401  # click's
        """Read 16 hex digits."""
        try:
            found = value if isinstance(value, bytes) else bytes.fromhex(value)
        except ValueError:
            self.fail(f"{value!r} is not the id of a root key; 'tagphoto keys list' shows them", param, ctx)
        return found


@click.group()
def keys() -> None:
    """Root keys and the keys of libraries."""


@keys.command("list")
def list_keys() -> None:
    """Print the root keys, by their ids, and the versions of each library's key, as JSON. No key is shown."""

    async def action(runtime: Runtime, source: KeySource) -> object:
        async with runtime.database.transaction() as session:
            return await listing.listing(session, source)

    _run(action)


@keys.group()
def rotate() -> None:
    """Exchange keys for new ones. What was cut off is gone on with when it is called again."""


@rotate.command("root")
@click.option("--only-new", is_flag=True, help="Only make the new key: for hosts that each have a copy of the file.")
def rotate_root(*, only_new: bool) -> None:
    """Make a new root key and seal everything under it that was under another. No photo is written anew.

    The service may go on running. The old key stays in the key file until 'tagphoto keys drop'.
    """

    async def action(runtime: Runtime, source: KeySource) -> object:
        return _told(await root.rotate(runtime.database, source, only_new=only_new), source)

    _run(action)


@rotate.command("library")
@click.argument("library_id", type=click.UUID, required=False)
def rotate_library(library_id: UUID | None) -> None:
    """Make a new key for a library, or for all of them, and destroy the old one once no file needs it."""

    async def action(runtime: Runtime, _source: KeySource) -> object:
        database, opener = runtime.database, runtime.vault.keys
        if library_id is None:
            rotated = await library.rotate_all(database, opener)
        else:
            rotated = [await library.rotate(database, opener, library_id)]
        return [_told_of_library(one) for one in rotated]

    _run(action)


@keys.command()
@click.argument("root_id", type=_RootId())
@click.option("--restarted", is_flag=True, help="Every 'serve' and 'work' was restarted since the rotation.")
def drop(root_id: bytes, *, restarted: bool) -> None:
    """Take a root key out of the key file. It is refused while anything needs the key.

    Backups made under it then open with their recovery code only.
    """

    async def action(runtime: Runtime, source: KeySource) -> object:
        line = await root.drop(runtime.database, source, root_id, restarted=restarted)
        if source.given:
            return {"remove_line": line, "from": source.name}
        return {"dropped": root_id.hex(), "file": source.name, "next": "Back up the key file, apart from the data."}

    _run(action)


@keys.command("recovery-code")
def recovery_code() -> None:
    """Print the code that opens the key file in a backup. Keep it on paper, apart from the backups."""

    async def action(runtime: Runtime, _source: KeySource) -> object:
        from archive.backups.recovery import code  # noqa: PLC0415  # only this command needs what backups need

        async with runtime.database.transaction() as session:
            return {"recovery_code": await code(session, runtime.keyring)}

    _run(action)


def _run(action: Callable[[Runtime, KeySource], Awaitable[object]]) -> None:
    async def opened(settings: Settings) -> object:
        source = KeySource(settings.key_file, settings.given_root_keys)
        async with common.opened(settings) as runtime:
            return await action(runtime, source)

    common.print_json(common.run(opened))


def _told(made: root.Rotated, source: KeySource) -> dict[str, object]:
    if made.put_first:
        return {
            "put_first": made.put_first,
            "in": source.name,
            "next": f"Put this line first in {source.name} and keep the others, on every host; restart 'serve' and "
            "'work'; then call this again.",
        }
    done = {
        "root": made.root.hex(),
        "new": made.is_new,
        "library_keys": made.library_keys,
        "second_factors": made.second_factors,
        "recovery_code": made.recovery_code,
        "unreadable": made.unreadable,
    }
    return done | {
        "next": f"Back up {source.name}, apart from the data, and copy it to every host. Restart 'serve' and 'work' so "
        "that they seal under the new key. 'keys list' shows what is left under old ones, 'keys drop' ends one."
    }


def _told_of_library(made: library.Rotated) -> dict[str, object]:
    return {
        "library_id": made.library_id,
        "version": made.version,
        "files": made.files,
        "destroyed": made.destroyed,
        "kept": made.kept,
        "unreadable": made.unreadable,
    }
