"""Resolutions: deciding one group of duplicates, some, or all that meet a rule; trying it first, and undoing it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, model_validator

from api.deps import Reader, Transaction, Writer
from api.duplicates import Kind, Reason
from api.fields import Document, View
from api.paging import CursorQuery, Limit, Page, cursor_of, id_of
from api.problems import responses
from archive.duplicates import history, resolving, ruling
from archive.duplicates.resolving import Choice, Outcome
from archive.duplicates.ruling import Rule
from archive.models import Resolution

router = APIRouter(prefix="/resolutions", tags=["duplicates"], responses=responses(401, 403, 404))


class ChoiceGiven(Document):
    """What to do with a group."""

    group: UUID
    keep: Annotated[list[UUID], Field(max_length=500)] = Field(
        default=[], description="Who stays; the first takes over what only the others have. Empty: the suggested one."
    )
    version: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="The group's `version`: it is refused if the group is another one by now."
    )


class RuleGiven(Document):
    """Which groups: every likeness in them has to meet it."""

    kind: Kind = "same"
    reasons: list[Reason] = Field(default=["pixels"], min_length=1, max_length=9)
    alike: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.95, description="How much of what both show agrees at least.", examples=[0.95]
    )
    unloved: bool = Field(default=False, description="Only where none is a favourite, rated or in an album.")


class ResolutionGiven(Document):
    """Either groups, or a rule."""

    library: UUID
    groups: list[ChoiceGiven] = Field(default=[], max_length=200)
    rule: RuleGiven | None = None
    merge: bool = Field(default=True, description="Whether who stays takes over what only the others have.")
    dry_run: bool = Field(default=False, description="Only say what would be done.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.groups) == (self.rule is not None):
            message = "give either groups or a rule"
            raise ValueError(message)
        return self


class OutcomeView(View):
    """What was done to a group, or would be."""

    group_id: UUID
    kept: list[UUID]
    trashed: list[UUID]
    bytes: int
    merged: list[str] = Field(description="What who stays takes over.")


class ResolutionView(View):
    """What was decided at once."""

    id: UUID | None = Field(description="None of a dry run of groups: there is nothing to undo.")
    library_id: UUID
    state: Literal["running", "done", "failed", "undone"]
    dry_run: bool
    merge: bool
    rule: dict[str, Any] | None = None
    groups: int
    trashed: int
    bytes: int
    passed_over: int = Field(default=0, description="Groups that had changed meanwhile, and were left alone.")
    outcomes: list[OutcomeView] = Field(default=[], description="Of a rule the first hundred.")
    made_at: datetime | None = None
    undone_at: datetime | None = None

    @classmethod
    def of(cls, row: Resolution, outcomes: list[Outcome]) -> Self:
        """Show a resolution."""
        view = cls.model_validate(row)
        view.outcomes = [OutcomeView.model_validate(one) for one in outcomes]
        return view


class Undone(View):
    """What came back."""

    resolution: ResolutionView
    restored: int = Field(description="How many came out of the trash; what was purged is gone.")


@router.post("", status_code=201, responses=responses(409, 422) | {202: {"description": "The rule is being applied"}})
async def resolve_duplicates(
    caller: Writer, session: Transaction, response: Response, given: ResolutionGiven
) -> ResolutionView:
    """Decide groups, all of them or none; or begin to decide all that meet a rule.

    Who does not stay goes to the trash. Nothing is destroyed, and all of it can be undone.
    """
    if given.rule is not None:
        rule = Rule(**(given.rule.model_dump() | {"reasons": tuple(given.rule.reasons)}))
        row = await ruling.start(session, caller, given.library, rule, merge=given.merge, dry_run=given.dry_run)
        response.status_code = 202
        return ResolutionView.of(row, [])
    choices = [Choice(one.group, tuple(one.keep), one.version) for one in given.groups]
    made, outcomes = await resolving.resolve(
        session, caller, given.library, choices, merge=given.merge, dry_run=given.dry_run
    )
    if made is not None:
        return ResolutionView.of(made, outcomes)
    response.status_code = 200
    return ResolutionView(
        id=None,
        library_id=given.library,
        state="done",
        dry_run=True,
        merge=given.merge,
        groups=len(outcomes),
        trashed=sum(len(one.trashed) for one in outcomes),
        bytes=sum(one.bytes for one in outcomes),
        outcomes=[OutcomeView.model_validate(one) for one in outcomes],
    )


@router.get("")
async def list_resolutions(
    caller: Reader, session: Transaction, library: UUID, cursor: CursorQuery = None, limit: Limit = 50
) -> Page[ResolutionView]:
    """List what was decided in a library, the latest first."""
    rows = await history.page(session, caller, library, before=id_of(cursor), limit=limit)
    items = [ResolutionView.of(row, []) for row in rows]
    return Page(items=items, next=cursor_of(rows[-1].id) if len(rows) == limit else None)


@router.get("/{resolution_id}")
async def show_resolution(caller: Reader, session: Transaction, resolution_id: UUID) -> ResolutionView:
    """Show a resolution: how far it is, and what was done."""
    return ResolutionView.of(*await history.get(session, caller, resolution_id))


@router.post("/{resolution_id}/undo", responses=responses(409))
async def undo_resolution(caller: Writer, session: Transaction, resolution_id: UUID) -> Undone:
    """Take a resolution back: who went comes out of the trash; what was merged goes, where nobody has changed it."""
    row, restored = await resolving.undo(session, caller, resolution_id)
    return Undone(resolution=ResolutionView.of(row, []), restored=restored)
