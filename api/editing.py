"""Changing what assets show: one at a time, or many."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, model_validator

from api.deps import Running, Transaction, Writer
from api.details import AssetDetails
from api.fields import Document, Name, Text, View
from api.problems import responses
from api.tiles import WallClock
from api.timeline import FilterFields
from archive.assets import editing, recorded
from archive.assets.editing import MARKS, Changes
from archive.errors import Invalid
from archive.timeline import service as timeline

router = APIRouter(prefix="/assets", tags=["assets"], responses=responses(401, 403, 404))
_MANY, _MOST = 5000, 50_000
_MINUTES_OF_A_DAY = 24 * 60
# A hundred years.
_FARTHEST = 100 * 366 * _MINUTES_OF_A_DAY
Tags = Annotated[list[Name], Field(max_length=500)]


class Change(Document):
    """What to change. What is not there stays; null takes a correction back, so that what the file says holds again."""

    description: Annotated[Text, Field(max_length=10_000)] | None = None
    rating: Annotated[int, Field(ge=-1, le=5)] | None = None
    favourite: bool | None = None
    archived: bool | None = None
    taken_at: WallClock | None = None
    taken_offset: Annotated[int, Field(ge=-_MINUTES_OF_A_DAY, le=_MINUTES_OF_A_DAY)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    tags: Tags | None = Field(default=None, description="The whole list.")

    @model_validator(mode="after")
    def _marks_are_set_or_not(self) -> Self:
        for name in MARKS:
            if name in self.model_fields_set and getattr(self, name) is None:
                message = f"{name} is true or false: no file says it"
                raise ValueError(message)
        return self

    def changes(self, **more: Any) -> Changes:  # noqa: ANN401  # further changes
        """Give them as the archive has them."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        listed = given.pop("tags", None)
        fields = {name: value for name, value in given.items() if name in {*recorded.FIELDS, *MARKS}}
        back = "tags" in self.model_fields_set and listed is None
        return Changes(fields, tags=listed, tags_back=back, **more)


class AssetChange(Change):
    """What to change in one asset."""

    title: Annotated[Text, Field(max_length=1000)] | None = None


class ManyChanges(Change):
    """What to change in many assets."""

    shift_minutes: Annotated[int, Field(ge=-_FARTHEST, le=_FARTHEST)] = Field(
        default=0, description="Move the time when they were taken."
    )
    add_tags: Tags = Field(default_factory=list)
    remove_tags: Tags = Field(default_factory=list)

    def changes(self, **more: Any) -> Changes:  # noqa: ANN401  # further changes
        """Give them as the archive has them."""
        shift = timedelta(minutes=self.shift_minutes)
        return super().changes(add_tags=self.add_tags, remove_tags=self.remove_tags, shift=shift, **more)


class Edit(Document):
    """Which assets, by their ids or by what a timeline is narrowed down to, and what to change in them."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=_MANY)] | None = None
    library_id: UUID | None = None
    filters: FilterFields | None = None
    changes: ManyChanges

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.ids is None) == (self.filters is None) or (self.filters is None) != (self.library_id is None):
            message = "name 'ids', or 'library_id' and 'filters'"
            raise ValueError(message)
        return self


class Edited(View):
    """How many assets were changed."""

    count: int


class Some(Document):
    """Some assets."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=_MANY)]


class Retried(View):
    """How many steps are done again."""

    steps: int


@router.post("/edit")
async def edit_assets(caller: Writer, session: Transaction, given: Edit) -> Edited:
    """Change many assets at once."""
    ids = given.ids or []
    if given.library_id is not None and given.filters is not None:
        filters = given.filters.filters()
        ids = await timeline.ids(session, caller, given.library_id, filters, _MOST + 1)
        if len(ids) > _MOST:
            message = f"These are more than {_MOST} assets. Narrow them down, and change them in several steps."
            raise Invalid(message)
    count = await editing.edit_many(session, caller, ids, given.changes.changes()) if ids else 0
    return Edited(count=count)


@router.post("/retry")
async def retry_assets(caller: Writer, session: Transaction, given: Some) -> Retried:
    """Have the failed steps of assets done again."""
    return Retried(steps=await editing.retry(session, caller, given.ids))


@router.patch("/{asset_id}")
async def change_asset(
    caller: Writer, runtime: Running, session: Transaction, asset_id: UUID, given: AssetChange
) -> AssetDetails:
    """Change what an asset shows."""
    asset = (await editing.edit(session, caller, [asset_id], given.changes()))[0]
    return await AssetDetails.load(session, runtime.keyring, asset)
