"""Space: the policies of libraries and albums, previews of what they would save, and what was saved."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import Admin, Person, Reader, Running, Transaction
from api.fields import Document, View
from api.problems import responses
from archive.albums import service as albums
from archive.models import SpacePreview
from archive.space import levels, policies, previewing, savings
from archive.space.policies import Wish

router = APIRouter(tags=["space"], responses=responses(401, 403))
Level = Literal["keep", "exact", "visually_lossless", "space_saver", "custom"]
Codec = Literal["jxl", "avif", "webp", "jpeg"]
Days = Annotated[int, Query(ge=1, le=3660)]


class PolicyView(View):
    """Which form a library wants, or an album for what it holds."""

    library_id: UUID
    album_id: UUID | None
    level: Level
    score: float | None
    codec: Codec | None
    most_pixels: int | None
    keep_days: int
    changed_at: datetime


class Policies(View):
    """The policies of a library and its albums; a library without one does as the installation."""

    default: Level
    levels: list[Level] = Field(description="What this release can do.")
    items: list[PolicyView]


class Choice(Document):
    """The level that is chosen."""

    level: Level
    score: Annotated[float, Field(ge=30, le=95)] | None = None
    codec: Codec | None = None
    most_pixels: Annotated[int, Field(ge=1, le=1 << 40)] | None = None
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30
    understood: bool = Field(
        default=False, description="That a lossy level cannot be undone once the received files are gone."
    )

    def wish(self) -> Wish:
        """Give it as the archive takes it."""
        return Wish(**self.model_dump())


class PreviewRequest(Document):
    """An album, or all of the library."""

    album_id: UUID | None = None


class TriedLevel(View):
    """What a level came to."""

    size: int
    reason: str | None = None


class TriedAsset(View):
    """What the levels came to on one asset."""

    id: UUID
    name: str
    media_type: str
    received: int
    levels: dict[str, TriedLevel]
    reason: str | None = None


class PreviewView(View):
    """What levels would save on some assets; it grows until it is finished."""

    id: UUID
    library_id: UUID
    album_id: UUID | None
    made_at: datetime
    finished_at: datetime | None
    assets: list[TriedAsset]


class SpaceRow(View):
    """Assets of one media type in one form, under one level."""

    media_type: str
    form: str
    level: str | None
    assets: int
    received: int
    stored: int


class SpaceReason(View):
    """Why some assets are kept as received."""

    reason: str
    assets: int


class SpaceView(View):
    """Bytes as received, and as the store has them, sealed."""

    assets: int
    received: int
    stored: int = Field(description="The sum of the parts: all that the store holds.")
    parts: dict[str, int]
    saved: int = Field(description="What was received, less what the present forms take.")
    due: int = Field(description="Assets that are still to be made smaller.")
    could: int | None = Field(description="What they would save at the rate seen so far; null where none was seen.")
    rows: list[SpaceRow]
    reasons: list[SpaceReason]


class SpaceDayView(View):
    """How it was on a day."""

    day: date
    assets: int
    received: int
    stored: int
    formers: int


class SpaceHistory(View):
    """The days, the earliest first."""

    items: list[SpaceDayView]


@router.get("/libraries/{library_id}/policies", responses=responses(404))
async def list_policies(caller: Reader, runtime: Running, session: Transaction, library_id: UUID) -> Policies:
    """List the policies of a library and its albums."""
    rows = await policies.listed(session, caller, library_id)
    items = [PolicyView.model_validate(row) for row in rows]
    return Policies.model_validate({"default": runtime.settings.space, "levels": levels.offered(), "items": items})


@router.put("/libraries/{library_id}/policy", responses=responses(404, 422))
async def choose_policy(caller: Person, session: Transaction, library_id: UUID, given: Choice) -> PolicyView:
    """Choose how a library keeps its originals."""
    return PolicyView.model_validate(await policies.choose(session, caller, library_id, None, given.wish()))


@router.delete("/libraries/{library_id}/policy", status_code=204, responses=responses(404))
async def drop_policy(caller: Person, session: Transaction, library_id: UUID) -> None:
    """Have a library do as the installation does."""
    await policies.drop(session, caller, library_id, None)


@router.put("/albums/{album_id}/policy", responses=responses(404, 422))
async def choose_album_policy(caller: Person, session: Transaction, album_id: UUID, given: Choice) -> PolicyView:
    """Choose how the originals of an album are kept, whatever its library does."""
    album = await albums.get(session, caller, album_id)
    row = await policies.choose(session, caller, album.library_id, album_id, given.wish())
    return PolicyView.model_validate(row)


@router.delete("/albums/{album_id}/policy", status_code=204, responses=responses(404))
async def drop_album_policy(caller: Person, session: Transaction, album_id: UUID) -> None:
    """Have an album do as its library does."""
    album = await albums.get(session, caller, album_id)
    await policies.drop(session, caller, album.library_id, album_id)


@router.post("/libraries/{library_id}/previews", status_code=202, responses=responses(404, 422))
async def ask_for_preview(caller: Person, session: Transaction, library_id: UUID, given: PreviewRequest) -> PreviewView:
    """Find out on up to twenty assets what each level would save, before one is chosen."""
    return _shown(await previewing.ask(session, caller, library_id, given.album_id))


@router.get("/previews/{preview_id}", responses=responses(404))
async def show_preview(caller: Reader, session: Transaction, preview_id: UUID) -> PreviewView:
    """Show how far a preview is."""
    return _shown(await previewing.get(session, caller, preview_id))


@router.get("/libraries/{library_id}/space", responses=responses(404))
async def show_space(caller: Reader, session: Transaction, library_id: UUID) -> SpaceView:
    """Show what a library received, what the store holds of it, and what that saves."""
    return SpaceView.model_validate(await savings.of_library(session, caller, library_id))


@router.get("/libraries/{library_id}/space/history", responses=responses(404))
async def show_space_history(caller: Reader, session: Transaction, library_id: UUID, days: Days = 365) -> SpaceHistory:
    """Show a library's bytes day by day."""
    rows = await savings.history(session, caller, library_id, days)
    return SpaceHistory(items=[SpaceDayView.model_validate(row) for row in rows])


@router.get("/reports/space")
async def report_space(caller: Admin, session: Transaction) -> SpaceView:
    """Show it for all libraries together."""
    return SpaceView.model_validate(await savings.of_all(session, caller))


@router.get("/reports/space/history")
async def report_space_history(caller: Admin, session: Transaction, days: Days = 365) -> SpaceHistory:
    """Show all bytes day by day."""
    rows = await savings.history(session, caller, None, days)
    return SpaceHistory(items=[SpaceDayView.model_validate(row) for row in rows])


def _shown(preview: SpacePreview) -> PreviewView:
    fields = {name: getattr(preview, name) for name in ("id", "library_id", "album_id", "made_at", "finished_at")}
    return PreviewView.model_validate({**fields, "assets": preview.results["assets"]})
