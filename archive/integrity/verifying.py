"""Read objects back and prove them; note what is wrong where people see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select, update

from archive import log
from archive.db import do_after_commit
from archive.errors import Damaged
from archive.events.service import publish
from archive.integrity.copying import Written, read_or_fault, standing_fault_of
from archive.keyring import UnknownRoot
from archive.models import File, Object
from archive.queue import kinds
from archive.queue.service import enqueue
from archive.vault.contexts import Binding
from archive.vault.files import secret_of
from storage import ObjectMissing, StoreUnavailable
from storage.cobblestone import SealBroken
from storage.sealed import Sealed, check

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.vault.keys import LibraryKeys
    from storage import Store

# Opens a transaction: the database's own, or that of a job, which commits only while the job is still ours.
Open = Callable[[], AbstractAsyncContextManager["AsyncSession"]]
_log = log.get("integrity")


@dataclass(frozen=True, slots=True)
class Known:
    """An object and all that is needed to prove it without the database."""

    key: str
    file_id: UUID
    sealed: Sealed
    context: bytes
    # None when the file's key does not open: ``key_fault`` then says why.
    secret: bytes | None
    key_fault: str | None
    mirrored: bool

    @property
    def written(self) -> Written:
        """Give what is known of its sealed bytes."""
        return Written(self.sealed.sealed_size, self.sealed.digest)


@dataclass(frozen=True, slots=True)
class Examined:
    """What reading an object back showed."""

    key: str
    file_id: UUID
    damage: str | None
    mirror_fault: str | None = None


async def known(session: AsyncSession, keys: LibraryKeys, objects: Sequence[Object]) -> list[Known]:
    """Find out what is needed to prove some objects."""
    rows = await session.scalars(select(File).where(File.id.in_({one.file_id for one in objects})))
    files = {file.id: file for file in rows}
    secrets = {file.id: await _secret(session, keys, file) for file in files.values()}
    found = []
    for one in objects:
        if (file := files.get(one.file_id)) is None:
            continue  # purged between the two queries
        secret, fault = secrets[file.id]
        sealed = Sealed(one.size, one.sealed_size, one.digest)
        context = Binding.of(file).of_object(one.start)
        found.append(Known(one.key, file.id, sealed, context, secret, fault, one.mirrored_at is not None))
    return found


async def _secret(session: AsyncSession, keys: LibraryKeys, file: File) -> tuple[bytes | None, str | None]:
    try:
        return (await secret_of(session, keys, file)).key, None
    except Damaged as error:
        if isinstance(error.__cause__, UnknownRoot):
            raise  # this process has an old key file; that says nothing about the object
        return None, error.message


async def damage_of(store: Store, one: Known) -> str | None:
    """Read an object back; say what is wrong with it. A store that is away is no damage, and comes out as an error."""
    secret = one.secret
    if secret is None:
        return one.key_fault

    async def fault() -> str | None:
        try:
            await check(store, one.key, secret, one.context, one.sealed)
        except (SealBroken, ObjectMissing) as error:
            return str(error)
        return None

    return await read_or_fault(store, fault)


class Examination:
    """Examines objects in the store and in its mirror. A mirror that is found away is left alone from then on."""

    def __init__(self, store: Store, mirror: Store | None) -> None:
        self.store, self.mirror = store, mirror
        # False once one of them took nothing: both are read further, nothing more is healed.
        self.heals = True

    async def of(self, one: Known) -> Examined:
        """Examine one object and its copy."""
        damage = await damage_of(self.store, one)
        fault = await self._mirror_fault(one) if one.mirrored else None
        return Examined(one.key, one.file_id, damage, fault)

    async def _mirror_fault(self, one: Known) -> str | None:
        if self.mirror is None:
            return None
        try:
            return await standing_fault_of(self.mirror, one.key, one.written)
        except StoreUnavailable as error:
            _log.warning("mirror.away", error=str(error))
            self.mirror = None
            return None


async def verify_file(open_: Open, keys: LibraryKeys, examination: Examination, file_id: UUID) -> list[Examined]:
    """Prove every object of a file; of one that is gone meanwhile there is nothing to prove. Gives the damaged ones."""
    async with open_() as session:
        rows = await session.scalars(select(Object).where(Object.file_id == file_id).order_by(Object.start))
        objects = await known(session, keys, list(rows))
    examined: list[Examined] = []
    try:
        for one in objects:
            examined.append(await examination.of(one))  # noqa: PERF401  # kept also when the next one raises
    finally:
        async with open_() as session:
            await note(session, examined)
    return [one for one in examined if one.damage]


async def note(session: AsyncSession, examined: Sequence[Examined]) -> None:
    """Note of objects when they were verified and what is wrong. Those that were purged meanwhile are not spoken of."""
    present = await hold(session, [one.key for one in examined])
    of_rows = [one for one in examined if one.key in present]
    moment = func.clock_timestamp()
    well = [one.key for one in of_rows if one.damage is None]
    if well:
        clean = {"verified_at": moment, "damage": None, "damaged_at": None}
        await session.execute(update(Object).where(Object.key.in_(well)).values(clean))
    for one in of_rows:
        if one.damage is not None:
            await _note_damage(session, one, first=present[one.key] is None)
    lost = [one.key for one in of_rows if one.mirror_fault is not None]
    if lost:
        # So it is copied again, over what is there.
        await session.execute(update(Object).where(Object.key.in_(lost)).values(mirrored_at=None))
        do_after_commit(session, lambda: _log.error("mirror.copy_damaged", keys=lost))


async def hold(session: AsyncSession, keys: Sequence[str]) -> dict[str, str | None]:
    """Lock the objects' rows and give their noted damage; rows that somebody else holds are left out.

    Never waiting here, we can be in no deadlock with a purge, which takes rows in an order of its own. What is left
    out is verified another time.
    """
    statement = select(Object.key, Object.damage).where(Object.key.in_(keys)).order_by(Object.key)
    rows = await session.execute(statement.with_for_update(skip_locked=True, key_share=True))
    return {key: damage for key, damage in rows}  # noqa: C416  # typed, unlike dict(rows)


async def _note_damage(session: AsyncSession, one: Examined, *, first: bool) -> None:
    since = func.coalesce(Object.damaged_at, func.clock_timestamp())
    values = {"verified_at": func.clock_timestamp(), "damage": one.damage, "damaged_at": since}
    await session.execute(update(Object).where(Object.key == one.key).values(values))
    if first:
        about = {"key": one.key, "file": str(one.file_id)}
        publish(session, "integrity.damaged", about)
        do_after_commit(session, lambda: _log.error("object.damaged", **about, damage=one.damage))


async def suspect(session: AsyncSession, file_id: UUID, library_id: UUID) -> None:
    """Have a file verified soon: somebody found it damaged while reading it."""
    await enqueue(session, kinds.VERIFY, {"file": str(file_id)}, key=f"file-{file_id}", library_id=library_id)
