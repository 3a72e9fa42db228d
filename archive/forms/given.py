"""What a download of an asset gives, found out in one short transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from archive.errors import Damaged, NotFound
from archive.models import File, Form
from archive.vault import reading

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.models import Asset
    from archive.vault.keys import LibraryKeys
    from archive.vault.reading import Plan

ENDINGS = {"image/jxl": ".jxl", "image/avif": ".avif", "image/webp": ".webp", "image/jpeg": ".jpg", "video/mp4": ".mp4"}
_FORMS = {"exact": "exact", "lossy": "lossy"}


@dataclass(frozen=True, slots=True)
class Given:
    """A file, what it gives back, and what gives the same where it fails."""

    plan: Plan
    # Bytes it gives back; an exact form has fewer.
    size: int
    form: str = "received"
    # Of what it gives back, where that is not what was received.
    media_type: str | None = None
    former: Plan | None = None

    @classmethod
    def plain(cls, plan: Plan) -> Given:
        """Give a file that is kept as it is."""
        return cls(plan, plan.size)

    def alone(self, plan: Plan) -> Given:
        """Give it with nothing behind it that could answer in its place."""
        size = self.size if plan.binding.kind == "exact" else plan.size
        return replace(self, plan=plan, size=size, form=_FORMS.get(plan.binding.kind, "received"), former=None)

    @property
    def file_id(self) -> UUID:
        """Name the file."""
        return self.plan.file_id

    @property
    def sha256(self) -> bytes:
        """Give the hash of what it gives back."""
        return self.plan.secret.sha256

    def name_for(self, name: str) -> str:
        """Name what is given: a lossy form of another format has that format's ending."""
        ending = ENDINGS.get(self.media_type or "")
        return name if ending is None else str(PurePath(name).with_suffix(ending))


async def of(session: AsyncSession, keys: LibraryKeys, asset: Asset) -> Given:
    """Find out how to give an asset's bytes."""
    former = await _former(session, keys, asset)
    try:
        plan = await reading.plan_whole(session, keys, asset.original_id)
    except Damaged:
        if former is None:
            raise
        return Given.plain(former)
    form = _FORMS.get(plan.binding.kind, "received")
    if form == "exact":
        return Given(plan, asset.size, form, former=former)
    if form == "lossy":
        row = await session.get(Form, asset.original_id)
        return Given(plan, plan.size, form, media_type=row.media_type if row else None)
    return Given.plain(plan)


async def _former(session: AsyncSession, keys: LibraryKeys, asset: Asset) -> Plan | None:
    """Find the received file behind an exact form, while it is there."""
    exact = select(File.id).where(File.id == asset.original_id, File.kind == "exact").exists()
    received = select(Form.file_id).where(
        Form.asset_id == asset.id, Form.form == "received", Form.former_at.is_not(None), Form.gone_at.is_(None), exact
    )
    file_id = await session.scalar(received.limit(1))
    if file_id is None:
        return None
    try:
        return await reading.plan_whole(session, keys, file_id)
    except (Damaged, NotFound):
        return None
