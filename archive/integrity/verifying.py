"""Read objects back and prove them; note what is wrong where people see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select, update

from archive import log
from archive.models import File, Object
from archive.vault.contexts import Binding
from archive.vault.files import Secret, secret_of
from storage import ObjectMissing
from storage.cobblestone import SealBroken
from storage.sealed import Sealed, check

if TYPE_CHECKING:
    from archive.db import Database
    from archive.vault.vault import Vault

_log = log.get("integrity")


async def verify_file(database: Database, vault: Vault, file_id: UUID) -> None:
    """Prove every object of a file; of one that is gone meanwhile there is nothing to prove."""
    async with database.transaction() as session:
        file = await session.get(File, file_id)
        if file is None:
            return
        secret, binding = await secret_of(session, vault.keys, file), Binding.of(file)
        objects = list(await session.scalars(select(Object).where(Object.file_id == file_id).order_by(Object.start)))
    await verify(database, vault, secret, binding, objects)


async def verify(
    database: Database, vault: Vault, secret: Secret, binding: Binding, objects: Sequence[Object]
) -> None:
    """Prove objects of one file, and note of each when, or what is wrong with it."""
    for one in objects:
        damage = await damage_of(vault, secret, binding, one)
        if damage:
            _log.error("object.damaged", key=one.key, file=str(one.file_id), damage=damage)
        async with database.transaction() as session:
            await session.execute(
                update(Object)
                .where(Object.key == one.key)
                .values(
                    verified_at=func.clock_timestamp(),
                    damage=damage,
                    damaged_at=func.coalesce(Object.damaged_at, func.clock_timestamp()) if damage else None,
                )
            )


async def damage_of(vault: Vault, secret: Secret, binding: Binding, one: Object) -> str | None:
    """Read an object back from the store; say what is wrong with it. A store that is away is no damage."""
    try:
        await check(
            vault.store,
            one.key,
            secret.key,
            binding.of_object(one.start),
            Sealed(one.size, one.sealed_size, one.digest),
        )
    except (SealBroken, ObjectMissing) as error:
        return str(error)
    return None
