"""The timeline: how much there is of each month or day, pages of tiles, and what both can be narrowed down to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, Field

from api.deps import Reader, Running, Transaction
from api.etags import tagged
from api.fields import Document, Text, View
from api.paging import moment_cursor, moment_of
from api.problems import responses
from api.signing import Signer
from api.tiles import Tiles, views
from archive.timeline import service as timeline
from archive.timeline.filters import Filters

router = APIRouter(prefix="/timeline", tags=["timeline"], responses=responses(401, 403, 404))
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has it"}}


def _in_range(value: date) -> date:
    if not 1 < value.year < 9999:  # noqa: PLR2004  # the first and last years
        message = "use a year between 2 and 9998"
        raise ValueError(message)
    return value


Day = Annotated[date, AfterValidator(_in_range)]
Word = Annotated[Text, Field(max_length=200)]
By = Literal["month", "day"]


class FilterFields(Document):
    """Which assets of a library."""

    kind: Literal["photo", "video", "other"] | None = None
    favourite: bool = False
    archived: bool = Field(default=False, description="Only those; without it none of them.")
    problem: bool = Field(default=False, description="Only those that have one.")
    camera: Word | None = None
    lens: Word | None = None
    place: Annotated[int, Field(ge=0, lt=1 << 31)] | None = None
    country: Word | None = None
    from_: Day | None = Field(default=None, alias="from", description="The first day.")
    to: Day | None = Field(default=None, description="The last day.")
    album: UUID | None = None
    tag: UUID | None = None
    rating: Annotated[int, Field(ge=-1, le=5)] | None = Field(default=None, description="At least.")
    uploader: UUID | None = None
    batch: UUID | None = None

    def filters(self) -> Filters:
        """Give them as the archive has them."""
        fields = FilterFields.model_fields.keys() - {"from_", "to"}
        return Filters(first=self.from_, last=self.to, **{name: getattr(self, name) for name in fields})


class BucketsQuery(FilterFields):
    """Which buckets."""

    library: UUID
    by: By = "month"


class PageQuery(BucketsQuery):
    """Which page."""

    bucket: Day | None = None
    cursor: Annotated[str, Field(max_length=1200)] | None = Field(
        default=None, description="`next` of the page before."
    )
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class ValuesQuery(FilterFields):
    """Which values."""

    library: UUID
    of: Literal["camera", "lens", "place", "country", "tag", "uploader", "batch"]


class BucketView(View):
    """How much there is of a month or day."""

    bucket: date
    count: int


class Buckets(View):
    """All months or days that have something, the newest first."""

    by: By
    total: int
    items: list[BucketView]


class ValueView(View):
    """What a filter can be set to."""

    value: str
    label: str
    label_ru: str | None
    count: int


class Values(View):
    """The most frequent first."""

    items: list[ValueView]


@router.get("/buckets", response_model=Buckets, responses=_UNCHANGED)
async def list_buckets(
    caller: Reader, session: Transaction, request: Request, asked: Annotated[BucketsQuery, Query()]
) -> Response:
    """Count a library's assets by month or day of the wall clock where they were taken."""
    rows = await timeline.buckets(session, caller, asked.library, asked.filters(), asked.by)
    items = [BucketView(bucket=bucket, count=count) for bucket, count in rows]
    return tagged(request, Buckets(by=asked.by, total=sum(item.count for item in items), items=items))


@router.get("/assets", response_model=Tiles, responses=_UNCHANGED)
async def list_timeline(
    caller: Reader, runtime: Running, session: Transaction, request: Request, asked: Annotated[PageQuery, Query()]
) -> Response:
    """List assets of one bucket, or of all of them, the latest taken first."""
    filters = asked.filters()
    if asked.bucket is not None:
        filters = filters.within(*timeline.days_of(asked.bucket, asked.by))
    after: tuple[datetime, UUID] | None = moment_of(asked.cursor)
    rows = await timeline.page(session, caller, asked.library, filters, after=after, limit=asked.limit)
    last = rows[-1].asset if len(rows) == asked.limit else None
    following = moment_cursor(last.taken_at, last.id) if last else None
    return tagged(request, Tiles(items=views(rows, Signer(runtime.keyring)), next=following))


@router.get("/values")
async def list_values(caller: Reader, session: Transaction, asked: Annotated[ValuesQuery, Query()]) -> Values:
    """List what a filter can be set to, within the other filters."""
    rows = await timeline.values(session, caller, asked.library, asked.filters(), asked.of)
    return Values(items=[ValueView.model_validate(row) for row in rows])
