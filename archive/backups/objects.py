"""Objects into a target: those of the manifest that it does not have yet, each compared on the way and read back."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from archive import log
from archive.backups import target as targets
from archive.backups.target import Held, each
from archive.errors import BackupFailed
from archive.integrity.copying import Written, copy, fault_of
from archive.models import Object
from storage import ObjectExists, ObjectMissing, Store, StoreUnavailable
from storage.base import is_key
from storage.cobblestone import SealBroken

if TYPE_CHECKING:
    from archive.backups.target import Target
    from archive.db import Database
    from archive.vault.vault import Vault

Report = Callable[[int, int, str], Awaitable[None]]
_BATCH = 500
_DIGEST = re.compile("[0-9a-f]{64}")
_log = log.get("backup")


@dataclass(slots=True)
class Copied:
    """What became of the objects."""

    new_objects: int = 0
    new_bytes: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)


async def copy_new(
    database: Database, vault: Vault, target: Target, manifest: str, total: int, report: Report
) -> Copied:
    """Copy what the target lacks of a manifest."""
    copied, held, done = Copied(), Held(target), 0

    async def one(entry: tuple[str, Written | None, str]) -> None:
        await _copy_one(database, vault, target, copied, entry)

    try:
        async for keys in _batches(target, manifest):
            known = await _known(database, list(keys))
            await each(_lacking(held, keys, known), one)
            done += len(keys)
            await report(done, max(total, done), "copying objects")
    finally:
        await held.close()
    return copied


async def _lacking(
    held: Held, keys: dict[str, str], known: dict[str, Written]
) -> AsyncIterator[tuple[str, Written | None, str]]:
    for key, digest in keys.items():
        size, written = await held.size_of(targets.OBJECTS + key), known.get(key)
        # One that is there in another size was damaged there; without a row we cannot tell, and need not.
        if size is None or (written is not None and size != written.size):
            yield key, written, digest


async def _known(database: Database, keys: list[str]) -> dict[str, Written]:
    async with database.transaction() as session:
        rows = await session.execute(select(Object.key, Object.sealed_size, Object.digest).where(Object.key.in_(keys)))
        return {key: Written(size, digest) for key, size, digest in rows}


async def _copy_one(
    database: Database, vault: Vault, target: Target, copied: Copied, entry: tuple[str, Written | None, str]
) -> None:
    key, written, digest = entry
    source_key, faults = key, list[str]()
    if written is not None:
        faults = await _from_any(vault.stores, key, target, key, written)
    if written is None or (faults and key not in await _known(database, [key])):
        # Purged since the snapshot; or healed, which gives the same bytes another key.
        source_key, written = await _healed(database, bytes.fromhex(digest))
        if written is None:
            copied.purged.add(key)
            return
        faults = await _from_any(vault.stores, source_key, target, key, written)
    if faults:
        copied.missing[key] = "; ".join(faults)
        _log.error("backup.object_missing", key=key, error=copied.missing[key])
        return
    copied.new_objects += 1
    copied.new_bytes += written.size


async def _healed(database: Database, digest: bytes) -> tuple[str, Written | None]:
    async with database.transaction() as session:
        found = await session.execute(select(Object.key, Object.sealed_size).where(Object.digest == digest).limit(1))
        row = found.one_or_none()
    return (row[0], Written(row[1], digest)) if row else ("", None)


async def _from_any(stores: tuple[Store, ...], key: str, target: Target, as_key: str, written: Written) -> list[str]:
    """Copy from the first store that has it whole; else say what is wrong with each."""
    faults = []
    for number, store in enumerate(stores):
        try:
            await _put(store, key, target, targets.OBJECTS + as_key, written)
        except (SealBroken, ObjectMissing) as error:
            faults.append(str(error))
        except StoreUnavailable as error:
            # A store that is away is no loss; a mirror that is away only leaves the loss as it is.
            if number == 0 or not faults:
                raise
            await target.store.ping()  # or it was the target that is away
            faults.append(f"the mirror is away: {error}")
        else:
            return []
    return faults


async def _put(store: Store, key: str, target: Target, as_key: str, written: Written) -> None:
    """Copy and read back. What is there and is not right was damaged there, or left by somebody else: it goes."""
    try:
        await copy(store, key, target.store, as_key, written)
    except ObjectExists:
        if await fault_of(target.store, as_key, written) is None:
            return
        await _require_whole(store, key, written)
        await target.store.delete(as_key)
        await copy(store, key, target.store, as_key, written)
    if fault := await fault_of(target.store, as_key, written):
        await target.store.delete(as_key)
        message = (
            f"{target.name} gave back other bytes than it was given: {fault}. Check its disk, or use another target."
        )
        raise BackupFailed(message)


async def _require_whole(store: Store, key: str, written: Written) -> None:
    if fault := await fault_of(store, key, written):
        raise SealBroken(fault)


async def require_all(target: Target, manifest: str, copied: Copied) -> None:
    """Refuse to call a backup complete before all it names was seen in the target, whoever was at work there."""
    held = Held(target)
    try:
        async for key, _ in entries(target, manifest):
            there = await held.size_of(targets.OBJECTS + key) is not None
            if not there and key not in copied.missing and key not in copied.purged:
                message = (
                    f"{target.name} lost object {key} while the backup was made. Is something else deleting there?"
                )
                raise BackupFailed(message)
    finally:
        await held.close()


async def entries(target: Target, manifest: str) -> AsyncGenerator[tuple[str, str], None]:
    """Give the keys of a manifest and their digests, in the order of keys."""
    async for line in targets.lines(target, manifest):
        digest, _, name = line.partition("  ")
        if not (_DIGEST.fullmatch(digest) and name.startswith(targets.OBJECTS) and is_key(name)):
            message = f"{manifest} in {target.name} is damaged: it holds a line that is none of a manifest."
            raise BackupFailed(message)
        yield name.removeprefix(targets.OBJECTS), digest


async def _batches(target: Target, manifest: str) -> AsyncIterator[dict[str, str]]:
    batch: dict[str, str] = {}
    async for key, digest in entries(target, manifest):
        batch[key] = digest
        if len(batch) == _BATCH:
            yield batch
            batch = {}
    if batch:
        yield batch
