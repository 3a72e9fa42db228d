"""Servers that answer otherwise than they should: a store in a bucket finds them out."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest

from storage import ObjectExists, StoreRefused, StoreUnavailable
from storage.base import CHUNK
from storage.s3 import S3Store
from storage.s3_address import S3Address
from tests.support import faults, s3
from tests.support.bodies import drain, in_pieces_of, keys, pieces
from tests.support.line import BODY, FINISH, LARGE, Line, to

# It lets itself be told something else than was signed.
only_moto = pytest.mark.parametrize("server", ["moto"], indirect=True)


@pytest.fixture(scope="module", params=["moto", "ceph"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3.running(request.param, tmp_path_factory.mktemp("s3")) as host:
        yield host


@pytest.fixture
async def line(server: str) -> AsyncIterator[Line]:
    async with to(server) as connected:
        yield connected


def _without_range(message: bytes) -> bytes:
    return re.sub(rb"\r\nrange:[^\r]*", b"", message, flags=re.IGNORECASE)


def _without_length(message: bytes) -> bytes:
    return re.sub(rb"\r\ncontent-length:[^\r]*", b"", message, flags=re.IGNORECASE)


def _without_span(message: bytes) -> bytes:
    return re.sub(rb"\r\ncontent-range:[^\r]*", b"", message, flags=re.IGNORECASE)


@only_moto
async def test_a_server_that_knows_no_ranges_is_found_out(line: Line) -> None:
    await line.store.put("a", pieces(BODY))
    line.proxy.plan("GET", faults.request_changed(_without_range), times=1000)
    for start, length in ((10, 20), (0, 20), (10, None)):
        with pytest.raises(StoreUnavailable, match=f"from {start} on, the server sends"):
            await drain(line.store.read_range("a", start, length))
    assert await drain(line.store.read_range("a", 0, len(BODY) + 5)) == BODY


@only_moto
@pytest.mark.parametrize("other", [b"bytes=11-30", b"bytes=10-28", b"bytes=10-"])
async def test_a_server_that_sends_another_range_is_found_out(line: Line, other: bytes) -> None:
    await line.store.put("a", pieces(BODY))
    line.proxy.plan("GET", faults.request_changed(lambda raw: raw.replace(b"bytes=10-29", other)), times=1000)
    with pytest.raises(StoreUnavailable, match="asked for 20 bytes from 10 on"):
        await drain(line.store.read_range("a", 10, 20))


async def test_ranges_are_judged_by_their_bytes_not_by_the_status(line: Line) -> None:
    await line.store.put("a", pieces(BODY))
    line.proxy.plan("GET", faults.reply_changed(lambda raw: raw.replace(b" 206 ", b" 200 ", 1)), times=1)
    assert await drain(line.store.read_range("a", 10, 20)) == BODY[10:30]
    line.proxy.plan("GET", faults.reply_changed(_without_span), times=1)
    assert await drain(line.store.read_range("a", 10, 20)) == BODY[10:30]
    line.proxy.plan("GET", faults.reply_changed(lambda raw: _without_length(_without_span(raw))), times=2)
    assert await drain(line.store.read_range("a")) == BODY
    with pytest.raises(StoreUnavailable, match="does not say which bytes"):
        await drain(line.through.read_range("a", 10, 20))
    line.proxy.plan("GET", faults.busy(416, "InvalidRange"), times=1000)
    with pytest.raises(StoreUnavailable, match="denies bytes that it has"):
        await drain(line.store.read_range("a", 10, 20))


async def test_parts_that_were_not_put_together_are_no_success(line: Line) -> None:
    # A server that needs long for it sends its 200 first.
    line.proxy.plan(FINISH, faults.busy(200, "InternalError"), times=2)
    assert await line.store.put("a", in_pieces_of(CHUNK, LARGE)) == len(LARGE)
    assert await line.holds("a", LARGE)
    line.proxy.plan(FINISH, faults.busy(200, "InternalError"), times=1000)
    with pytest.raises(StoreUnavailable, match="not put together: InternalError"):
        await line.store.put("b", in_pieces_of(CHUNK, LARGE))
    assert await keys(line.direct) == ["a", "first"]
    assert s3.unfinished(line.server, line.bucket) == []


async def test_a_server_without_conditions_is_asked_before(line: Line) -> None:
    async def unknown(request: bytes, forward: faults.Forward) -> bytes:
        if b"if-none-match" in request[:2000].lower():
            return await faults.busy(501, "NotImplemented")(request, forward)
        return await forward(request)

    line.proxy.plan("PUT|POST", unknown, times=1000)
    for key, body in (("small", BODY), ("large", LARGE)):
        assert await line.store.put(key, in_pieces_of(CHUNK, body)) == len(body)
        with pytest.raises(ObjectExists):
            await line.store.put(key, in_pieces_of(CHUNK, bytes(len(body))))
        assert await line.holds(key, body)


@only_moto
async def test_a_server_that_ignores_conditions_is_found_out(line: Line) -> None:
    def ignored(request: bytes) -> bytes:
        return re.sub(rb"\r\nif-none-match:[^\r]*", b"", request, flags=re.IGNORECASE)

    line.proxy.plan("PUT|POST", faults.request_changed(ignored), times=1000)
    store = S3Store(S3Address.parse(s3.url(line.proxy.address, line.bucket)))
    for key, body in (("small", BODY), ("large", LARGE)):
        assert await store.put(key, in_pieces_of(CHUNK, body)) == len(body)
        with pytest.raises(ObjectExists):
            await store.put(key, in_pieces_of(CHUNK, bytes(len(body))))
        assert await line.holds(key, body)
    await store.close()


async def test_what_is_no_s3_server_is_said_to_be_none(line: Line) -> None:
    async def page(_request: bytes, _forward: faults.Forward) -> bytes:
        return (
            b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops"
        )

    line.proxy.plan("", page, times=1000)
    for call in (line.store.read("a"), keys(line.store), line.store.put("a", pieces(b"x"))):
        with pytest.raises(StoreRefused, match="no S3 server"):
            await call


async def test_a_garbled_answer_is_unavailable(line: Line) -> None:
    line.proxy.plan(
        "GET", faults.reply_changed(lambda raw: raw.replace(b"</ListBucketResult>", b"<<<<<<<<<<<<<<<<<<<"))
    )
    assert await keys(line.store) == ["first"]
