"""The types of fields that several documents share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


def _one_line(value: str) -> str:
    stripped = " ".join(value.split())
    if not stripped or any(ord(character) < 32 or ord(character) == 127 for character in stripped):  # noqa: PLR2004  # ASCII controls
        message = "write one line of text that is not empty"
        raise ValueError(message)
    return stripped


def _storable(value: Any) -> Any:  # noqa: ANN401  # runs before pydantic knows the type
    # PostgreSQL's text holds no NUL, and UTF-8 no lone surrogates.
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= character <= "\udfff" for character in value)):
        message = "contains characters that are no text"
        raise ValueError(message)
    return value


Text = Annotated[str, BeforeValidator(_storable)]
Name = Annotated[Text, AfterValidator(_one_line), Field(min_length=1, max_length=200, examples=["Anna"])]
Email = Annotated[Text, Field(min_length=3, max_length=254, examples=["anna@example.org"])]
# Not limited from below here: a wrong short password is a wrong password, not a malformed request.
Password = Annotated[Text, Field(max_length=1000, examples=["three unrelated words"])]
Token = Annotated[Text, Field(min_length=1, max_length=200)]


def _in_range(value: datetime) -> datetime:
    # Near year 1 and 9999 the same moment at another offset may have no date at all.
    if not 1 < value.year < 9999:  # noqa: PLR2004  # the first and last years
        message = "use a year between 2 and 9998"
        raise ValueError(message)
    return value.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]


class Document(BaseModel):
    """Base of what is sent to us: a misspelt field is an error, not a silent nothing."""

    model_config = ConfigDict(extra="forbid")


class View(BaseModel):
    """Base of what we send, read from rows."""

    model_config = ConfigDict(from_attributes=True)
