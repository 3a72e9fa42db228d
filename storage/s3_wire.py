"""Connections to an S3 server, and what its answers mean in the words of a store."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from xml.etree import ElementTree as ET

import certifi
import urllib3
from minio.error import MinioException, S3Error
from urllib3.response import BaseHTTPResponse

from storage.base import ObjectExists, ObjectMissing, StoreRefused, StoreUnavailable

# As much is given to the socket at once: it has so long as a connection may take, and upload lines are slow.
_SLICE = 1 << 16

_BUSY = {408, 429, 500, 502, 503, 504}
_MISSING = {"NoSuchKey", "NoSuchObject"}
# Answers that another attempt may change. The last ones say that bytes were damaged on their way.
_PASSING = {
    "ConditionalRequestConflict",
    "OperationAborted",
    "RequestTimeout",
    "BadDigest",
    "IncompleteBody",
    "XAmzContentSHA256Mismatch",
}


class NothingThere(StoreUnavailable):
    """A range begins behind the end."""


class NotKnown(StoreRefused):
    """The server does not know a header that it was sent."""


class _Busy(urllib3.exceptions.HTTPError):
    """The server answers that it cannot answer now."""


class Connections(urllib3.PoolManager):
    """Connections that send a body slice by slice, and on which an overloaded server is an error of the line."""

    def urlopen(  # type: ignore[override]  # its types promise less than it takes
        self,
        method: str,
        url: str,
        redirect: bool = True,  # noqa: ARG002, FBT001, FBT002
        **options: Any,  # noqa: ANN401
    ) -> BaseHTTPResponse:
        """Send a request. The time limit holds for each slice, where it would hold for the whole body."""
        body = options.get("body")
        if body:
            view = memoryview(body)
            options["body"] = (view[at : at + _SLICE] for at in range(0, len(view), _SLICE))
        # A signature holds for one host, so following a server elsewhere only makes its error a riddle.
        response = super().urlopen(method, url, redirect=False, **options)
        if response.status in _BUSY:
            with closing(response):
                raise _Busy(f"the server answers {response.status} {said(response.data)}".rstrip())
        return response


def trust() -> ssl.SSLContext:
    """Trust whom the system trusts (or SSL_CERT_FILE), and the public authorities where the system has no list."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def said(document: bytes) -> str:
    """Find the code of an error in what a server sent."""
    found = re.search(rb"<Code>([A-Za-z0-9]{1,60})</Code>", document)
    return found[1].decode() if found else ""


@contextmanager
def refusals(key: str = "") -> Iterator[None]:
    """Name what the client raises in the words of a store."""
    try:
        yield
    except S3Error as error:
        raise _meant(error, key) from error
    except MinioException as error:
        # It may hold the whole page that something else than an S3 server sent.
        raise StoreRefused(f"this is no S3 server, or a proxy before it: {str(error)[:300]}") from error
    except urllib3.exceptions.SSLError as error:
        raise _untrusted(error) from error
    except (urllib3.exceptions.HTTPError, ET.ParseError, ValueError, OSError) as error:
        # The client meets answers cut short or garbled with errors of the parsers it uses.
        raise StoreUnavailable(str(error)) from error


def _meant(error: S3Error, key: str) -> Exception:
    text = f"{error.code}: {error.message}" if error.message else str(error.code)
    kinds: dict[str, Callable[[], Exception]] = {
        "PreconditionFailed": lambda: ObjectExists(key),
        "InvalidRange": lambda: NothingThere(text),
        "NotImplemented": lambda: NotKnown(text),
    }
    if error.code in _MISSING:
        return ObjectMissing(key)
    if error.code in _PASSING:
        return StoreUnavailable(text)
    return kinds.get(error.code or "", lambda: StoreRefused(text))()


def _untrusted(error: urllib3.exceptions.SSLError) -> StoreUnavailable:
    if error.args and isinstance(error.args[0], ssl.SSLCertVerificationError):
        return StoreRefused(f"{error}; let the system trust this certificate, or name its file in SSL_CERT_FILE")
    return StoreUnavailable(str(error))
