"""S3 servers to test against, and stores in fresh buckets of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import urllib3
from minio import Minio
from moto.server import ThreadedMotoServer

from tests.support import ceph

ACCESS_KEY, SECRET_KEY = "key", "secret"
_numbers = count(1)


@contextmanager
def running(kind: str, folder: Path) -> Iterator[str]:
    """Run ``moto``, a quick mock that believes every signature, or ``ceph``, which believes nothing."""
    if kind == "ceph":
        ceph.demand()
        with ceph.running(folder, ACCESS_KEY, SECRET_KEY) as host:
            yield host
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@contextmanager
def client(server: str) -> Iterator[Minio]:
    """A client that is no store of ours: it prepares, and looks at what a store left."""
    pool = urllib3.PoolManager(retries=False)
    try:
        yield Minio(server, ACCESS_KEY, SECRET_KEY, secure=False, region="us-east-1", http_client=pool)
    finally:
        pool.clear()


def fresh_bucket(server: str) -> str:
    name = f"bucket{next(_numbers)}"
    with client(server) as found:
        found.make_bucket(name)
    return name


def unfinished(server: str, bucket: str) -> list[str]:
    """Name the uploads of which parts are still kept."""
    with client(server) as found:
        return [str(upload.object_name) for upload in found._list_multipart_uploads(bucket).uploads]


def url(server: str, path: str, *, tls: bool = False) -> str:
    return f"s3://{ACCESS_KEY}:{SECRET_KEY}@{server}/{path}?tls={str(tls).lower()}&region=us-east-1"
