"""Links to albums: made by those who may change the album, and opened by guests, who see what the link shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.albums import TileLimit
from api.deps import Reader, Running, SameSite, Transaction, Visitor, Writer
from api.details import PartView, PlaceView
from api.fields import Document, Moment, Name, Text, Token, View
from api.paging import CursorQuery, position_cursor, position_of
from api.problems import responses
from api.signing import Signer
from api.tiles import TileView, WallClock, shown
from archive.accounts import guests, passwords
from archive.assets import service as assets
from archive.keyring import Keyring
from archive.models import Share
from archive.shares import service as shares
from archive.shares import tokens
from archive.shares.service import Opened, Visit
from archive.timeline import tiles
from archive.timeline.tiles import Tile

router = APIRouter(tags=["shares"])
_MEMBERS, _GUESTS = responses(401, 403, 404), responses(401, 403, 404, 410)
GuestPassword = Annotated[Text, Field(min_length=4, max_length=200, examples=["for the guests"])]


class ShareView(View):
    """A link to an album, as those see it who may change the album."""

    id: UUID
    album_id: UUID
    address: str = Field(description="What guests open. It can be copied at any time, and is stored nowhere.")
    note: str | None
    password: bool = Field(description="Whether it has one.")
    expires_at: datetime | None
    downloads: bool
    uploads: bool
    metadata: bool
    views: int
    last_seen_at: datetime | None
    created_by: UUID
    created_at: datetime

    @classmethod
    def of(cls, share: Share, runtime: Running) -> Self:
        """Show a link."""
        plain = ("id", "album_id", "note", "expires_at", "downloads", "uploads", "views", "last_seen_at")
        return cls(
            **{name: getattr(share, name) for name in plain},
            address=f"{runtime.public_url}/s#{tokens.token_of(runtime.keyring, share.id)}",
            password=share.password_hash is not None,
            metadata=share.metadata_,
            created_by=share.created_by,
            created_at=share.created_at,
        )


class Shares(View):
    """An album's links, the newest first."""

    items: list[ShareView]


class ShareFields(Document):
    """What a link is for, and what it allows. In a change, what is not there stays; null takes it away."""

    note: Name | None = None
    password: GuestPassword | None = None
    expires_at: Moment | None = None
    downloads: bool = Field(default=True, description="Whether guests get originals, which carry their metadata.")
    uploads: bool = False
    metadata: bool = Field(default=True, description="Whether guests see names, places and what else files say.")

    async def fields(self) -> dict[str, Any]:
        """Give what was said, as the archive has it."""
        given = self.model_dump(exclude_unset=True)
        if "password" in given:
            written = given.pop("password")
            given["password_hash"] = None if written is None else await passwords.hash_password(written)
        if "metadata" in given:
            given["metadata_"] = given.pop("metadata")
        if given.get("metadata_") is False:
            given.setdefault("downloads", False)
        return given


class Opening(Document):
    """What a guest was given."""

    token: Token
    password: Annotated[Text, Field(max_length=1000)] | None = None


class GuestAlbum(View):
    """An album as guests see it."""

    name: str
    description: str | None
    order: str
    count: int
    from_: WallClock | None = Field(serialization_alias="from")
    to: WallClock | None
    cover: str | None


class OpenedShare(View):
    """What a link shows and allows, and the pass that goes with each further request."""

    share_id: UUID
    pass_: str = Field(serialization_alias="pass", description="Send it as `Authorization: Share …`.")
    expires_at: datetime
    album: GuestAlbum
    downloads: bool
    uploads: bool
    metadata: bool

    @classmethod
    def of(cls, opened: Opened, keyring: Keyring) -> Self:
        """Show what was opened."""
        share, album, extent, cover = opened.share, opened.listed.album, opened.listed.extent, opened.listed.cover
        return cls(
            share_id=share.id,
            pass_=tokens.write(keyring, opened.given),
            expires_at=opened.given.expires_at,
            album=GuestAlbum(
                name=album.name,
                description=album.description,
                order=album.order,
                count=extent.count,
                from_=extent.first,
                to=extent.last,
                cover=None if cover is None else Signer(keyring).rendition(cover.asset_id, cover.rendition or "thumb"),
            ),
            downloads=share.downloads,
            uploads=share.uploads,
            metadata=share.metadata_,
        )


class GuestTile(TileView):
    """A tile as guests see it: without what members note for themselves, and without a name where the link hides it."""

    original: str | None = Field(description="A signed link, where the link allows downloads.")

    @classmethod
    def for_guest(cls, tile: Tile, visit: Visit, links: Signer, **more: Any) -> Self:  # noqa: ANN401  # further fields
        """Show what a guest may see of a tile."""
        return cls.model_validate(_for_guest(tile, visit, links) | more)


class GuestTiles(View):
    """A page of what a guest sees."""

    items: list[GuestTile]
    next: str | None = None


