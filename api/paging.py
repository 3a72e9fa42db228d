"""Pages: a cursor says where the next one begins. It is opaque, so that what is inside may change."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from archive.errors import Invalid

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=200, description="How many items a page has at most.")]
CursorQuery = Annotated[str | None, Query(max_length=1200, description="`next` of the page before.")]


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None = Field(default=None, description="Cursor of the next page; null on the last one.")


def cursor_of(value: object) -> str:
    """Write a cursor."""
    return base64.urlsafe_b64encode(str(value).encode()).decode().rstrip("=")


def id_of(cursor: str | None) -> UUID | None:
    """Read a cursor that holds an id."""
    try:
        return UUID(_content(cursor)) if cursor else None
    except ValueError as error:
        raise _bad() from error


def number_of(cursor: str | None) -> int | None:
    """Read a cursor that holds a number."""
    if not cursor:
        return None
    content = _content(cursor)
    if not content.isdecimal() or len(content) > 18:  # noqa: PLR2004  # a bigint
        raise _bad()
    return int(content)


def moment_cursor(moment: datetime, row: UUID) -> str:
    """Write a cursor of a list in the order of time: the place behind a row."""
    return cursor_of(f"{moment.isoformat()} {row}")


def moment_of(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Read such a cursor."""
    if not cursor:
        return None
    moment, _, row = _content(cursor).partition(" ")
    try:
        read = datetime.fromisoformat(moment), UUID(row)
    except ValueError as error:
        raise _bad() from error
    if read[0].tzinfo is not None:
        raise _bad()
    return read


def position_cursor(position: tuple[datetime | float, UUID]) -> str:
    """Write a cursor of a list whose order is by time or by hand."""
    first, row = position
    return cursor_of(f"{first!r} {row}") if isinstance(first, float) else moment_cursor(first, row)


def position_of(cursor: str | None) -> tuple[datetime | float, UUID] | None:
    """Read such a cursor."""
    first, _, row = (_content(cursor) if cursor else "").partition(" ")
    try:
        return float(first), UUID(row)
    except ValueError:
        return moment_of(cursor)


def text_of(cursor: str | None) -> str | None:
    """Read a cursor that holds text."""
    content = _content(cursor) if cursor else None
    if content is not None and "\0" in content:
        raise _bad()
    return content


def _content(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise _bad() from error


def _bad() -> Invalid:
    return Invalid("This cursor was not made here. Leave it out to begin with the first page.")
