"""Assets: received in one request, listed, given back exactly, put into the trash and out of it."""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from api.bodies import digest_of, media_type_of, moment_of, name_of, received, sha256_of
from api.content import Content, attachment, deliver
from api.deps import Reader, Running, Transaction, Uploader, Writer
from api.details import AssetDetails, AssetTile
from api.fields import Document, Text, View
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of
from api.problems import responses
from api.seers import seer
from api.signing import ORIGINAL, Signer
from archive.access import Caller
from archive.assets import service as assets
from archive.assets import sidecars
from archive.errors import TagphotoError, UploadRefused
from archive.models import Asset, Upload
from archive.runtime import Runtime
from archive.timeline import tiles
from archive.uploads import finishing, writing
from archive.uploads import service as uploads
from archive.uploads.service import Announced

router = APIRouter(prefix="/assets", tags=["assets"], responses=responses(401, 403))
_BODY: dict[str, Any] = {
    "requestBody": {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}, "required": True},
}
_MANY = 5000
Ids = Annotated[list[UUID], Field(min_length=1, max_length=_MANY)]


class AssetView(View):
    """A photo or video exactly as received."""

    id: UUID
    library_id: UUID
    name: str
    media_type: str
    size: int
    created_at: datetime
    trashed_at: datetime | None


class ReceivedAsset(AssetView):
    """What became of received bytes."""

    duplicate: bool = Field(description="Whether the library had these bytes already.")

    @classmethod
    def of(cls, asset: Asset, upload: Upload) -> Self:
        """Show it."""
        return cls(**AssetView.model_validate(asset).model_dump(), duplicate=upload.duplicate)


class Sent(BaseModel):
    """What the sender says of a file, and where it goes."""

    library: UUID | None = None
    name: Annotated[str, Field(max_length=1000)] | None = Field(default=None, description="The file's name.")
    sha256: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="Refuse other bytes than these."
    )
    batch: UUID | None = Field(default=None, description="The batch it comes with.")
    album: UUID | None = Field(default=None, description="An album it is put into.")
    modified: Annotated[str, Field(max_length=50)] | None = Field(
        default=None, description="The file's date: milliseconds since 1970, or ISO 8601."
    )


class Question(Document):
    """Hashes of files that somebody might send."""

    library_id: UUID
    hashes: Annotated[list[Text], Field(max_length=_MANY, examples=[["ab" * 32]])]


class Answer(View):
    """What the library has of one hash."""

    hash: str
    asset_id: UUID | None
    trashed: bool


class Answers(View):
    """In the order of the question."""

    items: list[Answer]


class Moved(View):
    """The assets, as they are now."""

    items: list[AssetView]

    @classmethod
    def of(cls, rows: list[Asset]) -> Self:
        """Show them."""
        return cls(items=[AssetView.model_validate(row) for row in rows])


class Selected(Document):
    """Some assets."""

    ids: Ids


@router.get("", responses=responses(404))
async def list_assets(
    caller: Reader,
    runtime: Running,
    session: Transaction,
    library: UUID,
    state: Literal["kept", "trashed"] = "kept",
    cursor: CursorQuery = None,
    limit: Limit = 50,
) -> Page[AssetTile]:
    """List a library's assets, the latest received first; in the trash what is shown as one is one."""
    rows = await assets.page(session, caller, library, before=id_of(cursor), limit=limit, trashed=state == "trashed")
    following = cursor_of(rows[-1].id) if len(rows) == limit else None
    links = Signer(runtime.keyring)
    return Page(items=[AssetTile.with_more(tile, links) for tile in await tiles.of(session, rows)], next=following)


@router.post(
    "",
    status_code=201,
    response_model=ReceivedAsset,
    responses=responses(400, 404, 413, 460, 507) | {200: {"model": ReceivedAsset, "description": "It was there"}},
    openapi_extra=_BODY,
)
async def receive_asset(
    caller: Uploader,
    runtime: Running,
    request: Request,
    said: Annotated[Sent, Query()],
) -> Response:
    """Receive a photo or video in one request: the body is the file. For large files and poor lines, see `/uploads`."""
    announced = Announced(
        library_id=said.library,
        length=_length(request),
        name=name_of(said.name),
        media_type=media_type_of(request.headers.get("content-type")),
        sha256=sha256_of(said.sha256 or _content_digest(request)),
        sent_at=moment_of(said.modified),
        batch_id=said.batch,
        album_id=said.album,
    )
    asset, upload = await _receive(runtime, caller, request, announced)
    shown = ReceivedAsset.of(asset, upload).model_dump(mode="json")
    location = {"Location": f"/api/v1/assets/{asset.id}"}
    return JSONResponse(shown, 200 if upload.duplicate else 201, location)


@router.post("/check", responses=responses(400, 404))
async def check_assets(caller: Uploader, runtime: Running, session: Transaction, given: Question) -> Answers:
    """Say which of these files a library has already, by their SHA-256 or SHA-1, so that nobody sends them again."""
    digests = [digest_of(written) for written in given.hashes]
    found = await assets.known(session, runtime.vault.keys, caller, given.library_id, digests)
    items = [
        Answer(hash=written, asset_id=known.asset_id, trashed=known.trashed)
        for written, known in zip(given.hashes, found, strict=True)
    ]
    return Answers(items=items)