class GuestPart(PartView):
    """What is shown as a part of an asset."""

    original: str | None


class GuestDetails(GuestTile):
    """What a guest may know of an asset; nothing but the tile where the link hides metadata."""

    title: str | None = None
    description: str | None = None
    camera: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    place: PlaceView | None = None
    size: int | None = None
    media_type: str | None = None
    metadata: dict[str, Any] | None = None
    shown_parts: list[GuestPart] = Field(default_factory=list)


class ZipLink(View):
    """Where a zip is, for a while."""

    zip: str
    expires_at: datetime


@router.get("/albums/{album_id}/shares", responses=_MEMBERS)
async def list_shares(caller: Reader, runtime: Running, session: Transaction, album_id: UUID) -> Shares:
    """List an album's links, for those who may change the album."""
    rows = await shares.of_album(session, caller, album_id)
    return Shares(items=[ShareView.of(row, runtime) for row in rows])


@router.post("/albums/{album_id}/shares", status_code=201, responses=_MEMBERS)
async def create_share(
    caller: Writer, runtime: Running, session: Transaction, album_id: UUID, given: ShareFields
) -> ShareView:
    """Make a link by which people without an account see an album."""
    return ShareView.of(await shares.create(session, caller, album_id, await given.fields()), runtime)


@router.patch("/shares/{share_id}", responses=_MEMBERS)
async def change_share(
    caller: Writer, runtime: Running, session: Transaction, share_id: UUID, given: ShareFields
) -> ShareView:
    """Change what a link allows. With another password, guests have to open it again."""
    return ShareView.of(await shares.change(session, caller, share_id, await given.fields()), runtime)


@router.delete("/shares/{share_id}", status_code=204, responses=_MEMBERS)
async def end_share(caller: Writer, session: Transaction, share_id: UUID) -> None:
    """End a link at once."""
    await shares.end(session, caller, share_id)


@router.post("/shares/open", dependencies=[SameSite], responses=responses(401, 403, 404, 410, 429))
async def open_share(runtime: Running, given: Opening) -> OpenedShare:
    """Open a link as a guest."""
    opened = await guests.come_in(runtime.database, runtime.keyring, given.token, given.password)
    return OpenedShare.of(opened, runtime.keyring)


@router.get("/shares/{share_id}/assets", responses=_GUESTS)  # noqa: FAST003  # the pass has to be of it
async def list_shared(
    visit: Visitor,
    runtime: Running,
    session: Transaction,
    cursor: CursorQuery = None,
    limit: TileLimit = 200,
) -> GuestTiles:
    """List what a link shows, in the album's order."""
    rows, following = await shares.assets(session, visit, after=position_of(cursor), limit=limit)
    links = Signer(runtime.keyring)
    items = [GuestTile.for_guest(tile, visit, links) for tile in rows]
    return GuestTiles(items=items, next=following and position_cursor(following))


@router.get("/shares/{share_id}/assets/{asset_id}", responses=_GUESTS)  # noqa: FAST003  # the pass has to be of it
async def show_shared(visit: Visitor, runtime: Running, session: Transaction, asset_id: UUID) -> GuestDetails:
    """Show what a guest may know of an asset."""
    asset = await shares.asset(session, visit, asset_id)
    tile, links = (await tiles.of(session, [asset]))[0], Signer(runtime.keyring)
    if not visit.share.metadata_:
        return GuestDetails.for_guest(tile, visit, links)
    known = ("title", "description", "camera", "lens", "latitude", "longitude", "size", "media_type")
    parts = [
        GuestPart(
            **PartView.model_validate(part).model_dump(),
            original=links.original(part.id) if visit.share.downloads else None,
        )
        for part in await assets.parts(session, asset)
    ]
    more = {name: getattr(asset, name) for name in known} | {"place": PlaceView.of(asset), "shown_parts": parts}
    return GuestDetails.for_guest(tile, visit, links, **more, metadata=await assets.metadata(session, asset))


@router.post("/shares/{share_id}/zip", status_code=201, responses=_GUESTS | responses(429))  # noqa: FAST003  # the pass has to be of it
async def zip_shared(visit: Visitor, runtime: Running, session: Transaction) -> ZipLink:
    """Give a signed link to a zip of all that a link shows."""
    await guests.count_zip(runtime.database, visit)
    selection, links = await shares.select(session, visit), Signer(runtime.keyring)
    return ZipLink(zip=links.zip(selection.id), expires_at=links.expires_at)


def _for_guest(tile: Tile, visit: Visit, links: Signer) -> dict[str, Any]:
    share = visit.share
    fields = shown(tile, links, originals=share.downloads)
    fields |= {"favourite": False, "archived": False, "rating": None, "problem": None}
    if not share.metadata_:
        fields["name"] = ""
    return fields | {"original": links.original(tile.asset.id) if share.downloads else None}
