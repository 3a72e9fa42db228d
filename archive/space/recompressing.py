"""Make originals smaller: one after the other, what waits longest first, for some minutes at a time.

An asset is taken in a transaction of its own, which counts the attempt: one that ends its worker again and again is
refused.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Select, func, select

from archive import log
from archive.db import do_after_commit
from archive.errors import Damaged, NotFound
from archive.forms import given, turning
from archive.models import Asset, Object, Recompression, Step
from archive.space import levels, policies
from archive.space.packing import Refused, pack
from archive.vault import files

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.forms.given import Given
    from archive.forms.giving import Giver
    from archive.forms.turning import Made
    from archive.space.levels import Level

Open = Callable[[], AbstractAsyncContextManager["AsyncSession"]]
Progress = Callable[[int, int], Awaitable[None]]
# How long a run may keep its worker; less than kinds.RECOMPRESS.every, which says how often one is begun.
LONGEST = timedelta(minutes=4)
# Which way of making exact forms is the present one; raised when a release takes what was refused before.
VERSION = 1
_ATTEMPTS = 3
_AGAIN = timedelta(minutes=10)
_log = log.get("space")


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds where nobody has chosen."""

    default: str
    former_days: int


@dataclass(frozen=True, slots=True)
class _Taken:
    """An asset to be made smaller."""

    asset_id: UUID
    library_id: UUID
    given: Given
    level: Level


async def run(open_: Open, giver: Giver, rules: Rules, progress: Progress, seconds: float | None = None) -> int:
    """Make smaller what is due; says how many assets were looked at. A store that is away ends the run."""
    until = time.monotonic() + (LONGEST.total_seconds() if seconds is None else seconds)
    done = 0
    async with open_() as session:
        await _ask_again(session)
        waiting = await session.scalar(select(func.count()).select_from(_due().subquery())) or 0
    while time.monotonic() < until:
        taken: _Taken | None = None
        async with open_() as session:
            asset_id = await session.scalar(_due().order_by(Recompression.due_at).limit(1))
            if asset_id is None:
                break
            taken = await _take(session, giver, rules, asset_id)
        if taken is not None:
            await _work(open_, giver, rules, taken)
        done += 1
        await progress(done, max(waiting, done))
    return done


def _due() -> Select[UUID]:
    """Find what is due. What still has to be described, or is damaged, waits."""
    steps = select(Step.name).where(Step.asset_id == Recompression.asset_id, Step.state == "waiting").exists()
    unproven = Object.verified_at.is_(None) | Object.damage.is_not(None)
    objects = select(Object.key).where(Object.file_id == Asset.original_id, unproven).exists()
    return (
        select(Recompression.asset_id)
        .join(Asset, Asset.id == Recompression.asset_id)
        .where(Recompression.state == "due", Recompression.due_at <= func.clock_timestamp(), ~steps, ~objects)
    )


async def _ask_again(session: AsyncSession) -> None:
    """Make due what an older release refused."""
    refused = Recompression.state == "refused", Recompression.version < VERSION
    found = await session.scalars(select(Recompression).where(*refused).limit(1000).with_for_update(skip_locked=True))
    for row in found:
        row.state, row.attempts = "due", 0


async def _take(session: AsyncSession, giver: Giver, rules: Rules, asset_id: UUID) -> _Taken | None:
    """Count the attempt and say what is wanted; none where nothing is left to do."""
    row = await session.get(Recompression, asset_id, with_for_update=True)
    asset = await session.get(Asset, asset_id)
    if row is None or asset is None or row.state != "due":
        return None
    level = await policies.level_of(session, asset, rules.default)
    if row.attempts >= _ATTEMPTS:
        _end(row, level, "refused", "making it smaller ended its worker three times")
        return None
    try:
        present = await given.of(session, giver.vault.keys, asset)
    except Damaged as error:
        _end(row, level, "refused", error.message)
        return None
    if level.name == levels.KEEP or present.form != "received":
        _end(row, level, "done", None)
        return None
    row.attempts += 1
    row.due_at = func.clock_timestamp() + _AGAIN * row.attempts
    return _Taken(asset_id, asset.library_id, present, level)


async def _work(open_: Open, giver: Giver, rules: Rules, taken: _Taken) -> None:
    try:
        made = await pack(giver, taken.library_id, taken.given)
    except Refused as reason:
        async with open_() as session:
            await files.delete_later(session, reason.keys)
            await _refuse(session, taken, str(reason))
        return
    except (Damaged, NotFound) as error:
        async with open_() as session:
            await _refuse(session, taken, error.message)
        return
    async with open_() as session:
        if not await _turn(session, giver, rules, taken, made):
            await files.delete_later(session, [one.key for one in made.file.written])


async def _turn(session: AsyncSession, giver: Giver, rules: Rules, taken: _Taken, made: Made) -> bool:
    """Turn to the form that was made, unless the asset or what is wanted of it is another by now."""
    asset = await session.scalar(select(Asset).where(Asset.id == taken.asset_id).with_for_update())
    row = await session.get(Recompression, taken.asset_id, with_for_update=True)
    if asset is None or row is None or asset.original_id != taken.given.file_id:
        return False
    level = await policies.level_of(session, asset, rules.default)
    if level.name == levels.KEEP:
        _end(row, level, "done", None)
        return False
    await turning.turn(session, giver.vault.keys, asset, made, timedelta(days=rules.former_days))
    _end(row, level, "done", None)
    saved = taken.given.size - made.file.size
    do_after_commit(session, lambda: _log.info("form.turned", asset=str(asset.id), codec=made.codec, saved=saved))
    return True


async def _refuse(session: AsyncSession, taken: _Taken, reason: str) -> None:
    row = await session.get(Recompression, taken.asset_id, with_for_update=True)
    if row is not None:
        _end(row, taken.level, "refused", reason)


def _end(row: Recompression, level: Level, state: str, reason: str | None) -> None:
    row.state, row.level, row.reason, row.version = state, level.name, reason, VERSION
    row.updated_at = func.clock_timestamp()
