"""Old backups go, and with them the objects that no backup names any more."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from archive.backups import complete as completes
from archive.backups import target as targets
from archive.backups.objects import entries
from archive.errors import BackupFailed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from archive.backups.complete import Complete
    from archive.backups.target import Target

# What is unfinished may be in the making, by an installation we know nothing of.
_UNFINISHED_FOR = timedelta(days=1)
FORM = "%Y%m%dt%H%M%Sz"


@dataclass(frozen=True, slots=True)
class Removed:
    """What went."""

    backups: list[str]
    objects: int


async def apply(target: Target, keep: int, moment: datetime) -> Removed:
    """Remove what is too old. Nothing is deleted while a manifest cannot be trusted to name all it should."""
    found = await targets.found(target)
    kept, going = await _sorted_out(target, found, keep, moment)
    if not going:
        return Removed([], 0)
    for backup_id in kept:
        await _require_readable(target, backup_id, found[backup_id], kept[backup_id])
    for backup_id in going:
        await target.store.delete(targets.place(backup_id, targets.COMPLETE))
    named = [backup_id for backup_id in kept if targets.MANIFEST in found[backup_id]]
    removed = await _collect(target, named)
    # Their rest goes last: whoever finds it knows that there may be objects to collect.
    for backup_id in going:
        await targets.forget(target, backup_id, found[backup_id])
    return Removed(going, removed)


async def _sorted_out(
    target: Target, found: Mapping[str, set[str]], keep: int, moment: datetime
) -> tuple[dict[str, Complete | None], list[str]]:
    """Tell the backups that stay from those that go."""
    kept: dict[str, Complete | None] = {}
    going, whole = [], False
    counted = 0
    for backup_id in sorted(found, reverse=True):
        if targets.COMPLETE not in found[backup_id]:
            if _begun(backup_id) > moment - _UNFINISHED_FOR:
                kept[backup_id] = None
            else:
                going.append(backup_id)
            continue
        complete = await completes.read(target, backup_id)
        # Beside the newest, the newest one that lacks nothing: it may have what those lack.
        if counted < keep or (not whole and not complete.missing):
            kept[backup_id] = complete
        else:
            going.append(backup_id)
        counted += 1
        whole = whole or not complete.missing
    return kept, going


def _begun(backup_id: str) -> datetime:
    return datetime.strptime(backup_id, FORM).replace(tzinfo=UTC)


async def _require_readable(target: Target, backup_id: str, names: set[str], complete: Complete | None) -> None:
    if complete is None:
        return  # in the making: its manifest is there whole or not yet
    manifest = targets.place(backup_id, targets.MANIFEST)
    if targets.MANIFEST in names and await targets.digest_of(target, manifest) == complete.blake3[targets.MANIFEST]:
        return
    message = (
        f"The manifest of backup {backup_id} in {target.name} is damaged, so nothing old is deleted there: nobody "
        f"knows what that backup needs. Delete {targets.place(backup_id)} if you can do without it."
    )
    raise BackupFailed(message)


async def _collect(target: Target, named: list[str]) -> int:
    """Delete the objects that no manifest names: all are in the order of their keys, so one walk beside them does."""
    walks = [_Walk(entries(target, targets.place(one, targets.MANIFEST))) for one in named]
    removed = 0
    try:
        async with aclosing(targets.closable(target.store.list(targets.OBJECTS))) as there:
            async for entry in there:
                key = entry.key.removeprefix(targets.OBJECTS)
                if not any([await walk.names(key) for walk in walks]):
                    await target.store.delete(entry.key)
                    removed += 1
    finally:
        for walk in walks:
            await walk.close()
    return removed


class _Walk:
    def __init__(self, keys: AsyncGenerator[tuple[str, str], None]) -> None:
        self._keys, self._key = keys, ""

    async def names(self, key: str) -> bool:
        while self._key < key:
            entry = await anext(self._keys, None)
            if entry is None:
                return False
            self._key = entry[0]
        return self._key == key

    async def close(self) -> None:
        await self._keys.aclose()
