"""Request bodies that are photos: read as they come, with a word for a client that went away."""

from __future__ import annotations

import asyncio
import base64
import re
import unicodedata
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from archive.errors import Invalid, UploadRefused
from archive.uploads.writing import Interrupted

if TYPE_CHECKING:
    from fastapi import Request

_MEDIA_TYPE = re.compile(r"(image|video)/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
UNKNOWN_TYPE = "application/octet-stream"
_LONGEST_NAME, _LONGEST_ENDING = 255, 16
_SHA256, _SHA1 = 32, 20
_SILENCE = 60.0
_MILLISECONDS = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,6})?")


async def received(request: Request) -> AsyncIterator[bytes]:
    """Give a request's body piece by piece. Who falls silent in the middle of it has gone away, and may come back."""
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(_SILENCE):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except (ClientDisconnect, TimeoutError) as error:
            raise Interrupted from error
        yield piece


def digest_of(written: str) -> bytes:
    """Read a SHA-256 or SHA-1, in hexadecimal or in base 64: clients write either."""
    for read in (bytes.fromhex, _from_base64):
        try:
            digest = read(written.strip())
        except ValueError:
            continue
        if len(digest) in {_SHA256, _SHA1}:
            return digest
    message = f"'{written[:100]}' is no SHA-256 or SHA-1, in hexadecimal or base 64."
    raise UploadRefused(message)


def sha256_of(written: str | None) -> bytes:
    """Read an announced SHA-256; none is none."""
    if not written:
        return b""
    digest = digest_of(written)
    if len(digest) != _SHA256:
        message = "Announce the SHA-256 of the file, in hexadecimal or base 64."
        raise UploadRefused(message)
    return digest


def name_of(written: str | None) -> str:
    """Give a file's name without the folders it lay in; what is no text is no name."""
    name = (written or "").replace("\\", "/").rstrip("/").rpartition("/")[2]
    # Control characters name nothing; joiners and the like belong to scripts and emoji.
    name = "".join(character for character in name if unicodedata.category(character) != "Cc").strip()
    if any("\ud800" <= character <= "\udfff" for character in name):
        message = "The file's name is no text in UTF-8."
        raise UploadRefused(message)
    if len(name) > _LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) < _LONGEST_ENDING else ""
        name = name[: _LONGEST_NAME - len(ending)] + ending
    return name if name.strip(".") else "unnamed"


def media_type_of(written: str | None) -> str:
    """Give the media type the client says, if it is that of a picture or a film; programs send all sorts of others."""
    said = (written or "").partition(";")[0].strip().lower()
    return said if _MEDIA_TYPE.fullmatch(said) else UNKNOWN_TYPE


def moment_of(written: str | None) -> datetime | None:
    """Read a file's date: milliseconds since 1970, as browsers have it, or ISO 8601, in UTC where it says no zone."""
    if not written:
        return None
    try:
        if _MILLISECONDS.fullmatch(written):
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=float(written))
        else:
            moment = datetime.fromisoformat(written)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        if not 1 < moment.year < 9999:  # noqa: PLR2004  # the first and last years
            raise ValueError
    except (ValueError, OverflowError) as error:
        message = f"'{written[:40]}' is no date: milliseconds since 1970, or ISO 8601."
        raise Invalid(message) from error
    return moment


def _from_base64(written: str) -> bytes:
    padded = written + "=" * (-len(written) % 4)
    return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
