"""A store in an S3 bucket, through the ``minio`` client in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from storage.base import CHUNK, ObjectExists, ObjectMissing, Stat, StoreUnavailable, checked_key, gathered, is_key

_MISSING = {"NoSuchKey", "NoSuchObject"}
_PAGE = 1000  # what a server sends at once
_EXISTS = {"PreconditionFailed", "ConditionalRequestConflict"}


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
        # A misspelt 'tls' must not become a connection in the clear or a puzzle.
        if options.keys() - {"region", "tls"} or options.get("tls", "true") not in {"true", "false"}:
            message = "an S3 store has no options but ?region=NAME and ?tls=true or tls=false"
            raise ValueError(message)
        return cls(
            host=parts.hostname + (f":{parts.port}" if parts.port else ""),
            bucket=bucket,
            prefix=prefix + "/" if prefix else "",
            access_key=unquote(parts.username),
            secret_key=unquote(parts.password),
            region=options.get("region") or None,
            tls=options.get("tls") != "false",
        )


class S3Store:
    """Keeps objects in a bucket, below a prefix."""

    def __init__(self, address: S3Address) -> None:
        self._bucket, self._prefix = address.bucket, address.prefix
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=5, read=60),
            retries=urllib3.Retry(total=3, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
            maxsize=16,
            ca_certs=certifi.where(),
        )
        self._client = Minio(
            endpoint=address.host,
            access_key=address.access_key,
            secret_key=address.secret_key,
            region=address.region,
            secure=address.tls,
            http_client=self._pool,
        )

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Gather the body (a signed request needs its length), then send it."""
        name = self._name(key)
        with SpooledTemporaryFile(max_size=8 * CHUNK) as file:
            async for piece in body:
                with _refusals():  # the disk for temporary files may be full
                    await asyncio.to_thread(file.write, piece)
            size = file.tell()
            file.seek(0)
            with _refusals(key):
                # The client has no conditional put. Keys are random, so the race this leaves open is never run.
                if await self._exists(key):
                    raise ObjectExists(key)
                await asyncio.to_thread(self._client.put_object, self._bucket, name, cast("BinaryIO", file), size)
        return size

    async def read_range(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Read part of an object. A range behind the end is asked of the size first: servers disagree about it."""
        size = (await self.stat(key)).size
        wanted = size - start if length is None else min(length, size - start)
        if wanted <= 0:
            return
        with _refusals(key):
            response = await asyncio.to_thread(
                self._client.get_object, self._bucket, self._name(key), offset=start, length=wanted
            )
            try:
                # By its bytes, not by its status, which servers choose differently.
                if (sent := response.headers.get("Content-Length")) not in {None, str(wanted)}:
                    message = f"{key}: {wanted} bytes were asked for and {sent} sent; does the server know ranges?"
                    raise StoreUnavailable(message)
                while piece := await asyncio.to_thread(response.read, CHUNK):
                    wanted -= len(piece)
                    yield piece
            finally:
                response.close()
                response.release_conn()
        if wanted:
            message = f"{key} ended {wanted} bytes early"
            raise StoreUnavailable(message)

    async def read(self, key: str) -> bytes:
        """Read an object whole."""
        return await gathered(self.read_range(key))

    async def stat(self, key: str) -> Stat:
        """Describe an object."""
        try:
            return await self._stat(key)
        except ObjectMissing:
            # The answer has no body that could say whether it is the object that is missing, or the whole bucket.
            await self.ping()
            raise

    async def delete(self, key: str) -> None:
        """Delete an object."""
        with _refusals(key):
            await asyncio.to_thread(self._client.remove_object, self._bucket, self._name(key))

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Go through the objects, a page of the server's at a time."""
        found = iter(self._client.list_objects(self._bucket, self._prefix + prefix, recursive=True))
        with _refusals():
            while page := await asyncio.to_thread(lambda: tuple(islice(found, _PAGE))):
                for entry in page:
                    key = (entry.object_name or "").removeprefix(self._prefix)
                    if is_key(key):  # other tools leave markers of folders
                        yield Stat(key, entry.size or 0)

    async def ping(self) -> None:
        """Fail unless the bucket is there."""
        with _refusals():
            if not await asyncio.to_thread(self._client.bucket_exists, self._bucket):
                message = f"there is no bucket {self._bucket}; create it"
                raise StoreUnavailable(message)

    async def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    async def _stat(self, key: str) -> Stat:
        with _refusals(key):
            found = await asyncio.to_thread(self._client.stat_object, self._bucket, self._name(key))
        return Stat(key, found.size or 0)

    async def _exists(self, key: str) -> bool:
        try:
            await self._stat(key)
        except ObjectMissing:
            return False
        return True

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)


@contextmanager
def _refusals(key: str = "") -> Iterator[None]:
    """Name what the server refuses in the words of a store."""
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise ObjectMissing(key) from error
        if error.code in _EXISTS:
            raise ObjectExists(key) from error
        raise StoreUnavailable(f"{error.code}: {error.message}") from error
    except urllib3.exceptions.MaxRetryError as error:
        # The whole says how often and with which address it was tried; people need the reason.
        raise StoreUnavailable(str(error.reason or error)) from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise StoreUnavailable(str(error)) from error
