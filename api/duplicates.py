"""Duplicates: groups of what belongs together, which should stay, and saying that some are none."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.albums import SomeAssets
from api.deps import Reader, Running, Transaction, Writer
from api.fields import Document, View
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of
from api.problems import responses
from api.signing import Signer
from api.tiles import TileView
from archive.duplicates import service as duplicates
from archive.duplicates.service import Shown

router = APIRouter(tags=["duplicates"], responses=responses(401, 403, 404))

Kind = Literal["same", "similar"]
Reason = Literal["pixels", "part", "writing", "moved", "moment", "animation", "changed", "film", "bytes"]
Why = Literal[
    "uncut",
    "most_pixels",
    "best_format",
    "sharpest",
    "richest_metadata",
    "in_albums",
    "oldest",
    "most_bytes",
    "first",
]


class LikenessView(View):
    """How two of a group are alike, with all that was measured."""

    first_id: UUID
    second_id: UUID
    kind: Kind
    reason: Reason
    orientation: int = Field(description="How the first lies as the second does; as EXIF numbers it, from 0.")
    distance: int | None = Field(description="Bits of 64 by which their hashes differ.")
    distance_large: int | None = Field(description="Bits of 256.")
    correlation: float | None
    alike: float | None = Field(description="The part of their blocks that agree.")
    first_shown: float | None = Field(description="How much of the first the second shows.")
    second_shown: float | None
    ink: float | None = Field(description="Of pages: the largest difference.")
    border: int = Field(description="Which of both only has a border around what the other shows; 0 is neither.")


class GroupMemberView(View):
    """One of a group, and what the others may lack."""

    tile: TileView
    size: int
    media_type: str
    taken_from: str
    camera: str | None
    title: str | None
    country: str | None
    tags: list[str]
    albums: int
    sharpness: float | None
    verdicts: list[str]
    cut: bool = Field(description="Another one of the group shows more of it.")


class GroupView(View):
    """What belongs together."""

    id: UUID
    kind: Kind
    version: str = Field(description="What the group is now: send it with what you decide.")
    count: int
    members: list[GroupMemberView] = Field(description="The suggested one first; of a very large group a hundred.")
    links: list[LikenessView]
    keep: UUID
    why: Why
    spare_bytes: int
    created_at: datetime
    updated_at: datetime
    settled_at: datetime | None
    resolution_id: UUID | None

    @classmethod
    def of(cls, shown: Shown, links: Signer) -> Self:
        """Show a group."""
        group, said, related = shown.group, shown.suggestion, shown.related
        members = [
            GroupMemberView(
                tile=TileView.of(tile, links),
                size=tile.asset.size,
                media_type=tile.asset.media_type,
                taken_from=tile.asset.taken_from,
                camera=tile.asset.camera,
                title=tile.asset.title,
                country=tile.asset.country,
                tags=related.tags.get(tile.asset.id, []),
                albums=len(related.albums.get(tile.asset.id, ())),
                sharpness=quality.sharpness if (quality := related.quality.get(tile.asset.id)) else None,
                verdicts=quality.verdicts if quality else [],
                cut=tile.asset.id in said.cut,
            )
            for tile in shown.tiles
        ]
        return cls(
            id=group.id,
            kind="same" if group.kind == "same" else "similar",
            version=shown.version,
            count=shown.count,
            members=members,
            links=[LikenessView.model_validate(link) for link in shown.links],
            keep=said.keep,
            why=said.why.value,
            spare_bytes=shown.spare_bytes,
            created_at=group.created_at,
            updated_at=group.updated_at,
            settled_at=group.settled_at,
            resolution_id=group.resolution_id,
        )


class Groups(View):
    """Groups of one asset."""

    items: list[GroupView]


class SpareView(View):
    """What there is to decide of one kind."""

    groups: int = 0
    assets: int = 0
    bytes: int = Field(default=0, description="What all but the largest of each group take.")


class SummaryView(View):
    """What there is to decide in a library."""

    same: SpareView
    similar: SpareView


class DifferentGiven(Document):
    """Who is none of the group."""

    ids: Annotated[list[UUID], Field(max_length=100)] = Field(
        default=[], description="These are none of it; without any, nothing of it belongs together."
    )


class Parted(View):
    """Of whom it was said; `POST /duplicates/alike` takes it back."""

    ids: list[UUID]


@router.get("/duplicates")
async def list_duplicates(
    caller: Reader,
    runtime: Running,
    session: Transaction,
    library: UUID,
    kind: Kind | None = None,
    cursor: CursorQuery = None,
    limit: Limit = 50,
) -> Page[GroupView]:
    """List the groups of a library that nobody has decided yet, the latest first."""
    before = id_of(cursor)
    rows = await duplicates.page(session, caller, library, kind, before=before, limit=limit)
    links = Signer(runtime.keyring)
    items = [GroupView.of(row, links) for row in rows]
    return Page(items=items, next=cursor_of(rows[-1].group.id) if len(rows) == limit else None)


@router.get("/duplicates/summary")
async def show_summary(caller: Reader, session: Transaction, library: UUID) -> SummaryView:
    """Add up what there is to decide in a library."""
    found = await duplicates.summary(session, caller, library)
    views = {kind: SpareView.model_validate(spare) for kind, spare in found.items()}
    return SummaryView(same=views.get("same", SpareView()), similar=views.get("similar", SpareView()))


@router.post("/duplicates/alike", status_code=204)
async def forget_different(caller: Writer, session: Transaction, given: SomeAssets) -> None:
    """Forget that some assets were called different from each other."""
    await duplicates.alike(session, caller, given.ids)


@router.get("/duplicates/{group_id}")
async def show_group(caller: Reader, runtime: Running, session: Transaction, group_id: UUID) -> GroupView:
    """Show one group."""
    return GroupView.of(await duplicates.get(session, caller, group_id), Signer(runtime.keyring))


@router.post("/duplicates/{group_id}/different", responses=responses(422))
async def call_different(caller: Writer, session: Transaction, group_id: UUID, given: DifferentGiven) -> Parted:
    """Remember for ever that some of a group are none of it, or that nothing of it belongs together."""
    return Parted(ids=await duplicates.different(session, caller, group_id, given.ids))


@router.get("/assets/{asset_id}/duplicates")
async def list_groups_of_asset(caller: Reader, runtime: Running, session: Transaction, asset_id: UUID) -> Groups:
    """List the groups an asset is in."""
    rows = await duplicates.holding(session, caller, asset_id)
    return Groups(items=[GroupView.of(row, Signer(runtime.keyring)) for row in rows])
