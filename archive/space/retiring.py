"""Let formers go: when their days are over, what replaced them is safe in every place, and was proven once more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, or_, select

from archive import log
from archive.db import do_after_commit
from archive.errors import Damaged, NotFound
from archive.forms import given, proving, turning
from archive.models import Asset, Backup, File, Form, Object
from archive.vault import reading

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.forms.given import Given
    from archive.forms.giving import Giver

Open = Callable[[], AbstractAsyncContextManager["AsyncSession"]]
# A backup sees what was committed when it began; a turn takes moments, and this is much longer.
_MARGIN = timedelta(hours=1)
_log = log.get("space")


@dataclass(frozen=True, slots=True)
class Safety:
    """Which second places there are, that have to hold a form before the one before it goes."""

    mirrored: bool
    # Where scheduled backups go, as their rows name it; none where there are none.
    backups: str | None


async def run(open_: Open, giver: Giver, safety: Safety, most: int = 2000) -> int:
    """Let go what may; says how many."""
    gone, after = 0, UUID(int=0)
    for _ in range(most):
        async with open_() as session:
            former = await session.scalar(_ready(safety).where(Form.file_id > after).order_by(Form.file_id).limit(1))
            if former is None:
                break
            after = former.file_id
            asset = await session.get_one(Asset, former.asset_id)
            present = await _present(session, giver, asset)
        if present is None:
            continue
        # By whatever release and decoder run today: there is no later moment to find out.
        if (fault := await proving.fault_of(giver, present)) is not None:
            async with open_() as session:
                await turning.suspect(session, present.file_id, present.plan.binding.library_id)
                do_after_commit(session, _warning(former, fault))
            continue
        async with open_() as session:
            gone += await _let_go(session, safety, former, present)
    return gone


async def _present(session: AsyncSession, giver: Giver, asset: Asset) -> Given | None:
    """Give the present form alone, with nothing behind it that could answer for it."""
    try:
        found = await given.of(session, giver.vault.keys, asset)
        plan = await reading.plan_whole(session, giver.vault.keys, asset.original_id)
    except (Damaged, NotFound):
        return None
    return found.alone(plan)


async def _let_go(session: AsyncSession, safety: Safety, former: Form, present: Given) -> bool:
    asset = await session.scalar(select(Asset).where(Asset.id == former.asset_id).with_for_update())
    if asset is None or asset.original_id != present.file_id:
        return False
    if await session.scalar(_ready(safety).where(Form.file_id == former.file_id)) is None:
        return False
    await turning.let_go(session, former.file_id)
    do_after_commit(session, lambda: _log.info("form.left", asset=str(asset.id), file=str(former.file_id)))
    return True


def _ready(safety: Safety) -> Select[Form]:
    """Find formers that nothing keeps any more."""
    turned = select(func.max(Form.former_at)).where(Form.asset_id == Asset.id).scalar_subquery()
    lacking = [Object.verified_at.is_(None), Object.verified_at < turned, Object.damage.is_not(None)]
    if safety.mirrored:
        lacking.append(Object.mirrored_at.is_(None))
    unsafe = select(Object.key).where(Object.file_id == Asset.original_id, or_(*lacking)).exists()
    statement = (
        select(Form)
        .join(Asset, Asset.id == Form.asset_id)
        .join(File, File.id == Form.file_id)
        .where(Form.former_at.is_not(None), Form.gone_at.is_(None), Form.leaves_at <= func.clock_timestamp(), ~unsafe)
    )
    return statement if safety.backups is None else statement.where(_backed_up(safety.backups, turned))


def _backed_up(target: str, turned: ScalarSelect[datetime | None]) -> ColumnElement[bool]:
    whole = and_(Backup.state == "verified", Backup.target == target, Backup.started_at > turned + _MARGIN)
    return select(Backup.id).where(whole).exists()


def _warning(former: Form, fault: str) -> Callable[[], None]:
    return lambda: _log.error("form.not_proven", asset=str(former.asset_id), fault=fault)
