"""``tagphoto duplicates``: what belongs together in a folder, without a server."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--similar/--no-similar", default=True, help="Whether to show what is only similar, such as bursts.")
@click.option("--same", is_flag=True, help="Act on what shows the same picture too, not only on identical bytes.")
@click.option("--hard-link", is_flag=True, help="Make files with identical bytes one file under their names.")
@click.option("--move", "to", type=click.Path(path_type=Path), help="Move what is not kept into this folder.")
@click.option("--delete", is_flag=True, help="Delete what is not kept.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where to keep what was seen, for the next run.")
def duplicates(  # noqa: PLR0913 - click gives each option by its name
    folder: Path,
    *,
    as_json: bool,
    similar: bool,
    same: bool,
    hard_link: bool,
    to: Path | None,
    delete: bool,
    cache: Path | None,
) -> None:
    """Find files of a folder that are identical, show the same picture, or are similar.

    Nothing is changed unless --hard-link, --move or --delete asks for it, and then one file of each group stays: the
    one marked with a star. What is only similar is never touched. Exit status 1 if a file could not be dealt with.
    """
    # Decoders and arrays take a second to load, which 'tagphoto --help' must not wait for.
    from api.cli.folder import acting, report  # noqa: PLC0415
    from api.cli.folder.cache import default_file  # noqa: PLC0415
    from api.cli.folder.looker import look_through  # noqa: PLC0415

    plan = acting.chosen(folder, hard_link=hard_link, to=to, delete=delete)
    seen = look_through(folder, cache or default_file())
    found = report.grouped(seen, similar=similar)
    failed = report.acted(found, plan, same=same) if plan else []
    report.show(found, seen, as_json=as_json, failed=failed)
    sys.exit(1 if failed else 0)
