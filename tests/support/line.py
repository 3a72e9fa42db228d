"""A store, the line to its server, and a look past both of them at what is really there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from storage import RetryingStore, Store
from storage.base import CHUNK
from storage.retrying import Patience
from storage.s3 import PART, S3Store
from storage.s3_address import S3Address
from tests.support import faults, s3
from tests.support.bodies import keys, pieces

ATTEMPTS = 4
BODY = os.urandom(3 * CHUNK)
LARGE = os.urandom(2 * PART + 1000)
# The requests of an object in parts.
BEGIN, ONE_PART, FINISH, ABORT = r"POST \S*uploads", r"PUT \S*partNumber", r"POST \S*uploadId", r"DELETE \S*uploadId"


@dataclass
class Line:
    """A store (trying again, and as it is), the proxy before its server, and what is really in the bucket."""

    store: Store
    through: S3Store
    proxy: faults.Proxy
    direct: S3Store
    server: str
    bucket: str

    async def holds(self, key: str, body: bytes) -> bool:
        return await self.direct.read(key) == body

    async def is_empty(self) -> bool:
        """Say whether there is neither an object nor a part of one."""
        return await keys(self.direct) == ["first"] and s3.unfinished(self.server, self.bucket) == []


@asynccontextmanager
async def to(server: str) -> AsyncIterator[Line]:
    """Connect a fresh bucket of the server's."""
    bucket = s3.fresh_bucket(server)
    direct = S3Store(S3Address.parse(s3.url(server, bucket)))
    async with faults.between(server) as proxy:
        patience = Patience(ATTEMPTS, pause=0.01)
        bare = S3Store(S3Address.parse(s3.url(proxy.address, bucket)), patience, answer=2)
        store = RetryingStore(bare, attempts=ATTEMPTS, pause=0.01)
        await store.put("first", pieces(b"x"))  # by which it learns what the server can
        proxy.requests.clear()
        yield Line(store, bare, proxy, direct, server, bucket)
        await store.close()
    await direct.close()
