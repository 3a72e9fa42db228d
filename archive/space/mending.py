"""A form that was found to give back other bytes: turned back where there is a former, else noted as damage."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select, update

from archive import log
from archive.db import do_after_commit
from archive.errors import Damaged
from archive.events.service import publish
from archive.forms import given, proving, turning
from archive.models import Asset, Object, Recompression
from archive.vault import reading

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.forms.giving import Giver

Open = Callable[[], AbstractAsyncContextManager["AsyncSession"]]
_log = log.get("space")


async def prove(open_: Open, giver: Giver, file_id: UUID) -> str | None:
    """Prove the form of an asset that is kept in this file; says what was wrong with it."""
    async with open_() as session:
        asset = await session.scalar(select(Asset).where(Asset.original_id == file_id))
        if asset is None:
            return None
        fault = None
        try:
            plan = await reading.plan_whole(session, giver.vault.keys, file_id)
            present = (await given.of(session, giver.vault.keys, asset)).alone(plan)
        except Damaged as error:
            fault = error.message
    fault = fault or await proving.fault_of(giver, present)
    if fault is not None:
        async with open_() as session:
            await _mend(session, asset.id, file_id, fault)
    return fault


async def _mend(session: AsyncSession, asset_id: UUID, file_id: UUID, fault: str) -> None:
    asset = await session.scalar(select(Asset).where(Asset.id == asset_id).with_for_update())
    if asset is None or asset.original_id != file_id:
        return
    about = {"asset": str(asset.id), "file": str(file_id), "fault": fault}
    received = [one for one in await turning.formers(session, asset.id) if one.form != "lossy"]
    if not received:
        values = {"damage": f"It opens, and is not what was received: {fault}", "damaged_at": func.clock_timestamp()}
        await session.execute(update(Object).where(Object.file_id == file_id, Object.damage.is_(None)).values(values))
        publish(session, "integrity.damaged", {"file": str(file_id)})
        do_after_commit(session, lambda: _log.error("form.damaged", **about))
        return
    await turning.turn_back(session, asset, received[0])
    refused = {"state": "refused", "reason": f"its exact form had to be given up: {fault}"[:500]}
    await session.execute(update(Recompression).where(Recompression.asset_id == asset.id).values(refused))
    do_after_commit(session, lambda: _log.error("form.turned_back", **about))
