"""What tus adds to HTTP: its version, and Upload-Metadata, keys and values in base 64 separated by commas."""

from __future__ import annotations

import base64
import hashlib
import re
from uuid import UUID

from api.bodies import media_type_of, moment_of, name_of, sha256_of
from archive.errors import Invalid, NotFound, UploadRefused
from archive.uploads.service import Announced
from archive.uploads.writing import Checksum

VERSION = "1.0.0"
PATH = "/api/v1/uploads"
Metadata = dict[str, str]
_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,100}")
_LONGEST = 8192
ALGORITHMS = ("sha1", "sha256")
_NUMBER = re.compile("[0-9]{1,18}")


def parse_metadata(written: str | None) -> Metadata:
    """Read the header. A key without a value stands for itself."""
    if not written:
        return {}
    if len(written) > _LONGEST:
        message = f"Upload-Metadata is longer than {_LONGEST} bytes."
        raise UploadRefused(message)
    found: Metadata = {}
    for pair in written.split(","):
        key, _, encoded = pair.strip().partition(" ")
        value = parse_base64(encoded)
        if not _KEY.fullmatch(key) or value is None or key in found:
            message = f"Upload-Metadata cannot be read at '{pair.strip()[:60]}': 'key base64,key base64'."
            raise UploadRefused(message)
        try:
            found[key] = value.decode()
        except UnicodeDecodeError as error:
            message = f"The value of '{key}' in Upload-Metadata is no text in UTF-8."
            raise UploadRefused(message) from error
    return found


def parse_base64(written: str) -> bytes | None:
    """Read base 64, or nothing."""
    try:
        return base64.b64decode(written.strip(), validate=True)
    except ValueError:
        return None


def announcement(metadata: Metadata, length: int | None, written: str | None, *, partial: bool) -> Announced:
    """Put together what the client says of the bytes to come."""
    return Announced(
        library_id=_id(metadata, "library"),
        length=length,
        name=name_of(metadata.get("filename") or metadata.get("name")),
        media_type=media_type_of(metadata.get("filetype") or metadata.get("type")),
        sha256=sha256_of(metadata.get("sha256")),
        metadata=_without_hash(written or ""),
        partial=partial,
        sent_at=moment_of(metadata.get("modified")),
        batch_id=_id(metadata, "batch"),
        album_id=_id(metadata, "album"),
    )


def _without_hash(written: str) -> str:
    """Leave out what would tell whoever reads the database which file this is; it is kept behind the file's key."""
    return ",".join(pair for pair in written.split(",") if pair.split()[:1] != ["sha256"])


def _id(metadata: Metadata, key: str) -> UUID | None:
    written = metadata.get(key)
    try:
        return UUID(written) if written else None
    except ValueError as error:
        message = f"'{key}' in Upload-Metadata is no id."
        raise Invalid(message) from error


def parse_concat(written: str | None) -> tuple[str | None, list[UUID]]:
    """Read Upload-Concat: what kind of upload it is, and the parts of a final one."""
    if written in {None, "partial"}:
        return written, []
    kind, _, listed = str(written).partition(";")
    if kind != "final":
        message = "Upload-Concat is 'partial', or 'final;' and the addresses of the parts."
        raise UploadRefused(message)
    try:
        return kind, [UUID(address.rpartition("/")[2]) for address in listed.split()]
    except ValueError as error:
        noun = "part"
        raise NotFound(noun) from error


def parse_length(length: str | None, deferred: str | None) -> int | None:
    """Read the length, which may come later."""
    if deferred is not None:
        if deferred != "1" or length is not None:
            message = "Send either Upload-Length, or 'Upload-Defer-Length: 1'."
            raise UploadRefused(message)
        return None
    return parse_number("Upload-Length", length)


def parse_number(name: str, written: str | None) -> int:
    """Read a header that holds a number of bytes."""
    if written is None or not _NUMBER.fullmatch(written):
        message = f"The header {name} is missing, or no number of bytes."
        raise UploadRefused(message)
    return int(written)


def parse_checksum(written: str | None) -> Checksum | None:
    """Read Upload-Checksum."""
    if written is None:
        return None
    algorithm, _, encoded = written.partition(" ")
    if algorithm not in ALGORITHMS:
        message = f"Upload-Checksum may use {' or '.join(ALGORITHMS)}, not '{algorithm[:20]}'."
        raise UploadRefused(message)
    digest = parse_base64(encoded)
    if digest is None or len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        message = f"Upload-Checksum is no {algorithm} in base 64."
        raise UploadRefused(message)
    return Checksum(algorithm, digest)
