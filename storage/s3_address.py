"""Where a bucket is, written as a URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where a bucket is, as ``s3://key:secret@host:port/bucket/prefix?region=…&tls=false`` says."""

    host: str
    bucket: str
    prefix: str
    access_key: str
    secret_key: str
    region: str | None
    tls: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read the URL, or say what it lacks."""
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        bucket, _, prefix = parts.path.strip("/").partition("/")
        if not (parts.hostname and bucket and parts.username and parts.password):
            message = "an S3 store is written s3://key:secret@host/bucket, with %2F for a '/' in the secret"
            raise ValueError(message)
        if not _BUCKET.fullmatch(bucket):
            message = f"not the name of a bucket: {bucket!r}; it has 3 to 63 letters, digits, '-', '_' and '.'"
            raise ValueError(message)
        # A misspelt 'tls' must not become a connection in the clear or a puzzle.
        if options.keys() - {"region", "tls"} or options.get("tls", "true") not in {"true", "false"}:
            message = "an S3 store has no options but ?region=NAME and ?tls=true or tls=false"
            raise ValueError(message)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(
            host=host + (f":{parts.port}" if parts.port else ""),
            bucket=bucket,
            prefix=prefix + "/" if prefix else "",
            access_key=unquote(parts.username),
            secret_key=unquote(parts.password),
            region=options.get("region") or None,
            tls=options.get("tls") != "false",
        )
