"""Assets to be looked at: made by SQL alone, without bytes, for tests of lists; and renditions without content."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from archive.ids import new_id
from archive.models import Asset, File, Rendition, Step
from archive.runtime import Runtime

DAY = datetime(2024, 5, 1, 12)


async def plant(runtime: Runtime, library: str, *rows: dict[str, Any]) -> list[str]:
    """Insert assets with these columns; gives their ids."""
    made = []
    async with runtime.database.transaction() as session:
        for row in rows:
            file_id, asset_id = new_id(), new_id()
            await session.execute(insert(File).values(_file(file_id, library, "original")))
            values: dict[str, Any] = {
                "id": asset_id,
                "library_id": UUID(library),
                "original_id": file_id,
                "name": "photo.jpg",
                "media_type": "image/jpeg",
                "size": 1,
                "identity": asset_id.bytes,
                "identity_sha1": asset_id.bytes,
                "kind": "photo",
                "taken_at": DAY,
            }
            await session.execute(insert(Asset).values(values | row))
            made.append(str(asset_id))
    return made


async def render(runtime: Runtime, library: str, asset: str, *names: str) -> None:
    """Have an asset's renditions, without bytes."""
    async with runtime.database.transaction() as session:
        for name in names:
            file_id = new_id()
            await session.execute(insert(File).values(_file(file_id, library, "rendition")))
            made = {"asset_id": UUID(asset), "name": name, "file_id": file_id, "media_type": "image/webp"}
            await session.execute(insert(Rendition).values(made))


async def step(runtime: Runtime, asset: str, name: str, state: str, verdict: str | None = None) -> None:
    """Have a step of an asset in a state."""
    async with runtime.database.transaction() as session:
        row = {"asset_id": UUID(asset), "name": name, "state": state, "verdict": verdict}
        await session.execute(insert(Step).values(row))


async def alter(runtime: Runtime, asset: str, **columns: Any) -> None:
    """Change an asset behind the API's back."""
    async with runtime.database.transaction() as session:
        await session.execute(update(Asset).where(Asset.id == UUID(asset)).values(**columns))


def _file(file_id: UUID, library: str, kind: str) -> dict[str, Any]:
    return {
        "id": file_id, "library_id": UUID(library), "kind": kind, "state": "whole", "size": 1, "key_version": 1,
        "wrapped": b"",
    }  # fmt: skip
