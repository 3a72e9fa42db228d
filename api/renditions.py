"""Renditions: previews and thumbnails, for who may see the asset, or has a link that was signed a moment ago."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Security
from fastapi.responses import Response

from api.content import Content, deliver
from api.deps import BEARER_SCHEME, COOKIE_SCHEME, Reader, Running, Transaction, caller
from api.fields import View
from api.problems import responses
from archive.access import Caller, Scope
from archive.assets import renditions
from archive.errors import Forbidden
from archive.keyring import Keyring

router = APIRouter(prefix="/assets/{asset_id}/renditions", tags=["assets"], responses=responses(401, 403, 404))
_PURPOSE = "rendition-link"
# Links made within the same half hour are the same, so that browsers find what they have.
_STEP, _LEAST = 1800, 1800


class RenditionView(View):
    """A rendition, and a link to it that needs no sign-in for a while."""

    name: str
    media_type: str
    link: str
    expires_at: datetime


class Renditions(View):
    """What was derived from an asset."""

    items: list[RenditionView]


def signed_link(keyring: Keyring, asset_id: UUID, name: str) -> tuple[str, datetime]:
    """Make a link that works for half an hour at least, and an hour at most."""
    expires = (int(time.time()) + _LEAST) // _STEP * _STEP + _STEP
    signature = base64.urlsafe_b64encode(keyring.mac(_PURPOSE, _signed(asset_id, name, expires))).decode().rstrip("=")
    link = f"/api/v1/assets/{asset_id}/renditions/{name}?expires={expires}&signature={signature}"
    return link, datetime.fromtimestamp(expires, UTC)


def _signed(asset_id: UUID, name: str, expires: int) -> bytes:
    return f"{asset_id}/{name}/{expires}".encode()


async def seer(
    request: Request,
    runtime: Running,
    asset_id: UUID,
    name: str,
    _cookie: Annotated[object, Security(COOKIE_SCHEME)],
    _bearer: Annotated[object, Security(BEARER_SCHEME)],
    expires: Annotated[int | None, Query(ge=0, lt=1 << 40)] = None,
    signature: Annotated[str | None, Query(max_length=100)] = None,
) -> Caller | None:
    """Find out who is calling; who has a signed link need not say."""
    if signature is None or expires is None:
        found = await caller(request, runtime, _cookie, _bearer)
        found.require(Scope.READ)
        return found
    try:
        given = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except ValueError:
        given = b""
    if expires < time.time() or not runtime.keyring.verify(_PURPOSE, _signed(asset_id, name, expires), given):
        message = "This link has expired or was changed. Load the page again for a new one."
        raise Forbidden(message)
    return None


@router.get("")
async def list_renditions(caller: Reader, runtime: Running, session: Transaction, asset_id: UUID) -> Renditions:
    """List what was derived from an asset, with links that need no sign-in for a while."""
    items = []
    for row in await renditions.listed(session, caller, asset_id):
        link, expires_at = signed_link(runtime.keyring, asset_id, row.name)
        items.append(RenditionView(name=row.name, media_type=row.media_type, link=link, expires_at=expires_at))
    return Renditions(items=items)


@router.get("/{name}", response_class=Response)
async def show_rendition(
    found: Annotated[Caller | None, Depends(seer)], runtime: Running, request: Request, asset_id: UUID, name: str
) -> Response:
    """Give a rendition."""
    async with runtime.database.transaction() as session:
        row, plan = await renditions.plan_for(session, runtime.vault.keys, found, asset_id, name)
    modified = row.created_at.replace(microsecond=0)
    content = Content(plan, f'"{plan.file_id.hex}"', row.media_type, None, modified, "private, max-age=86400")
    return await deliver(request, runtime, content)
