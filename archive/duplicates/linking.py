"""What is known of one asset's look, and of its likeness to others: kept, and made anew with each look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from archive.db import among
from archive.models import Asset, Likeness
from archive.models import Look as Row
from ml.duplicates.compare import Kind
from ml.duplicates.look import VERSION

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from ml.duplicates.compare import Likeness as Found
    from ml.duplicates.look import Look

_SIGN = 1 << 63
_SAME = Kind.SAME.value


def keys_of(look: Look) -> list[int]:
    """Give the keys of a look's marks, each once."""
    return [int(key) for key in np.unique(look.marks.keys)] if look.telling else []


async def keep(session: AsyncSession, asset: Asset, look: Look, keys: list[int]) -> None:
    """Keep what finds an asset again. The library's lock has to be held."""
    values: dict[str, Any] = {
        "library_id": asset.library_id,
        "version": VERSION,
        "hash": (look.hashes[0] ^ _SIGN) - _SIGN if look.telling and not look.film else None,
        "keys": [] if look.film else keys,
        "length_ms": look.duration_ms if look.film else None,
    }
    anew = values | {"number": func.nextval(func.pg_get_serial_sequence("look", "number"))}
    row = insert(Row).values(asset_id=asset.id, **values)
    await session.execute(row.on_conflict_do_update(index_elements=[Row.asset_id], set_=anew))


async def relink(session: AsyncSession, asset_id: UUID, found: Mapping[UUID, Found]) -> None:
    """Have an asset's likenesses be these and no others."""
    await session.execute(delete(Likeness).where(or_(Likeness.first_id == asset_id, Likeness.second_id == asset_id)))
    # What was purged meanwhile is nobody's likeness; what is there stays until the transaction ends.
    there = select(Asset.id).where(among(Asset.id, list(found))).order_by(Asset.id)
    present = set(await session.scalars(there.with_for_update(read=True, key_share=True)))
    rows = [_row(asset_id, other, likeness) for other, likeness in found.items() if other in present]
    if rows:
        await session.execute(insert(Likeness).values(rows))


def _row(asset_id: UUID, other: UUID, likeness: Found) -> dict[str, Any]:
    """Write a likeness of an asset, the first, and another; the table has the smaller id first."""
    row = asdict(likeness) | {"kind": likeness.kind.value, "reason": likeness.reason.value}
    if likeness.kind is Kind.IDENTICAL:
        row["kind"] = _SAME
    if other < asset_id:
        row["first_shown"], row["second_shown"] = row["second_shown"], row["first_shown"]
        row["border"] = {0: 0, 1: 2, 2: 1}[row["border"]]
        row["orientation"] = inverse(row["orientation"])
    first, second = sorted((asset_id, other))
    return row | {"first_id": first, "second_id": second}


def inverse(orientation: int) -> int:
    """Give how the first has to be turned to lie as the second, where it is known the other way round.

    As EXIF numbers them, from 0: mirrorings and the half turn undo themselves, the quarter turns undo each other.
    """
    return {5: 7, 7: 5}.get(orientation, orientation)
