"""Quality: what is asked about, answers, and a shoot in order best first."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import Reader, Running, Transaction, Writer
from api.fields import Document, View
from api.paging import CursorQuery, Limit, Page, position_cursor, position_of
from api.problems import responses
from api.signing import Signer
from api.tiles import TileView
from api.timeline import Day
from archive.errors import Invalid
from archive.models import Quality
from archive.quality import service as quality
from archive.quality.service import Rated
from archive.quality.shoots import Shoot
from ml.quality.verdicts import Verdict

router = APIRouter(tags=["quality"], responses=responses(401, 403, 404))


class QualityView(View):
    """What was measured of a picture, and what is said of it."""

    scores: dict[str, Any] | None = Field(description="Films have none.")
    merit: float = Field(description="By which pictures are put in order.")
    verdicts: list[Verdict]
    kept: list[Verdict] = Field(description="Verdicts that somebody has answered by keeping it.")
    never: bool = Field(description="Nobody wants to be asked about it again.")
    percentile: float | None = Field(description="The part of its library or shoot that is less sharp.")

    @classmethod
    def of(cls, row: Quality, percentile: float | None) -> Self:
        """Show what was measured."""
        return cls(
            scores=row.scores,
            merit=row.merit,
            verdicts=[Verdict(one) for one in row.verdicts],
            kept=[Verdict(one) for one in row.kept],
            never=row.never,
            percentile=percentile,
        )


class RatedView(View):
    """An asset and its quality."""

    tile: TileView
    quality: QualityView

    @classmethod
    def of(cls, row: Rated, links: Signer) -> Self:
        """Show a rated asset."""
        return cls(tile=TileView.of(row.tile, links), quality=QualityView.of(row.quality, row.percentile))


class QualityCounts(View):
    """How many are asked about, by verdict. One with two verdicts counts for both."""

    counts: dict[Verdict, int]


class AnswerGiven(Document):
    """What to do with some assets."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=1000)]
    answer: Literal["keep", "trash", "never", "ask"] = Field(
        description="Keep: it is fine as it is. Never: do not ask about it again, whatever is found. Ask: forget both."
    )


class Answered(View):
    """How many."""

    count: int


class ShootQuery(Document):
    """Which pictures are put in order together."""

    library: UUID
    album: UUID | None = None
    batch: UUID | None = None
    from_: Day | None = Field(default=None, alias="from", description="The first day.")
    to: Day | None = Field(default=None, description="The last day.")
    cursor: Annotated[str, Field(max_length=1200)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/quality/counts")
async def count_asked(caller: Reader, session: Transaction, library: UUID) -> QualityCounts:
    """Count what is asked about in a library."""
    found = await quality.counts(session, caller, library)
    return QualityCounts(counts={Verdict(name): count for name, count in found.items()})


@router.get("/quality/queue")
async def list_asked(
    caller: Reader,
    runtime: Running,
    session: Transaction,
    library: UUID,
    verdict: Verdict | None = None,
    cursor: CursorQuery = None,
    limit: Limit = 50,
) -> Page[RatedView]:
    """List what is asked about, the worst first."""
    rows = await quality.queue(session, caller, library, verdict, after=_place(cursor), limit=limit)
    return _page(rows, Signer(runtime.keyring), limit)


@router.get("/quality/best")
async def list_best(
    caller: Reader, runtime: Running, session: Transaction, asked: Annotated[ShootQuery, Query()]
) -> Page[RatedView]:
    """List the pictures of a library, or of an album, a batch or some days, the best first."""
    shoot = Shoot(asked.album, asked.batch, asked.from_, asked.to)
    rows = await quality.ranked(session, caller, asked.library, shoot, after=_place(asked.cursor), limit=asked.limit)
    return _page(rows, Signer(runtime.keyring), asked.limit)


@router.post("/quality/answers")
async def answer_quality(caller: Writer, session: Transaction, given: AnswerGiven) -> Answered:
    """Answer for some assets, all of them or none."""
    return Answered(count=await quality.answer(session, caller, given.ids, given.answer))


@router.get("/assets/{asset_id}/quality")
async def show_quality(caller: Reader, session: Transaction, asset_id: UUID) -> QualityView:
    """Show what was measured of an asset."""
    return QualityView.of(*await quality.of(session, caller, asset_id))


def _page(rows: list[Rated], links: Signer, limit: int) -> Page[RatedView]:
    following = None
    if len(rows) == limit:
        last = rows[-1].quality
        following = position_cursor((last.merit, last.asset_id))
    return Page(items=[RatedView.of(row, links) for row in rows], next=following)


def _place(cursor: str | None) -> tuple[float, UUID] | None:
    found = position_of(cursor)
    if found is None:
        return None
    merit, row = found
    if not isinstance(merit, float):
        message = "This cursor was not made here. Leave it out to begin with the first page."
        raise Invalid(message)
    return merit, row
