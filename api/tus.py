"""What tus adds to HTTP: its version, and Upload-Metadata, keys and values in base 64 separated by commas."""

from __future__ import annotations

import base64
import re

from archive.errors import UploadRefused

VERSION = "1.0.0"
PATH = "/api/v1/uploads"
Metadata = dict[str, str]
_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,100}")
_LONGEST = 8192


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
