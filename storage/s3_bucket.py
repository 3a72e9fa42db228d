"""The requests to one S3 bucket: each blocks, is sent once, and fails in the words of a store.

Everything that needs more of the ``minio`` client than its public methods is in here: writing on condition that nothing
is there yet is not among them, so requests that write go through ``Minio._execute``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast
from xml.etree import ElementTree as ET  # what a server we chose and signed our question for sends

import urllib3
from minio import Minio
from urllib3.response import BaseHTTPResponse

from storage.base import ObjectExists, ObjectMissing, StoreRefused, StoreUnavailable
from storage.s3_address import S3Address
from storage.s3_wire import Connections, NothingThere, NotKnown, refusals, said, trust

CONNECTIONS = 16
_MARK = "x-amz-meta-put"
_NEW = {"If-None-Match": "*"}
_SPAN = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Head:
    """What a bucket knows of an object: its size, and the mark of the put that wrote it."""

    size: int
    mark: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer that holds so many bytes of an object."""

    response: BaseHTTPResponse
    size: int

    def read(self, size: int) -> bytes:
        """Give that many bytes; fewer only where the answer ends early."""
        with refusals():
            return self.response.read(size, decode_content=False)

    def close(self) -> None:
        """Keep the connection if the answer was read to its end, or else close it."""
        self.response.close()
        self.response.release_conn()


