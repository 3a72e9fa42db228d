"""``tagphoto scrub``: verify objects now, in the foreground."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click
from sqlalchemy.ext.asyncio import AsyncSession

from api.cli import common
from archive.errors import Conflict
from archive.integrity import mirroring, scrubbing
from archive.integrity import service as integrity
from archive.integrity.scrubbing import Plan, Report
from archive.runtime import Runtime
from archive.settings import Settings


@click.command()
@click.option("--all", "everything", is_flag=True, help="Verify every object, also what was verified lately.")
@click.option(
    "--mirror-anew",
    is_flag=True,
    help="Take the mirror for empty and copy everything: for a new or another mirror.",
)
def scrub(*, everything: bool, mirror_anew: bool) -> None:
    """Verify the objects that are due, heal what can be healed, and print what was found as JSON.

    It reads at most TAGPHOTO_SCRUB_RATE bytes a second. Exit status 1 if something is damaged and could not be healed.
    """

    async def action(settings: Settings) -> dict[str, object]:
        async with common.opened(settings) as runtime:
            if mirror_anew:
                return await _mirror_anew(runtime)
            return await _scrub(runtime, everything=everything)

    result = common.run(action)
    common.print_json(result)
    if result.get("left_damaged"):
        sys.exit(1)


async def _scrub(runtime: Runtime, *, everything: bool) -> dict[str, object]:
    shown = 0

    async def show(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 * done // total if total else 100
        if percent > shown:
            shown = percent
            click.echo(f"{percent:3} %  {done >> 20} of {total >> 20} MiB", err=True)

    async with runtime.database.transaction() as session:
        plan = await _plan(session, runtime, everything=everything)
    open_ = runtime.database.transaction
    if plan:
        report = await scrubbing.run(open_, runtime.vault, plan, show)
    else:
        healed = await scrubbing.heal(open_, runtime.vault, runtime.settings.scrub_rate)
        report = Report(healed=healed, complete=True)
    async with runtime.database.transaction() as session:
        figures = await integrity.figures(session, mirrored=runtime.vault.mirror is not None)
    left = {"left_damaged": figures.damaged, "mirror_behind": figures.lag.objects if figures.lag else None}
    return asdict(report) | left


async def _plan(session: AsyncSession, runtime: Runtime, *, everything: bool) -> Plan | None:
    if everything:
        return await scrubbing.plan_all(session, runtime.settings.scrub_rate)
    plan = await scrubbing.plan_run(session, runtime.settings.scrub_days, runtime.settings.scrub_rate)
    # Whoever waits for it wants all of it.
    return plan and plan.whole()


async def _mirror_anew(runtime: Runtime) -> dict[str, object]:
    if runtime.vault.mirror is None:
        message = "There is no mirror. Set TAGPHOTO_MIRROR_URL to a folder or a bucket first."
        raise Conflict(message)
    await mirroring.mark(runtime.vault.mirror)
    return {"to_be_copied": await mirroring.forget(runtime.database.transaction)}
