"""Batches: deliveries of many uploads, and how far they are."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.deps import Reader, Transaction, Uploader
from api.fields import Document, Name, View
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of
from api.problems import responses
from archive.batches import service as batches
from archive.batches.service import Progress

router = APIRouter(prefix="/batches", tags=["uploads"], responses=responses(401, 403, 404))


class NewBatch(Document):
    """A batch to begin."""

    library_id: UUID
    name: Name


class UploadCounts(View):
    """How many uploads are in which state. Those that ended are counted for a day."""

    open: int = 0
    finished: int = 0
    gone: int = 0


class StepCounts(View):
    """How many steps of its assets are in which state."""

    waiting: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0


class BatchView(View):
    """A batch, and how far it is."""

    id: UUID
    library_id: UUID
    name: str
    created_by: UUID | None
    created_at: datetime
    uploads: UploadCounts
    assets: int
    duplicates: int = Field(description="Those of its assets that the library had before.")
    steps: StepCounts

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """Show a batch."""
        batch = progress.batch
        return cls(
            id=batch.id,
            library_id=batch.library_id,
            name=batch.name,
            created_by=batch.created_by,
            created_at=batch.created_at,
            uploads=UploadCounts(**progress.uploads),
            assets=progress.assets.get("assets", 0),
            duplicates=progress.assets.get("duplicates", 0),
            steps=StepCounts(**progress.steps),
        )


@router.post("", status_code=201)
async def create_batch(caller: Uploader, session: Transaction, given: NewBatch) -> BatchView:
    """Begin a batch. Uploads name it as `batch` in their metadata, or by `?batch=`."""
    return BatchView.of(await batches.create(session, caller, given.library_id, given.name))


@router.get("")
async def list_batches(
    caller: Reader, session: Transaction, library: UUID, cursor: CursorQuery = None, limit: Limit = 50
) -> Page[BatchView]:
    """List a library's batches, the newest first."""
    rows = await batches.page(session, caller, library, before=id_of(cursor), limit=limit)
    following = cursor_of(rows[-1].batch.id) if len(rows) == limit else None
    return Page(items=[BatchView.of(row) for row in rows], next=following)


@router.get("/{batch_id}")
async def show_batch(caller: Reader, session: Transaction, batch_id: UUID) -> BatchView:
    """Show how far a batch is."""
    return BatchView.of(await batches.get(session, caller, batch_id))