class Bucket:
    """A bucket, below a prefix."""

    def __init__(self, address: S3Address, *, connect: float, answer: float) -> None:
        self.name, self._prefix = address.bucket, address.prefix
        self._connections = Connections(
            timeout=urllib3.Timeout(connect=connect, read=answer),
            retries=False,  # who knows what may be sent twice decides that
            maxsize=CONNECTIONS,
            ssl_context=trust() if address.tls else None,
        )
        self._client = Minio(
            endpoint=address.host,
            access_key=address.access_key,
            secret_key=address.secret_key,
            region=address.region,
            secure=address.tls,
            http_client=self._connections,
        )

    def put(self, key: str, body: bytes | bytearray, mark: str) -> None:
        """Write an object that is not there yet."""
        self._create("PUT", key, body, {_MARK: mark, "Content-Type": "application/octet-stream"})

    def begin(self, key: str, mark: str) -> str:
        """Begin an object of several parts; gives the name of the upload."""
        headers = {_MARK: mark, "Content-Type": "application/octet-stream"}
        return _text(self._write("POST", key, headers=headers, query={"uploads": ""}), "UploadId")

    def put_part(self, key: str, upload: str, number: int, body: bytes | bytearray) -> str:
        """Write a part; gives the tag by which the end names it."""
        answer = self._write("PUT", key, body, query={"partNumber": str(number), "uploadId": upload})
        return str(answer.headers.get("etag", "")).strip('"')

    def finish(self, key: str, upload: str, tags: Sequence[str]) -> None:
        """Make the parts an object that is not there yet."""
        root = ET.Element("CompleteMultipartUpload")
        for number, tag in enumerate(tags, 1):
            part = ET.SubElement(root, "Part")
            ET.SubElement(part, "PartNumber").text = str(number)
            ET.SubElement(part, "ETag").text = f'"{tag}"'
        answer = self._create("POST", key, ET.tostring(root), {"Content-Type": "application/xml"}, {"uploadId": upload})
        # A server that took long to put the parts together has sent its 200 before it failed.
        with refusals(key):
            if ET.fromstring(answer.data).tag.rpartition("}")[2] != "CompleteMultipartUploadResult":  # noqa: S314
                raise StoreUnavailable(f"the parts of {key} were not put together: {said(answer.data)}")

    def abort(self, key: str, upload: str) -> None:
        """Throw the parts away."""
        self._write("DELETE", key, query={"uploadId": upload})

    def head(self, key: str) -> Head:
        """Describe an object."""
        with refusals(key):
            found = self._client.stat_object(self.name, self._prefix + key)
        headers = found.metadata or {}
        size = headers.get("content-length")
        if size is None:
            raise StoreUnavailable(f"the server does not say the size of {key}; is there a proxy between?")
        return Head(int(size), headers.get(_MARK))

    def refuse_existing(self, key: str) -> None:
        """Fail if an object has the key."""
        try:
            self.head(key)
        except ObjectMissing:
            return
        raise ObjectExists(key)

    def open(self, key: str, start: int, length: int | None) -> Opened | None:
        """Ask for part of an object; nothing if the range is behind its end."""
        end = "" if length is None else start + length - 1
        wanted = {} if start == 0 and length is None else {"Range": f"bytes={start}-{end}"}
        try:
            with refusals(key):
                answer = self._client.get_object(self.name, self._prefix + key, request_headers=cast("Any", wanted))
        except NothingThere as error:
            if self.head(key).size > start:
                raise StoreUnavailable(f"{key}: the server denies bytes that it has, from {start} on") from error
            return None
        try:
            return Opened(answer, self._sent(key, answer, start, length))
        except BaseException:
            answer.close()
            raise

    def delete(self, key: str) -> None:
        """Delete an object."""
        with refusals(key):
            self._client.remove_object(self.name, self._prefix + key)

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Go through names and sizes, asking for a page where one ends."""
        with refusals():
            for found in self._client.list_objects(self.name, self._prefix + prefix, recursive=True):
                yield (found.object_name or "").removeprefix(self._prefix), found.size or 0

    def check(self) -> None:
        """Fail unless the bucket is there."""
        with refusals():
            if not self._client.bucket_exists(self.name):
                raise StoreRefused(f"there is no bucket {self.name}; create it")

    def close(self) -> None:
        """Close the connections."""
        self._connections.clear()

    def _create(
        self,
        method: str,
        key: str,
        body: bytes | bytearray,
        headers: dict[str, str],
        query: dict[str, str] | None = None,
    ) -> BaseHTTPResponse:
        """Write on condition that nothing is there; ask before where the server cannot check that itself."""
        try:
            return self._write(method, key, body, headers | _NEW, query)
        except NotKnown:
            self.refuse_existing(key)
            return self._write(method, key, body, headers, query)

    def _write(
        self,
        method: str,
        key: str,
        body: bytes | bytearray | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> BaseHTTPResponse:
        # Signed with the SHA-256 of the body; under TLS, where the client leaves that out, it sends the MD5.
        with refusals(key):
            return self._client._execute(  # noqa: SLF001  # see above; the version is bounded in pyproject.toml
                method,
                self.name,
                self._prefix + key,
                body=cast("bytes | None", body),
                headers=cast("Any", dict(headers or {})),
                query_params=cast("Any", query),
            )

    def _sent(self, key: str, answer: BaseHTTPResponse, start: int, length: int | None) -> int:
        """Say how many of the bytes asked for an answer holds. Judged by its bytes: servers differ in the status."""
        promised = answer.headers.get("Content-Length")
        span = _SPAN.fullmatch(answer.headers.get("Content-Range", ""))
        if span is not None:
            first, last, size = map(int, span.groups())
        elif promised is not None and start == 0 and length is None:
            return int(promised)
        elif promised is None and start:
            raise StoreUnavailable(f"{key}: the server does not say which bytes it sends; is there a proxy between?")
        else:
            size = self.head(key).size
            first, last = start, start + int(promised or size - start) - 1
        wanted = size - start if length is None else min(length, size - start)
        if (first, last - first + 1) != (start, wanted) or promised not in {None, str(wanted)}:
            answered = f"{promised or last - first + 1} from {first} on"
            raise StoreUnavailable(f"{key}: asked for {wanted} bytes from {start} on, the server sends {answered}")
        return wanted


def _text(answer: BaseHTTPResponse, name: str) -> str:
    with refusals():
        for element in ET.fromstring(answer.data).iter():  # noqa: S314  # as above
            if element.tag.rpartition("}")[2] == name and element.text:
                return element.text
    raise StoreUnavailable(f"the server sends no {name}; does it know S3?")
