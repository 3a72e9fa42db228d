"""What networks and servers do to a store in a bucket: no wrong byte, no half object, and errors that say why."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest

from storage import ObjectExists, Stat, StoreUnavailable
from storage.base import CHUNK
from storage.retrying import Patience
from storage.s3 import S3Store
from storage.s3_address import S3Address
from tests.support import faults, s3
from tests.support.bodies import drain, in_pieces_of, keys, pieces
from tests.support.line import ABORT, ATTEMPTS, BEGIN, BODY, FINISH, LARGE, ONE_PART, Line, to

# Most of it is the client's doing, whatever the server; only a real one looks at what it was sent.
only_ceph = pytest.mark.parametrize("server", ["ceph"], indirect=True)
only_moto = pytest.mark.parametrize("server", ["moto"], indirect=True)


@pytest.fixture(scope="module", params=["moto", "ceph"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3.running(request.param, tmp_path_factory.mktemp("s3")) as host:
        yield host


@pytest.fixture
async def line(server: str) -> AsyncIterator[Line]:
    async with to(server) as connected:
        yield connected


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_busy_server_is_asked_again(line: Line, status: int) -> None:
    line.proxy.plan("PUT", faults.busy(status), times=2)
    assert await line.store.put("a", pieces(BODY)) == len(BODY)
    line.proxy.plan("HEAD", faults.busy(status), times=2)
    assert await line.store.stat("a") == Stat("a", len(BODY))
    line.proxy.plan("GET", faults.busy(status), times=2)
    assert await line.store.read("a") == BODY
    line.proxy.plan("GET", faults.busy(status), times=2)
    assert await keys(line.store) == ["a", "first"]
    line.proxy.plan("HEAD", faults.busy(status), times=2)
    await line.store.ping()
    line.proxy.plan("DELETE", faults.busy(status), times=2)
    await line.store.delete("a")
    assert await line.is_empty()


async def test_every_request_of_a_large_object_is_tried_again(line: Line) -> None:
    for request in (BEGIN, ONE_PART, FINISH, "HEAD"):
        line.proxy.plan(request, faults.busy(), times=2)
    assert await line.store.put("large", in_pieces_of(CHUNK, LARGE)) == len(LARGE)
    assert await line.holds("large", LARGE)


async def test_a_server_that_stays_busy_is_unavailable(line: Line) -> None:
    line.proxy.plan("", faults.busy(), times=1000)
    with pytest.raises(StoreUnavailable, match="503 SlowDown"):
        await line.store.put("a", pieces(BODY))
    assert line.proxy.asked("PUT") == ATTEMPTS
    for call in (line.store.read("a"), keys(line.store), line.store.delete("a")):
        with pytest.raises(StoreUnavailable, match="503 SlowDown"):
            await call
    for unexplained in (line.store.stat("a"), line.store.ping()):  # these answers have no body
        with pytest.raises(StoreUnavailable, match="503"):
            await unexplained
    assert await line.is_empty()


@pytest.mark.parametrize("request_", [BEGIN, ONE_PART, FINISH], ids=["begin", "part", "finish"])
async def test_a_large_object_that_a_busy_server_never_takes_leaves_no_parts(line: Line, request_: str) -> None:
    line.proxy.plan(request_, faults.busy(), times=1000)
    line.proxy.plan(ABORT, faults.busy(), times=1)
    with pytest.raises(StoreUnavailable, match="503 SlowDown"):
        await line.store.put("large", in_pieces_of(CHUNK, LARGE))
    assert await line.is_empty()


@pytest.mark.parametrize("times", [1, ATTEMPTS])
async def test_a_put_whose_answer_is_lost_has_succeeded(line: Line, times: int) -> None:
    line.proxy.plan("PUT", faults.reply_lost, times=times)
    assert await line.store.put("a", pieces(BODY)) == len(BODY)
    assert await line.holds("a", BODY)
    with pytest.raises(ObjectExists):
        await line.store.put("a", pieces(b"another"))
    assert await line.holds("a", BODY)


@pytest.mark.parametrize("times", [1, ATTEMPTS])
@pytest.mark.parametrize("request_", [ONE_PART, FINISH], ids=["part", "finish"])
async def test_a_large_put_whose_answers_are_lost_has_succeeded(line: Line, request_: str, times: int) -> None:
    line.proxy.plan(request_, faults.reply_lost, times=min(times, ATTEMPTS - 1) if request_ == ONE_PART else times)
    assert await line.store.put("large", in_pieces_of(CHUNK, LARGE)) == len(LARGE)
    assert await line.holds("large", LARGE)
    assert s3.unfinished(line.server, line.bucket) == []


@pytest.mark.parametrize("body", [BODY, LARGE], ids=["small", "large"])
async def test_an_object_of_somebody_else_is_not_taken_for_ours(line: Line, body: bytes) -> None:
    await line.direct.put("a", pieces(b"theirs"))
    line.proxy.plan("PUT|POST", faults.reply_lost, times=1)
    with pytest.raises(ObjectExists):
        await line.store.put("a", in_pieces_of(CHUNK, body))
    assert await line.holds("a", b"theirs")


@pytest.mark.parametrize("size", [0, 1000, 2 * CHUNK])
async def test_a_put_that_breaks_off_is_sent_again_whole(line: Line, size: int) -> None:
    line.proxy.plan("PUT", faults.request_cut(size), times=2)
    assert await line.store.put("a", pieces(BODY)) == len(BODY)
    assert await line.holds("a", BODY)


@pytest.mark.parametrize("body", [BODY, LARGE], ids=["small", "large"])
async def test_a_put_that_always_breaks_off_leaves_nothing(line: Line, body: bytes) -> None:
    line.proxy.plan("PUT", faults.request_cut(1000), times=1000)
    with pytest.raises(StoreUnavailable, match="Remote end closed connection"):
        await line.store.put("a", in_pieces_of(CHUNK, body))
    assert await line.is_empty()


@only_ceph
@pytest.mark.parametrize("body", [BODY, LARGE], ids=["small", "large"])
async def test_a_bit_that_flips_on_the_way_is_noticed_and_sent_again(line: Line, body: bytes) -> None:
    line.proxy.plan("PUT", faults.request_damaged(1_000_000), times=2)
    assert await line.store.put("a", in_pieces_of(CHUNK, body)) == len(body)
    assert await line.holds("a", body)


@only_ceph
@pytest.mark.parametrize("body", [BODY, LARGE], ids=["small", "large"])
async def test_bits_that_always_flip_leave_nothing(line: Line, body: bytes) -> None:
    line.proxy.plan("PUT", faults.request_damaged(1_000_000), times=1000)
    with pytest.raises(StoreUnavailable, match="SHA256"):
        await line.store.put("a", in_pieces_of(CHUNK, body))
    assert await line.is_empty()


@pytest.mark.parametrize("size", [0, 1000, CHUNK, CHUNK + 1, 3 * CHUNK - 1])
async def test_a_read_that_breaks_off_goes_on_where_it_stopped(line: Line, size: int) -> None:
    await line.store.put("a", pieces(BODY))
    line.proxy.plan("GET", faults.reply_cut(size), times=2)
    assert await line.store.read("a") == BODY
    line.proxy.plan("GET", faults.reply_cut(size), times=2)
    assert await drain(line.store.read_range("a", 5, 3 * CHUNK - 10)) == BODY[5:-5]


async def test_a_read_that_goes_on_asks_only_for_the_rest(line: Line) -> None:
    await line.store.put("a", pieces(BODY))
    line.proxy.plan("GET", faults.reply_cut(2 * CHUNK + 1))
    assert await drain(line.store.read_range("a")) == BODY
    ranges = [re.search(rb"\r\nrange: (.*)\r\n", request, re.IGNORECASE) for request in line.proxy.requests[-2:]]
    assert [found and found[1] for found in ranges] == [None, f"bytes={2 * CHUNK + 1}-".encode()]


async def test_a_read_that_always_breaks_off_gives_no_wrong_byte(line: Line) -> None:
    await line.store.put("a", pieces(BODY))
    line.proxy.plan("GET", faults.reply_cut(1000), times=1000)
    received = b""
    with pytest.raises(StoreUnavailable, match="IncompleteRead"):
        async for piece in line.store.read_range("a", 7):
            received += piece
    assert received == BODY[7 : 7 + 1000 * ATTEMPTS]
    assert line.proxy.asked("GET") == ATTEMPTS


async def test_a_silent_server_is_given_up(line: Line) -> None:
    line.proxy.plan("HEAD", faults.silence)
    await line.store.ping()
    line.proxy.plan("GET", faults.silence, times=1000)
    bare = S3Store(S3Address.parse(s3.url(line.proxy.address, line.bucket)), Patience(2, 0), answer=0.1)
    with pytest.raises(StoreUnavailable, match="timed out"):
        await bare.read("first")
    await bare.close()


@only_moto
async def test_a_list_that_breaks_off_between_pages_goes_on(line: Line) -> None:
    names = sorted(f"n{number % 3}/{number}" for number in range(10))
    for name in names:
        await line.direct.put(name, pieces(b"x"))
    for fault in (faults.reply_cut(100), faults.busy()):
        line.proxy.plan(r"GET \S*continuation-token", fault)
    small = faults.request_changed(lambda raw: raw.replace(b"max-keys=1000", b"max-keys=4"))
    line.proxy.plan("GET", small, times=1000)
    assert await keys(line.store) == ["first", *names]
    assert line.proxy.asked(r"GET \S*continuation-token") > 3
