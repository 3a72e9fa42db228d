"""API keys of one's own account."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.deps import Person, Transaction
from api.fields import Document, Moment, Name, View
from api.paging import Page
from api.problems import responses
from archive.access import Scope
from archive.accounts import api_keys

router = APIRouter(prefix="/apikeys", tags=["API keys"], responses=responses(401, 403))


class NewKey(Document):
    """What a key shall be for. ``library_id`` binds it to one library."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope), examples=[["read", "upload"]])]
    library_id: UUID | None = None
    expires_at: Moment | None = None


class KeyView(View):
    """A key, without the key."""

    id: UUID
    name: str
    prefix: str = Field(examples=["tp_3kQ0fJ2a"])
    scopes: list[Scope]
    library_id: UUID | None
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class CreatedKey(KeyView):
    """A new key: this is the only time it is shown."""

    key: str = Field(examples=["tp_3kQ0fJ2a…"])


@router.get("")
async def list_keys(caller: Person, session: Transaction) -> Page[KeyView]:
    """List the keys that work."""
    return Page(items=[KeyView.model_validate(row) for row in await api_keys.mine(session, caller)])


@router.post("", status_code=201, responses=responses(404))
async def create_key(caller: Person, session: Transaction, given: NewKey) -> CreatedKey:
    """Make a key."""
    row, key = await api_keys.create(
        session,
        caller,
        name=given.name,
        scopes=given.scopes,
        library_id=given.library_id,
        expires_at=given.expires_at,
    )
    return CreatedKey(**KeyView.model_validate(row).model_dump(), key=key)


@router.delete("/{key_id}", status_code=204, responses=responses(404))
async def revoke_key(caller: Person, session: Transaction, key_id: UUID) -> None:
    """Make a key useless at once."""
    await api_keys.revoke(session, caller, key_id)
