"""Resumable uploads: tus 1.0 with creation, creation-with-upload, creation-defer-length, checksum, expiration,
termination and concatenation (https://tus.io/protocols/resumable-upload).
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api import tus
from api.bodies import received
from api.deps import Running, Sender
from api.fields import View
from api.problems import responses
from api.tus import VERSION, announcement, parse_checksum, parse_concat, parse_length, parse_metadata, parse_number
from archive.access import Caller
from archive.errors import UploadBodyType, UploadLocked, UploadRefused, UploadVersion
from archive.models import Upload
from archive.runtime import Runtime
from archive.uploads import finishing, writing
from archive.uploads import service as uploads
from archive.uploads.writing import Checksum, Writer

router = APIRouter(prefix="/uploads", tags=["uploads"])
BODY_TYPE = "application/offset+octet-stream"
_EXTENSIONS = "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination,concatenation"
_PATH = tus.PATH + "/"
_BODY: dict[str, Any] = {
    "requestBody": {"content": {BODY_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
}


class UploadView(View):
    """An upload, for those who do not speak tus."""

    id: UUID
    library_id: UUID
    state: Literal["open", "finished"]
    offset: int
    length: int | None
    name: str
    asset_id: UUID | None
    duplicate: bool
    expires_at: datetime

    @classmethod
    def of(cls, upload: Upload) -> Self:
        """Show an upload. A guest is not told what the library had before."""
        fields = {name: getattr(upload, name, None) for name in cls.model_fields} | {"offset": upload.received}
        return cls.model_validate(fields | ({"asset_id": None, "duplicate": False} if upload.guest_id else {}))


class Creation(BaseModel):
    """What the client says of an upload it begins."""

    upload_length: str | None = None
    upload_defer_length: str | None = None
    upload_metadata: str | None = None
    upload_concat: str | None = None
    upload_checksum: str | None = None


async def _speaks_tus(_caller: Sender, tus_resumable: Annotated[str | None, Header()] = None) -> None:
    # Who is nobody hears that first, whatever they speak.
    if tus_resumable != VERSION:
        raise UploadVersion


Tus = Depends(_speaks_tus)


@router.options("", status_code=204)
async def describe_uploads(runtime: Running) -> Response:
    """Say what this server speaks."""
    headers = {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": _EXTENSIONS,
        "Tus-Max-Size": str(runtime.settings.max_upload),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(status_code=204, headers=headers)


@router.post(
    "",
    status_code=201,
    dependencies=[Tus],
    responses=responses(400, 401, 403, 404, 409, 410, 412, 413, 415, 429, 460, 507),
    openapi_extra=_BODY,
)
async def create_upload(
    caller: Sender,
    runtime: Running,
    request: Request,
    said: Annotated[Creation, Header()],
) -> Response:
    """Begin an upload; its bytes may come along. Metadata: `filename`, `filetype`, `library`, `batch` and
    `album` (ids), `modified` (milliseconds since 1970, or ISO 8601), `sha256`.
    """
    metadata = parse_metadata(said.upload_metadata)
    concat, part_ids = parse_concat(said.upload_concat)
    if concat == "final":
        announced = announcement(metadata, None, said.upload_metadata, partial=False)
        upload = await finishing.concatenate(runtime.intake, caller, announced, part_ids)
        return _answer(201, upload, location=True)
    length = parse_length(said.upload_length, said.upload_defer_length)
    announced = announcement(metadata, length, said.upload_metadata, partial=concat == "partial")
    if length == 0 or request.headers.get("content-type") == BODY_TYPE:
        checksum = parse_checksum(said.upload_checksum)
        writer = await writing.begin(runtime.intake, caller, announced)
        return _answer(201, await _write(runtime, caller, request, writer, checksum), location=True)
    async with runtime.database.transaction() as session:
        begun = await uploads.create(session, runtime.vault, caller, runtime.intake.limits, announced)
    return _answer(201, begun.upload, location=True)


@router.head("/{upload_id}", dependencies=[Tus], responses=responses(401, 403, 404, 409, 410, 412, 429, 460))
async def show_offset(caller: Sender, runtime: Running, upload_id: UUID) -> Response:
    """Say how many bytes are safe."""
    async with runtime.database.transaction() as session:
        upload = await uploads.find(session, caller, upload_id)
    if upload.state == "open" and upload.received == upload.length and upload.concat is None:
        # Its last request did not live to finish it. Whoever asks now takes the answer for the end of it.
        upload = await _finish_again(runtime, caller, upload)
    headers = {"Cache-Control": "no-store", "Upload-Metadata": upload.metadata_, **_length_header(upload)}
    if upload.concat:
        parts = " ".join(_PATH + str(part) for part in upload.parts or ())
        headers["Upload-Concat"] = f"final;{parts}" if parts else upload.concat
    return _answer(200, upload, more={name: value for name, value in headers.items() if value})


@router.get("/{upload_id}", responses=responses(401, 403, 404, 410))
async def show_upload(caller: Sender, runtime: Running, upload_id: UUID) -> UploadView:
    """Show an upload, and the asset it became."""
    async with runtime.database.transaction() as session:
        return UploadView.of(await uploads.find(session, caller, upload_id))


@router.patch(
    "/{upload_id}",
    status_code=204,
    dependencies=[Tus],
    responses=responses(400, 401, 403, 404, 409, 410, 412, 413, 415, 423, 429, 460, 507),
    openapi_extra=_BODY,
)
async def append_to_upload(
    caller: Sender,
    runtime: Running,
    request: Request,
    upload_id: UUID,
    upload_offset: Annotated[str | None, Header()] = None,
    upload_length: Annotated[str | None, Header()] = None,
    upload_checksum: Annotated[str | None, Header()] = None,
) -> Response:
    """Send the bytes that begin at `Upload-Offset`. What is answered is safe; after a break, ask for the offset."""
    if request.headers.get("content-type") != BODY_TYPE:
        raise UploadBodyType(BODY_TYPE)
    offset = parse_number("Upload-Offset", upload_offset)
    checksum = parse_checksum(upload_checksum)
    length = None if upload_length is None else parse_number("Upload-Length", upload_length)
    writer = await writing.claim(runtime.intake, caller, upload_id, offset)
    if length is not None:
        await _declare(runtime, caller, writer, length)
    return _answer(204, await _write(runtime, caller, request, writer, checksum))


@router.delete(
    "/{upload_id}", status_code=204, dependencies=[Tus], responses=responses(401, 403, 404, 409, 410, 412, 423)
)
async def terminate_upload(caller: Sender, runtime: Running, upload_id: UUID) -> Response:
    """End an upload and forget its bytes."""
    async with runtime.database.transaction() as session:
        await uploads.terminate(session, caller, upload_id)
    return Response(status_code=204, headers={"Tus-Resumable": VERSION})


@router.post("/{upload_id}", include_in_schema=False, dependencies=[Tus])
async def override_method(caller: Sender, runtime: Running, request: Request, upload_id: UUID) -> Response:
    """Do what clients cannot say that only know GET and POST."""
    given = request.headers
    match given.get("x-http-method-override"):
        case "PATCH":
            announced = [given.get(name) for name in ("upload-offset", "upload-length", "upload-checksum")]
            return await append_to_upload(caller, runtime, request, upload_id, *announced)
        case "DELETE":
            return await terminate_upload(caller, runtime, upload_id)
        case "HEAD":
            return await show_offset(caller, runtime, upload_id)
    message = "Send PATCH, DELETE or HEAD, or one of these as X-HTTP-Method-Override."
    raise UploadRefused(message)


async def _declare(runtime: Runtime, caller: Caller, writer: Writer, length: int) -> None:
    try:
        async with runtime.database.transaction() as session:
            await uploads.declare_length(session, caller, runtime.intake.limits, writer.upload_id, length)
    except BaseException:
        await writing.let_go(runtime.database, writer)
        raise
    writer.length = length


async def _write(
    runtime: Runtime, caller: Caller, request: Request, writer: Writer, checksum: Checksum | None = None
) -> Upload:
    try:
        outcome = await finishing.take_in(runtime.intake, writer, received(request), checksum)
    except BaseException:
        await writing.let_go(runtime.database, writer)
        raise
    if outcome.upload is not None:
        return outcome.upload
    await writing.let_go(runtime.database, writer)
    async with runtime.database.transaction() as session:
        return await uploads.find(session, caller, writer.upload_id)


async def _finish_again(runtime: Runtime, caller: Caller, upload: Upload) -> Upload:
    try:
        writer = await writing.claim(runtime.intake, caller, upload.id, upload.received)
    except UploadLocked:
        return upload  # somebody finishes it just now
    return await _finished(runtime, writer)


async def _finished(runtime: Runtime, writer: Writer) -> Upload:
    try:
        return await finishing.finish(runtime.intake, writer)
    finally:
        await writing.let_go(runtime.database, writer)


def _answer(status: int, upload: Upload, *, location: bool = False, more: dict[str, str] | None = None) -> Response:
    headers = (more or {}) | {"Tus-Resumable": VERSION, "Upload-Offset": str(upload.received)}
    if upload.state == "open":
        headers["Upload-Expires"] = format_datetime(upload.expires_at, usegmt=True)
    if location:
        headers["Location"] = _PATH + str(upload.id)
    # A guest is not told what the library had before.
    if upload.asset_id is not None and upload.guest_id is None:
        headers["Upload-Asset"] = str(upload.asset_id)
        headers["Upload-Duplicate"] = str(upload.duplicate).lower()
    return Response(status_code=status, headers=headers)


def _length_header(upload: Upload) -> dict[str, str]:
    return {"Upload-Defer-Length": "1"} if upload.length is None else {"Upload-Length": str(upload.length)}
