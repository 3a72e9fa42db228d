"""Damaged objects are written anew from the mirror, under a new key: what is written once is never written over."""

from __future__ import annotations

import math
import time
from dataclasses import replace
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
    from storage import Store

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
    while examination.mirror is not None and examination.heals:
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
    if examination.mirror is None or not examination.heals:
        return False
    try:
        # With its seals, not by its digest alone: what would be found damaged again is not healed.
        if await damage_of(examination.mirror, one) is not None:
            return False
    except StoreUnavailable as error:
        _log.warning("mirror.away", error=str(error))
        examination.mirror = None
        return False
    new, began = replace(one, key=files.new_object_key()), time.monotonic()
    if await _write_anew(examination, examination.mirror, one, new) and _is_young(began):
        return await _exchange(open_, one, new.key)
    async with open_() as session:
        await files.delete_later(session, [new.key])  # whatever there is of it
    return False


async def _write_anew(examination: Examination, mirror: Store, one: Known, new: Known) -> bool:
    """Write an object under its new key into both stores. What the store then gives back must be whole.

    Only then may the old key be given up: the mirror's copy under it can be the last one there is.
    """
    try:
        await copy(mirror, one.key, examination.store, new.key, one.written)
        if fault := await damage_of(examination.store, new):
            _log.error("healing.failed", key=one.key, error=f"what was written anew is not what was read back: {fault}")
            return False
        await copy(mirror, one.key, mirror, new.key, one.written)
    except (SealBroken, ObjectMissing):
        return False  # it was whole a moment ago; the next run knows more
    except StoreUnavailable as error:
        # One that is full or away takes nothing else either.
        _log.warning("healing.waits", key=one.key, error=str(error))
        examination.heals = False
        return False
    return True


def _is_young(began: float) -> bool:
    """Say whether the sweep will not have taken the new objects for strays by now."""
    return time.monotonic() - began < files.LONGEST_WRITE.total_seconds()


async def _exchange(open_: Open, one: Known, new_key: str) -> bool:
    """Let the object's row speak of the new bytes; what the old key has is deleted once nobody can be reading it."""
    async with open_() as session:
        damaged = select(Object.key).where(Object.key == one.key, Object.damage.is_not(None))
        if await session.scalar(damaged.with_for_update()) is None:
            # Purged, or healed by somebody else meanwhile.
            await files.delete_later(session, [new_key])
            return False
        # An object of now: not verified, so that a run reads it once more when the disk no longer has it in memory.
        fresh: dict[str, object] = {
            "key": new_key,
            "damage": None,
            "damaged_at": None,
            "verified_at": None,
            "mirrored_at": func.clock_timestamp(),
            "created_at": func.clock_timestamp(),
        }
        await session.execute(update(Object).where(Object.key == one.key).values(fresh))
        await files.delete_later(session, [one.key])
        about = {"key": new_key, "file": str(one.file_id)}
        publish(session, "integrity.healed", about)
        do_after_commit(session, lambda: _log.warning("object.healed", **about, damaged=one.key))
    return True