@router.post("/trash", responses=responses(404))
async def trash_assets(caller: Writer, session: Transaction, given: Selected) -> Moved:
    """Put assets into the trash."""
    return Moved.of(await assets.trash(session, caller, given.ids))


@router.post("/restore", responses=responses(404))
async def restore_assets(caller: Writer, session: Transaction, given: Selected) -> Moved:
    """Take assets out of the trash."""
    return Moved.of(await assets.restore(session, caller, given.ids))


@router.post("/purge", status_code=204, responses=responses(404))
async def purge_assets(caller: Writer, session: Transaction, given: Selected) -> None:
    """Destroy assets that are in the trash, now and for ever."""
    await assets.purge(session, caller, given.ids)


@router.get("/{asset_id}", responses=responses(404))
async def show_asset(caller: Reader, runtime: Running, session: Transaction, asset_id: UUID) -> AssetDetails:
    """Show everything known of an asset."""
    asset = await assets.get(session, caller, asset_id)
    return await AssetDetails.load(session, runtime.keyring, asset)


@router.get(
    "/{asset_id}/sidecar",
    response_class=Response,
    responses=responses(404) | {200: {"content": {sidecars.MEDIA_TYPE: {}}, "description": "XMP"}},
)
async def download_sidecar(caller: Reader, session: Transaction, asset_id: UUID) -> Response:
    """Give what was corrected as an XMP sidecar; the original stays as it was received."""
    asset = await assets.get(session, caller, asset_id)
    headers = {"Content-Disposition": attachment(asset.name + sidecars.ENDING)}
    return Response(await sidecars.of(session, asset), media_type=sidecars.MEDIA_TYPE, headers=headers)


@router.delete("/{asset_id}", status_code=204, responses=responses(404))
async def trash_asset(caller: Writer, session: Transaction, asset_id: UUID) -> None:
    """Put an asset into the trash."""
    await assets.trash(session, caller, [asset_id])


_ORIGINAL: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}, "description": "The bytes"},
    206: {"description": "A range of them"},
    304: {"description": "The client has them"},
    412: {"description": "The condition does not hold"},
    416: {"description": "The range begins behind the end"},
}


OriginalSeer = Annotated[Caller | None, seer(ORIGINAL, "asset_id")]


@router.get("/{asset_id}/original", response_class=Response, responses=responses(404) | _ORIGINAL)
async def download_original(
    found: OriginalSeer, runtime: Running, request: Request, asset_id: UUID, *, inline: bool = False
) -> Response:
    """Give back the bytes that were received, exactly. `Repr-Digest` says their SHA-256."""
    async with runtime.database.transaction() as session:
        asset, given = await assets.original(session, runtime.vault.keys, found, asset_id)
    # The same for all forms that give back what was received.
    tag = asset.identity[:15] if given.form != "lossy" else given.file_id.bytes
    etag = base64.urlsafe_b64encode(tag).decode()
    name = None if inline else given.name_for(asset.name)
    media_type = given.media_type or asset.media_type
    content = Content(given, f'"{etag}"', media_type, name, asset.created_at.replace(microsecond=0))
    return await deliver(request, runtime, content)


@router.head("/{asset_id}/original", include_in_schema=False)
async def describe_original(
    found: OriginalSeer, runtime: Running, request: Request, asset_id: UUID, *, inline: bool = False
) -> Response:
    """Say what a download would give."""
    return await download_original(found, runtime, request, asset_id, inline=inline)


async def _receive(runtime: Runtime, caller: Caller, request: Request, announced: Announced) -> tuple[Asset, Upload]:
    """Receive a body as an upload of one request; whatever goes wrong, nothing of it stays."""
    intake = runtime.intake
    writer = await writing.begin(intake, caller, announced)
    try:
        outcome = await finishing.take_in(intake, writer, received(request))
        if writer.length is None and outcome.whole:
            async with intake.database.transaction() as session:
                await uploads.declare_length(session, caller, intake.limits, writer.upload_id, writer.offset)
            writer.length = writer.offset
        if outcome.asset is None and finishing.is_complete(writer):
            await finishing.finish(intake, writer, outcome)
        if outcome.asset is None or outcome.upload is None:
            message = f"The body broke off after {writer.offset} bytes; none of them were kept."
            raise UploadRefused(message)
    except BaseException:
        with suppress(TagphotoError):
            async with intake.database.transaction() as session:
                await uploads.abandon(session, writer.upload_id)
        raise
    return outcome.asset, outcome.upload


def _length(request: Request) -> int | None:
    written = request.headers.get("content-length", "")
    return int(written) if written.isdecimal() else None


def _content_digest(request: Request) -> str | None:
    """Read the SHA-256 of a Content-Digest header (RFC 9530)."""
    for item in request.headers.get("content-digest", "").split(","):
        algorithm, _, value = item.strip().partition("=")
        if algorithm.lower() == "sha-256":
            return value.strip(":")
    return None
