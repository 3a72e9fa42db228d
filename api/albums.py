"""Albums: made, changed, looked at; what is in them, and in which order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, Field

from api.deps import Reader, Running, Transaction, Writer
from api.etags import tagged
from api.fields import Document, Name, Text, View
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of, position_cursor, position_of
from api.problems import responses
from api.signing import Signer
from api.tiles import Tiles, WallClock, views
from archive.albums import service as albums
from archive.albums.service import Listed

router = APIRouter(prefix="/albums", tags=["albums"], responses=responses(401, 403, 404))
_MANY = 5000
Order = Literal["oldest", "newest", "manual"]
Description = Annotated[Text, Field(max_length=10_000)]
TileLimit = Annotated[int, Query(ge=1, le=1000, description="How many items a page has at most.")]


def _once(ids: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))


Ids = Annotated[list[UUID], Field(max_length=_MANY), AfterValidator(_once)]
SomeIds = Annotated[list[UUID], Field(min_length=1, max_length=_MANY), AfterValidator(_once)]


class AlbumView(View):
    """An album: how much it has, from when (by the wall clock), and what stands for it."""

    id: UUID
    library_id: UUID
    name: str
    description: str | None
    order: Order
    cover_id: UUID | None = Field(description="The chosen one; null: the first in its order.")
    count: int
    from_: WallClock | None = Field(serialization_alias="from")
    to: WallClock | None
    cover: str | None = Field(description="A link to a thumbnail.")
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, listed: Listed, links: Signer) -> Self:
        """Show an album."""
        album, extent, cover = listed.album, listed.extent, listed.cover
        plain = (
            "id",
            "library_id",
            "name",
            "description",
            "order",
            "cover_id",
            "created_by",
            "created_at",
            "updated_at",
        )
        fields: dict[str, Any] = {name: getattr(album, name) for name in plain}
        fields |= {"count": extent.count, "from_": extent.first, "to": extent.last}
        link = None if cover is None else links.rendition(cover.asset_id, cover.rendition or "thumb")
        return cls.model_validate(fields | {"cover": link})


class NewAlbum(Document):
    """An album to be made."""

    library_id: UUID
    name: Name
    description: Description | None = None
    order: Order = "oldest"
    asset_ids: Ids = Field(default_factory=list)


class AlbumChange(Document):
    """What to change; what is not there stays."""

    name: Name = "-"
    description: Description | None = None
    cover_id: UUID | None = None
    order: Order = "oldest"


class SomeAssets(Document):
    """Some assets."""

    ids: SomeIds


class Move(Document):
    """Which assets go where."""

    ids: SomeIds
    before: UUID | None = Field(default=None, description="The asset they are put before; null: at the end.")


class Count(View):
    """How many assets it changed something for."""

    count: int


@router.get("")
async def list_albums(
    caller: Reader,
    runtime: Running,
    session: Transaction,
    library: UUID,
    cursor: CursorQuery = None,
    limit: Limit = 50,
) -> Page[AlbumView]:
    """List a library's albums, the newest first."""
    rows = await albums.page(session, caller, library, before=id_of(cursor), limit=limit)
    following = cursor_of(rows[-1].album.id) if len(rows) == limit else None
    links = Signer(runtime.keyring)
    return Page(items=[AlbumView.of(row, links) for row in rows], next=following)


@router.post("", status_code=201)
async def create_album(caller: Writer, runtime: Running, session: Transaction, given: NewAlbum) -> AlbumView:
    """Make an album."""
    fields = given.model_dump(include={"name", "description", "order"})
    album = await albums.create(session, caller, given.library_id, fields, given.asset_ids)
    return await _shown(caller, runtime, session, album.id)


@router.get("/{album_id}")
async def show_album(caller: Reader, runtime: Running, session: Transaction, album_id: UUID) -> AlbumView:
    """Show an album."""
    return await _shown(caller, runtime, session, album_id)


@router.patch("/{album_id}")
async def change_album(
    caller: Writer, runtime: Running, session: Transaction, album_id: UUID, given: AlbumChange
) -> AlbumView:
    """Change an album's name, description, cover or order."""
    await albums.change(session, caller, album_id, given.model_dump(exclude_unset=True))
    return await _shown(caller, runtime, session, album_id)


@router.delete("/{album_id}", status_code=204)
async def delete_album(caller: Writer, session: Transaction, album_id: UUID) -> None:
    """Delete an album and the links to it. Its photos stay."""
    await albums.delete(session, caller, album_id)


_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has it"}}


@router.get("/{album_id}/assets", response_model=Tiles, responses=_UNCHANGED)
async def list_album(
    caller: Reader,
    runtime: Running,
    session: Transaction,
    request: Request,
    album_id: UUID,
    cursor: CursorQuery = None,
    limit: TileLimit = 200,
) -> Response:
    """List an album's assets in its order."""
    rows, following = await albums.assets(session, caller, album_id, after=position_of(cursor), limit=limit)
    shown = Tiles(items=views(rows, Signer(runtime.keyring)), next=following and position_cursor(following))
    return tagged(request, shown)


@router.post("/{album_id}/add")
async def add_to_album(caller: Writer, session: Transaction, album_id: UUID, given: SomeAssets) -> Count:
    """Put assets of the album's library into it; says how many were not in it yet."""
    return Count(count=await albums.add(session, caller, album_id, given.ids))


@router.post("/{album_id}/remove")
async def remove_from_album(caller: Writer, session: Transaction, album_id: UUID, given: SomeAssets) -> Count:
    """Take assets out of an album; says how many were in it."""
    return Count(count=await albums.remove(session, caller, album_id, given.ids))


@router.post("/{album_id}/move", status_code=204)
async def move_in_album(caller: Writer, session: Transaction, album_id: UUID, given: Move) -> None:
    """Put assets before another, or at the end. From then on the album's order is by hand."""
    await albums.move(session, caller, album_id, given.ids, given.before)


async def _shown(caller: Reader, runtime: Running, session: Transaction, album_id: UUID) -> AlbumView:
    return AlbumView.of(await albums.show(session, caller, album_id), Signer(runtime.keyring))
