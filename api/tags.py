"""Tags of a library."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.deps import Reader, Transaction
from api.fields import View
from api.paging import CursorQuery, Limit, Page, cursor_of, text_of
from api.problems import responses
from archive.tags import service as tags

router = APIRouter(prefix="/tags", tags=["tags"], responses=responses(401, 403, 404))


class CountedTag(View):
    """A tag, and how many assets have it."""

    id: UUID
    name: str
    count: int


@router.get("")
async def list_tags(
    caller: Reader, session: Transaction, library: UUID, cursor: CursorQuery = None, limit: Limit = 200
) -> Page[CountedTag]:
    """List a library's tags by name."""
    rows = await tags.page(session, caller, library, after=text_of(cursor), limit=limit)
    following = cursor_of(rows[-1][0].name) if len(rows) == limit else None
    return Page(items=[CountedTag(id=tag.id, name=tag.name, count=count) for tag, count in rows], next=following)
