"""Renditions: previews and thumbnails, for who may see the asset, or has a link that was signed a moment ago."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.content import Content, deliver
from api.deps import Reader, Running, Transaction
from api.fields import View
from api.problems import responses
from api.seers import seer
from api.signing import RENDITION, Signer
from archive.access import Caller
from archive.assets import renditions
from archive.forms.given import Given

router = APIRouter(prefix="/assets/{asset_id}/renditions", tags=["assets"], responses=responses(401, 403, 404))


class RenditionView(View):
    """A rendition, and a link to it that needs no sign-in for a while."""

    name: str
    media_type: str
    link: str
    expires_at: datetime


class Renditions(View):
    """What was derived from an asset."""

    items: list[RenditionView]


@router.get("")
async def list_renditions(caller: Reader, runtime: Running, session: Transaction, asset_id: UUID) -> Renditions:
    """List what was derived from an asset, with links that need no sign-in for a while."""
    links = Signer(runtime.keyring)
    items = [
        RenditionView(
            name=row.name,
            media_type=row.media_type,
            link=links.rendition(asset_id, row.name),
            expires_at=links.expires_at,
        )
        for row in await renditions.listed(session, caller, asset_id)
    ]
    return Renditions(items=items)


@router.get("/{name}", response_class=Response)
async def show_rendition(
    found: Annotated[Caller | None, seer(RENDITION, "asset_id", "name")],
    runtime: Running,
    request: Request,
    asset_id: UUID,
    name: str,
) -> Response:
    """Give a rendition."""
    async with runtime.database.transaction() as session:
        row, plan = await renditions.plan_for(session, runtime.vault.keys, found, asset_id, name)
    modified = row.created_at.replace(microsecond=0)
    etag, cache = f'"{plan.file_id.hex}"', "private, max-age=86400"
    content = Content(Given.plain(plan), etag, row.media_type, None, modified, cache)
    return await deliver(request, runtime, content)
