"""``tagphoto rebuild``: have what is derived made again, by the workers, from the originals."""

from __future__ import annotations

from uuid import UUID

import click

from api.cli import common
from archive.errors import Invalid
from archive.models import Library
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.settings import Settings
from archive.steps import catalogue
from archive.steps import service as steps

_WHAT = {
    "metadata": catalogue.DESCRIBE,
    "renditions": catalogue.RENDER,
    "video": catalogue.PLAY,
    "looks": catalogue.LOOK,
}


@click.command()
@click.argument("what", type=click.Choice(list(_WHAT)), nargs=-1, required=True)
@click.option("--library", type=click.UUID, help="Of this library only.")
@click.option("--outdated", is_flag=True, help="Only what an older version made in another way.")
def rebuild(what: tuple[str, ...], library: UUID | None, *, outdated: bool) -> None:
    """Make previews, metadata or converted films again, and print how many steps that are as JSON.

    The workers do it, and the jobs page shows how far they are; originals are only read.
    """
    works = [_WHAT[name] for name in what]

    async def action(settings: Settings) -> int:
        async with common.opened(settings) as runtime, runtime.database.transaction() as session:
            if library is not None and await session.get(Library, library) is None:
                message = f"There is no library {library}. 'tagphoto account list' shows accounts and their libraries."
                raise Invalid(message)
            asked = await steps.rebuild(session, works, library, outdated=outdated)
            await enqueue(session, kinds.MISSING, key="rebuild")
        return asked

    common.print_json({"steps": common.run(action)})
