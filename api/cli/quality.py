"""``tagphoto quality``: scores and verdicts of a folder's pictures, without a server."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--verdict", "wanted", multiple=True, help="Only pictures with this verdict; may be given several times.")
@click.option("--best", is_flag=True, help="The best first, instead of the worst.")
@click.option(
    "--move", "to", type=click.Path(path_type=Path), help="Move what has one of the verdicts into this folder."
)
@click.option("--delete", is_flag=True, help="Delete what has one of the verdicts.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where to keep what was seen, for the next run.")
def quality(
    folder: Path,
    *,
    as_json: bool,
    wanted: tuple[str, ...],
    best: bool,
    to: Path | None,
    delete: bool,
    cache: Path | None,
) -> None:
    """Score the pictures of a folder, and say what is surely wrong with some of them.

    Verdicts are empty, tiny, maybe_blurred, soft_at_full_size, very_dark, very_light, low_contrast, noisy,
    heavily_compressed, screenshot, document and short_film. A percentile says how many pictures of this folder are less
    sharp; a plus marks the best of a burst. Nothing is changed unless --move or --delete asks for it, with --verdict.
    """
    # As for duplicates: decoders take a second to load.
    from api.cli.folder import acting, rating  # noqa: PLC0415
    from api.cli.folder.cache import default_file  # noqa: PLC0415
    from api.cli.folder.looker import look_through  # noqa: PLC0415

    plan = acting.chosen(folder, hard_link=False, to=to, delete=delete)
    verdicts = rating.read(wanted)
    if plan and not verdicts:
        raise click.UsageError("--move and --delete need a --verdict: which pictures?")
    seen = look_through(folder, cache or default_file())
    rated = rating.rated(seen)
    chosen = [one for one in rated if not verdicts or verdicts & set(one.verdicts)]
    failed = [
        f"{one.seen.file.path}: {fault}" for one in chosen if plan and (fault := acting.act(plan, one.seen, None))
    ]
    rating.show(chosen, seen, as_json=as_json, best=best, failed=failed)
    sys.exit(1 if failed else 0)
