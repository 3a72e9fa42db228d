"""Damaged objects are written anew from the mirror, under a new key: what is written once is never written over."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, select, update

from archive import log
from archive.db import do_after_commit
from archive.events.service import publish
from archive.integrity.copying import copy
from archive.integrity.verifying import Known, damage_of, known
from archive.models import Object
from archive.vault import files
from storage import ObjectMissing, StoreUnavailable
from storage.cobblestone import SealBroken

if TYPE_CHECKING:
    from archive.integrity.verifying import Examination, Open
    from archive.vault.keys import LibraryKeys

_log = log.get("integrity")
_PAGE = 100


async def heal_all(open_: Open, keys: LibraryKeys, examination: Examination, seconds: float | None = None) -> int:
    """Heal what can be healed now, also what was found damaged before there was a mirror. Gives how many.

    It begins anywhere and goes once around: what cannot be healed, and takes its time, is not in the way of the rest.
    """
    until = math.inf if seconds is None else time.monotonic() + seconds
    somewhere = files.new_object_key()
    healed = await _heal_part(open_, keys, examination, Object.key > somewhere, until)
    return healed + await _heal_part(open_, keys, examination, Object.key <= somewhere, until)


async def _heal_part(
    open_: Open, keys: LibraryKeys, examination: Examination, part: ColumnElement[bool], until: float
) -> int:
    healed, after = 0, ""
    page = select(Object).where(part, Object.damage.is_not(None)).order_by(Object.key).limit(_PAGE)
    while examination.mirror is not None:
        async with open_() as session:
            objects = list(await session.scalars(page.where(Object.key > after)))
            damaged = await known(session, keys, objects)
        if not objects:
            break
        after = objects[-1].key
        for one in damaged:
            if time.monotonic() >= until:
                return healed
            healed += await heal(open_, examination, one)
    return healed


async def heal(open_: Open, examination: Examination, one: Known) -> bool:
    """Write one object anew from the mirror, if it is whole there. A store that is away is waited for: the next run."""
    if examination.mirror is None:
        return False
    new_key = files.new_object_key()
    try:
        # With its seals, not by its digest alone: what would be found damaged again is not healed.
        if await damage_of(examination.mirror, one) is not None:
            return False
        await copy(examination.mirror, one.key, examination.store, new_key, one.written)
    except (SealBroken, ObjectMissing):
        return False  # it was whole a moment ago; the next run knows more
    except StoreUnavailable as error:
        _log.warning("healing.waits", key=one.key, error=str(error))
        examination.mirror = None
        return False
    return await _exchange(open_, one, new_key)


async def _exchange(open_: Open, one: Known, new_key: str) -> bool:
    """Let the object's row speak of the new bytes; what the old key has is deleted once nobody can be reading it."""
    async with open_() as session:
        damaged = select(Object.key).where(Object.key == one.key, Object.damage.is_not(None))
        if await session.scalar(damaged.with_for_update()) is None:
            # Purged, or healed by somebody else meanwhile.
            await files.delete_later(session, [new_key])
            return False
        # An object of now: not verified, so that a run reads back what was written, and not behind in the mirror for
        # longer than it is there.
        fresh: dict[str, object] = {
            "key": new_key,
            "damage": None,
            "damaged_at": None,
            "verified_at": None,
            "mirrored_at": None,
        }
        fresh["created_at"] = func.clock_timestamp()
        await session.execute(update(Object).where(Object.key == one.key).values(fresh))
        await files.delete_later(session, [one.key])
        about = {"key": new_key, "file": str(one.file_id)}
        await publish(session, "integrity.healed", about)
        do_after_commit(session, lambda: _log.warning("object.healed", **about, damaged=one.key))
    return True
