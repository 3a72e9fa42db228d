"""Selections: choose assets, then download them as one zip that is made while it is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from api.content import attachment, begun, suspect
from api.deps import Reader, Running, Transaction
from api.fields import Document, Name, View
from api.problems import responses
from archive.assets import selections

router = APIRouter(prefix="/selections", tags=["assets"], responses=responses(401, 403, 404))
_MOST = 10_000


class NewSelection(Document):
    """What to download together."""

    library_id: UUID
    asset_ids: Annotated[list[UUID], Field(min_length=1, max_length=_MOST)]
    name: Name = "photos"


class SelectionView(View):
    """A selection, and where its zip is."""

    id: UUID
    name: str
    zip: str
    expires_at: datetime


@router.post("", status_code=201)
async def create_selection(caller: Reader, session: Transaction, given: NewSelection) -> SelectionView:
    """Choose assets to be downloaded as one zip."""
    made = await selections.make(session, caller, given.library_id, given.asset_ids, given.name)
    address = f"/api/v1/selections/{made.id}/zip"
    return SelectionView(id=made.id, name=made.name, zip=address, expires_at=made.expires_at)


@router.get("/{selection_id}/zip", response_class=Response)
async def download_zip(caller: Reader, runtime: Running, selection_id: UUID) -> Response:
    """Give the originals of a selection as a zip."""
    async with runtime.database.transaction() as session:
        selection = await selections.get(session, caller, selection_id)
    zipped = selections.zipped(runtime.database, runtime.vault, selection_id, suspect(runtime))
    pieces = await begun(zipped)
    headers = {"Content-Disposition": attachment(f"{selection.name}.zip")}
    return StreamingResponse(pieces, headers=headers, media_type="application/zip")
