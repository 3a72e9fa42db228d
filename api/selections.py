"""Selections: choose assets, then download them as one zip that is made while it is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import Field, model_validator

from api.content import attachment, begun, suspect
from api.deps import Reader, Running, Transaction
from api.fields import Document, Name, View
from api.problems import responses
from api.seers import seer
from api.signing import ZIP
from archive.access import Caller
from archive.albums import service as albums
from archive.assets import selections

router = APIRouter(prefix="/selections", tags=["assets"], responses=responses(401, 403, 404))
_MOST = 10_000


class NewSelection(Document):
    """What to download together: some assets of a library, or all of an album."""

    library_id: UUID | None = None
    asset_ids: Annotated[list[UUID], Field(min_length=1, max_length=_MOST)] | None = None
    album_id: UUID | None = None
    name: Name | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        by_ids = self.library_id is not None and self.asset_ids is not None
        if by_ids == (self.album_id is not None):
            message = "name 'library_id' and 'asset_ids', or 'album_id'"
            raise ValueError(message)
        return self


class SelectionView(View):
    """A selection, and where its zip is."""

    id: UUID
    name: str
    zip: str
    expires_at: datetime


@router.post("", status_code=201)
async def create_selection(reader: Reader, session: Transaction, given: NewSelection) -> SelectionView:
    """Choose assets to be downloaded as one zip."""
    if given.album_id is not None:
        made = await albums.select(session, reader, given.album_id, given.name)
    else:
        assert given.library_id is not None
        name = given.name or "photos"
        made = await selections.make(session, reader, given.library_id, given.asset_ids or [], name)
    address = f"/api/v1/selections/{made.id}/zip"
    return SelectionView(id=made.id, name=made.name, zip=address, expires_at=made.expires_at)


@router.get("/{selection_id}/zip", response_class=Response)
async def download_zip(
    found: Annotated[Caller | None, seer(ZIP, "selection_id")],
    runtime: Running,
    selection_id: UUID,
    sidecars: Annotated[bool, Query(description="Put what was corrected beside each original, as XMP.")] = False,  # noqa: FBT002  # a query
) -> Response:
    """Give the originals of a selection as a zip."""
    async with runtime.database.transaction() as session:
        if found is None:
            selection = await selections.signed(session, selection_id)
        else:
            selection = await selections.get(session, found, selection_id)
    # A guest sees what was taken, and not what its owners wrote about it.
    beside = sidecars and found is not None
    fault = suspect(runtime)
    zipped = selections.zipped(runtime.database, runtime.giver, selection_id, fault, with_sidecars=beside)
    pieces = await begun(zipped)
    headers = {"Content-Disposition": attachment(f"{selection.name}.zip")}
    return StreamingResponse(pieces, headers=headers, media_type="application/zip")
