"""An asset in another format, size or quality: made when it is asked for, and kept for whoever asks next."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response

from api.content import Content, deliver
from api.deps import Running
from api.problems import responses
from api.seers import seer
from api.signing import ORIGINAL
from archive.access import Caller
from archive.conversions import service as conversions
from archive.conversions.service import Kitchen
from archive.errors import Invalid, NothingAcceptable
from archive.forms.given import Given
from archive.media.converting.conversion import MEDIA_TYPES, MOST_SIDE, PICTURES, Conversion, Picture

router = APIRouter(prefix="/assets", tags=["assets"], responses=responses(401, 403))
_Side = Annotated[int | None, Query(ge=1, le=MOST_SIDE)]
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in MEDIA_TYPES.values()},
        "description": "The picture",
    },
    206: {"description": "A range of it"},
    304: {"description": "The client has it"},
}
# Where a client takes several equally well: the smallest that does not take long to make.
_PREFERRED: tuple[Picture, ...] = ("webp", "jpeg", "avif", "jxl", "png", "heic", "tiff", "pdf")
_ANYTHING: Picture = "jpeg"
_WEIGHT = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


async def _wanted(  # noqa: PLR0913, PLR0917 - one a parameter of the request
    accept: Annotated[str, Header(max_length=1000)] = "*/*",
    to: Annotated[Picture | None, Query(alias="as", description="Without it the header Accept decides.")] = None,
    width: _Side = None,
    height: _Side = None,
    quality: Annotated[int | None, Query(ge=1, le=100)] = None,
    score: Annotated[float | None, Query(ge=30, le=95)] = None,
    metadata: Literal["keep", "strip"] = "strip",
    colours: Literal["srgb", "keep"] = "srgb",
    watermark: Annotated[str | None, Query(max_length=200)] = None,
) -> Conversion:
    chosen = to or acceptable(accept)
    if chosen is None:
        raise NothingAcceptable(", ".join(MEDIA_TYPES.values()))
    try:
        return Conversion(chosen, width, height, quality, score, metadata, colours, watermark)
    except ValueError as error:
        raise Invalid(str(error)) from error


@router.get("/{asset_id}/converted", response_class=Response, responses=responses(404, 406, 415, 422, 429) | _BYTES)
async def convert_asset(
    found: Annotated[Caller | None, seer(ORIGINAL, "asset_id")],
    wanted: Annotated[Conversion, Depends(_wanted)],
    runtime: Running,
    request: Request,
    asset_id: UUID,
    *,
    inline: bool = True,
) -> Response:
    """Give a picture in another format, size or quality. Whoever has a link to the original may ask for it too."""
    kitchen = Kitchen(runtime.database, runtime.vault, runtime.giver, runtime.sandbox, runtime.desk)
    asset, row, plan = await conversions.converted(kitchen, found, asset_id, wanted)
    name = None if inline else f"{PurePath(asset.name).stem}.{wanted.ending}"
    modified = row.created_at.replace(microsecond=0)
    content = Content(
        Given.plain(plan), f'"{plan.file_id.hex}"', row.media_type, name, modified, "private, max-age=3600"
    )
    answer = await deliver(request, runtime, content)
    answer.headers["Vary"] = "Accept"
    return answer


def acceptable(accept: str) -> Picture | None:
    """Choose what a client takes best, as its header Accept says (RFC 9110); nothing if it takes none of ours."""
    weights: dict[str, float] = {}
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((found[1] for one in parameters if (found := _WEIGHT.fullmatch(one))), "1")
        weights[name] = float(weight)
    named = {to: weight for to in PICTURES if (weight := weights.get(MEDIA_TYPES[to], 0.0)) > 0}
    most = max(named.values(), default=0.0)
    anything = max(weights.get("image/*", 0.0), weights.get("*/*", 0.0))
    if most and most >= anything:
        return next(to for to in _PREFERRED if named.get(to) == most)
    refused = {to for to in PICTURES if weights.get(MEDIA_TYPES[to]) == 0}
    open_to = [to for to in (_ANYTHING, *_PREFERRED) if to not in refused and to != "pdf"]
    return open_to[0] if anything and open_to else None
