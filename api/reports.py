"""Usage: how many bytes a library has, for what, and how many it may have."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import Admin, Reader, Transaction
from api.fields import Document, View
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of
from api.problems import responses
from archive.usage import service as usage

router = APIRouter(tags=["libraries"], responses=responses(401, 403))
_BIGINT = (1 << 63) - 1


class UsageView(View):
    """A library's bytes."""

    library_id: UUID
    name: str
    assets: int
    originals: int
    renditions: int
    trash: int
    reserved: int = Field(description="What unfinished uploads will need.")
    counted: int = Field(description="What of it counts for the quota.")
    quota: int | None
    counts_renditions: bool
    counts_trash: bool


class Quota(Document):
    """How many bytes a library may have; null for any number."""

    quota: Annotated[int, Field(ge=0, le=_BIGINT)] | None
    counts_renditions: bool = False
    counts_trash: bool = True


@router.get("/reports/usage")
async def report_usage(
    caller: Reader,
    session: Transaction,
    everybody: Annotated[bool, Query(description="All libraries; for admins.")] = False,  # noqa: FBT002  # a query
    cursor: CursorQuery = None,
    limit: Limit = 50,
) -> Page[UsageView]:
    """Show the bytes of one's libraries."""
    rows = await usage.page(session, caller, after=id_of(cursor), limit=limit, everybody=everybody)
    following = cursor_of(rows[-1].library_id) if len(rows) == limit else None
    return Page(items=[UsageView.model_validate(row) for row in rows], next=following)


@router.get("/libraries/{library_id}/usage", responses=responses(404))
async def show_usage(caller: Reader, session: Transaction, library_id: UUID) -> UsageView:
    """Show a library's bytes."""
    return UsageView.model_validate(await usage.report(session, caller, library_id))


@router.put("/libraries/{library_id}/quota", responses=responses(404))
async def set_quota(caller: Admin, session: Transaction, library_id: UUID, given: Quota) -> UsageView:
    """Say how many bytes a library may have."""
    report = await usage.set_quota(
        session,
        caller,
        library_id,
        given.quota,
        counts_renditions=given.counts_renditions,
        counts_trash=given.counts_trash,
    )
    return UsageView.model_validate(report)
