"""How the archive's bytes are, for admins: verified, damaged, mirrored, waiting to be deleted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.deps import Admin, Running, Transaction
from api.fields import View
from api.jobs import JobView
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of
from api.problems import responses
from archive.integrity import service as integrity
from archive.integrity.service import Summary
from archive.queue.document import document

router = APIRouter(prefix="/integrity", tags=["integrity"], responses=responses(401, 403))


class MirrorView(View):
    """How far the mirror is behind."""

    objects: int
    bytes: int
    seconds: float = Field(description="Age of the oldest object that it lacks.")


class IntegrityView(View):
    """How the archive's bytes are."""

    objects: int
    bytes: int = Field(description="What the objects take in the store.")
    never_verified: int
    last_verified: datetime | None
    oldest_unverified: datetime | None = Field(
        description="When the object that has waited longest was last verified, or received if it never was."
    )
    scrub_days: int = Field(description="Days within which every object is to be verified.")
    damaged: int
    mirror: MirrorView | None = Field(description="Null when there is no mirror.")
    deletions: int = Field(description="Objects that were purged and are still to be deleted.")
    strays: int = Field(description="Objects in a store that nobody knows.")


class FindingView(View):
    """A damaged object, and what it is a part of."""

    key: str = Field(examples=["o/5f/5f0c3a…"])
    file_id: UUID
    kind: str = Field(examples=["original"])
    library_id: UUID
    library: str
    asset_id: UUID | None
    asset: str | None = Field(description="The asset's name; null while it is still being uploaded.")
    rendition: str | None
    start: int = Field(description="Where in the file the damaged bytes begin.")
    size: int
    damage: str
    since: datetime
    healable: bool = Field(description="The mirror is to have a whole copy.")


@router.get("")
async def show_integrity(caller: Admin, session: Transaction, runtime: Running) -> IntegrityView:
    """Show how the bytes are."""
    found = await integrity.summary(session, caller, mirrored=runtime.vault.mirror is not None)
    return _view(found, runtime.settings.scrub_days)


@router.get("/findings")
async def list_findings(
    caller: Admin, session: Transaction, runtime: Running, cursor: CursorQuery = None, limit: Limit = 50
) -> Page[FindingView]:
    """List what is damaged. The names of an asset and its library are shown also to admins who do not belong to it."""
    after = _key_of(id_of(cursor))
    mirrored = runtime.vault.mirror is not None
    rows = await integrity.findings(session, caller, after=after, limit=limit, mirrored=mirrored)
    following = cursor_of(rows[-1].key.rpartition("/")[2]) if len(rows) == limit else None
    return Page(items=[FindingView.model_validate(row) for row in rows], next=following)


@router.post("/scrub", status_code=202)
async def start_scrub(caller: Admin, session: Transaction) -> JobView:
    """Verify every object now. It takes as long as the allowed rate makes it; when one job ends, another goes on."""
    return JobView.model_validate(document(await integrity.start_scrub(session, caller)))


def _key_of(name: UUID | None) -> str | None:
    """Give the key of an object with this name: 128 bits, written as ids are."""
    return None if name is None else f"o/{name.hex[:2]}/{name.hex}"


def _view(found: Summary, scrub_days: int) -> IntegrityView:
    figures = found.figures
    return IntegrityView(
        objects=figures.objects,
        bytes=found.bytes,
        never_verified=figures.never_verified,
        last_verified=found.last_verified,
        oldest_unverified=figures.oldest_unverified,
        scrub_days=scrub_days,
        damaged=figures.damaged,
        mirror=None if figures.lag is None else MirrorView.model_validate(figures.lag),
        deletions=figures.deletions,
        strays=found.strays,
    )
