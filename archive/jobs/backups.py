"""Scheduled backups."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from archive.backups import making, service
from archive.backups import target as targets
from archive.backups.making import Source
from archive.backups.service import Plan
from archive.queue.claims import Permanent

if TYPE_CHECKING:
    from archive.runtime import Runtime
    from archive.work import Work


async def make(runtime: Runtime, work: Work) -> None:
    """Make a backup if one is due or was asked for. One that was cut off copied objects; this one does not again."""
    plan = Plan(
        runtime.settings.backup_url, timedelta(hours=runtime.settings.backup_hours), runtime.settings.backup_keep
    )
    if plan.url is None:
        return
    if not work.args.get("now"):
        async with runtime.database.transaction() as session:
            if not await service.is_due(session, plan):
                return
    stores = [runtime.addresses.store, *filter(None, [runtime.addresses.mirror])]
    async with targets.opened(plan.url, apart_from=stores) as target:
        source = Source(runtime.database, runtime.addresses.database, runtime.vault, runtime.keyring)
        made = await making.make(source, target, plan.keep, work.progress)
    if made.complete.missing:
        message = (
            f"The backup was made, but {len(made.complete.missing)} objects could not be read whole from the store and "
            "are not in it. The integrity page names the photos."
        )
        raise Permanent(message)
