"""The store in a bucket: what else may lie there, and what a server may be or lack."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from minio.versioningconfig import VersioningConfig

from storage import ObjectExists, ObjectMissing, Stat, StoreRefused, StoreUnavailable, open_store
from storage.retrying import Patience
from storage.s3 import PART, S3Store
from storage.s3_address import S3Address
from tests.support import faults, s3
from tests.support.bodies import cut_off, in_pieces_of, keys, pieces


@pytest.fixture(scope="module", params=["moto", "ceph"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3.running(request.param, tmp_path_factory.mktemp("s3")) as host:
        yield host


async def test_other_tools_markers_are_not_listed(server: str) -> None:
    bucket = s3.fresh_bucket(server)
    store = open_store(s3.url(server, bucket))
    await store.put("a/b", pieces(b"x"))
    with s3.client(server) as client:
        for name in ("a/", "Readme.TXT"):
            client.put_object(bucket, name, BytesIO(), 0)
    assert await keys(store) == ["a/b"]
    await store.close()


@pytest.mark.parametrize("server", ["ceph"], indirect=True)  # the mock is slow at a thousand objects
async def test_a_list_of_several_pages_is_whole(server: str) -> None:
    bucket = s3.fresh_bucket(server)
    names = sorted(f"p/n{number % 7}/{number:04}" for number in range(1010))
    with s3.client(server) as client, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: client.put_object(bucket, name, BytesIO(), 0), names))
    store = open_store(s3.url(server, f"{bucket}/p"))
    assert await keys(store) == [name.removeprefix("p/") for name in names]
    await store.close()


async def test_a_missing_bucket_is_unavailable_and_its_objects_are_not_missing(server: str) -> None:
    store = open_store(s3.url(server, "no-such-bucket"))
    large = in_pieces_of(PART, bytes(2 * PART))
    for call in (
        store.read("a"),
        store.stat("a"),
        store.ping(),
        keys(store),
        store.put("a", pieces(b"x")),
        store.put("a", large),
    ):
        with pytest.raises(StoreRefused, match=r"no-such-bucket|NoSuchBucket"):
            await call
    await store.close()


@pytest.mark.parametrize("server", ["ceph"], indirect=True)
async def test_a_wrong_key_is_refused(server: str) -> None:
    address = s3.url(server, s3.fresh_bucket(server)).replace(s3.SECRET_KEY, "hush-hush")
    store = open_store(address)
    for call in (store.ping(), store.put("a", pieces(b"x")), store.read("a"), store.stat("a"), keys(store)):
        with pytest.raises(StoreRefused, match=r"SignatureDoesNotMatch|AccessDenied") as raised:
            await call
        assert "hush" not in str(raised.value)
    await store.close()


async def test_uploads_that_were_given_up_leave_no_parts(server: str) -> None:
    bucket = s3.fresh_bucket(server)
    store = open_store(s3.url(server, bucket))
    begun = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield bytes(2 * PART)
        begun.set()
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError):
        await store.put("broken", cut_off(bytes(2 * PART), RuntimeError()))
    task = asyncio.create_task(store.put("cancelled", body()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.put("there", in_pieces_of(PART, bytes(2 * PART)))
    with pytest.raises(ObjectExists):
        await store.put("there", in_pieces_of(PART, bytes(2 * PART)))
    assert s3.unfinished(server, bucket) == []
    assert await keys(store) == ["there"]
    await store.close()


async def test_a_put_cancelled_in_the_middle_of_a_request_leaves_nothing(server: str) -> None:
    bucket = s3.fresh_bucket(server)
    store = open_store(s3.url(server, bucket))
    for number, size in enumerate([PART, 2 * PART, 3 * PART] * 5):
        task = asyncio.create_task(store.put(f"k{number}", in_pieces_of(PART, bytes(size))))
        await asyncio.sleep(number * 0.01)  # wherever it has got to by then
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            with pytest.raises(ObjectMissing):
                await store.stat(f"k{number}")
        else:
            assert await store.stat(f"k{number}") == Stat(f"k{number}", size)
    assert s3.unfinished(server, bucket) == []
    await store.close()


@pytest.mark.parametrize("server", ["ceph"], indirect=True)  # the mock keeps what it is sent in this process
async def test_a_put_needs_memory_for_two_parts(server: str) -> None:
    store = open_store(s3.url(server, s3.fresh_bucket(server)))
    piece = bytes(1_000_000)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(60):
            yield piece

    await store.put("first", pieces(b"x"))  # what is made once is not counted
    tracemalloc.start()
    await store.put("large", body())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert PART < most < 2.5 * PART
    await store.close()


async def test_a_bucket_with_versions_is_a_store_all_the_same(server: str) -> None:
    bucket = s3.fresh_bucket(server)
    with s3.client(server) as client:
        client.set_bucket_versioning(bucket, VersioningConfig("Enabled"))
    store = open_store(s3.url(server, bucket))
    await store.put("a", pieces(b"first"))
    with pytest.raises(ObjectExists):
        await store.put("a", pieces(b"second"))
    await store.delete("a")
    await store.delete("a")
    with pytest.raises(ObjectMissing):
        await store.read("a")
    assert await keys(store) == []
    await store.put("a", pieces(b"third"))
    assert await store.read("a") == b"third"
    await store.close()


async def test_a_server_that_is_away_is_unavailable(free_port: int) -> None:
    store = S3Store(S3Address.parse(s3.url(f"127.0.0.1:{free_port}", "photos")), Patience(2, 0))
    for call in (store.read("a"), keys(store), store.put("a", pieces(b"x")), store.ping()):
        with pytest.raises(StoreUnavailable) as raised:
            await call
        assert not isinstance(raised.value, StoreRefused)
        assert "refused" in str(raised.value)
        assert s3.SECRET_KEY not in str(raised.value)
    await store.close()


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that is bound but not listened on: nobody else can take it, and connections are refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that no authority knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + made.public_bytes(pem))
    return file


@pytest.mark.parametrize("server", ["moto"], indirect=True)  # a real one is told the address, and signs another
async def test_a_certificate_that_the_system_trusts_is_trusted(
    server: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    bucket = s3.fresh_bucket(server)
    async with faults.between(server, tls) as proxy:
        address = S3Address.parse(s3.url(proxy.address, bucket, tls=True))
        stranger = S3Store(address)
        with pytest.raises(StoreRefused, match="SSL_CERT_FILE"):
            await stranger.put("a", pieces(b"x"))
        await stranger.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        store = S3Store(address)
        await store.put("a", in_pieces_of(PART, bytes(2 * PART)))
        assert await store.stat("a") == Stat("a", 2 * PART)
        # What is sent under TLS is not in the signature, so a sum of its own goes with it.
        parts = [request for request in proxy.requests if b"partNumber" in request.partition(b"\r\n")[0]]
        assert len(parts) == 2
        assert all(b"content-md5: " in request[:2000].lower() for request in parts)
        await store.close()
