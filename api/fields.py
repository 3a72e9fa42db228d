"""The types of fields that several documents share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _one_line(value: str) -> str:
    stripped = " ".join(value.split())
    if not stripped or any(ord(character) < 32 or ord(character) == 127 for character in stripped):  # noqa: PLR2004
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


class Document(BaseModel):
    """Base of what is sent to us: a misspelt field is an error, not a silent nothing."""

    model_config = ConfigDict(extra="forbid")


class View(BaseModel):
    """Base of what we send, read from rows."""

    model_config = ConfigDict(from_attributes=True)
