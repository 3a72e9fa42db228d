"""Which keys there are and what is under each, without showing any."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from archive.models import File, Installation, Library, LibraryKey
from archive.rotation import root

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from archive.rotation.source import KeySource


async def listing(session: AsyncSession, source: KeySource) -> dict[str, Any]:
    """Describe all keys."""
    keys = source.read()
    check = (await session.get_one(Installation, 1)).key_check
    roots = [
        {"id": one.hex(), "here": one in keys.ids, "present": one == keys.present} | counted
        for one, counted in (await root.under(session, keys)).items()
    ]
    return {
        "where": source.name,
        "roots": roots,
        # A rotation of the root key that did not reach everything is gone on with by calling it again.
        "complete": keys.check == check and all(one["present"] or not one["library_keys"] for one in roots),
        "libraries": await _libraries(session),
    }


async def _libraries(session: AsyncSession) -> list[dict[str, Any]]:
    counted = await session.execute(
        select(File.library_id, File.key_version, func.count()).group_by(File.library_id, File.key_version)
    )
    files = {(library_id, version): count for library_id, version, count in counted}
    rows = await session.execute(
        select(LibraryKey, Library.name)
        .join(Library, Library.id == LibraryKey.library_id)
        .order_by(LibraryKey.library_id, LibraryKey.purpose, LibraryKey.version)
    )
    names: dict[UUID, str] = {}
    keys: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row, name in rows:
        names[row.library_id] = name
        shown = {
            "purpose": row.purpose,
            "version": row.version,
            "root": row.root_id.hex(),
            "created_at": row.created_at,
        }
        if row.purpose == "content":
            shown["files"] = files.get((row.library_id, row.version), 0)
        keys[row.library_id].append(shown)
    return [{"id": library_id, "name": names[library_id], "keys": keys[library_id]} for library_id in keys]
