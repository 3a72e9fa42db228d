"""Conversions of films: the codec, size and length that were wished for, and clear words where that is impossible."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any, Literal

import av
import pytest

from archive.media.sandbox import Gathered, Result, Sandbox
from archive.media.source import memory_source
from archive.media.verdict import Verdict
from archive.media.video import Corrupt, Unsupported, probe
from archive.media.video.converting import convert
from archive.media.video.wish import FilmWish
from tests.support.films import Recipe, film


def converted(content: bytes, **wish: Any) -> tuple[bytes, dict[str, Any]]:
    written = bytearray()
    made = convert(io.BytesIO(content), written.extend, FilmWish(**wish))
    assert made["bytes"] == len(written)
    return bytes(written), made


def length(content: bytes, kind: Literal["video", "audio"] = "video") -> float:
    with av.open(io.BytesIO(content), "r") as opened:
        ends = [
            float((packet.pts + (packet.duration or 0)) * (packet.time_base or 0))
            for packet in opened.demux(**{kind: 0})
            if packet.pts is not None
        ]
    return max(ends)


WAYS = [("mp4", "h264"), ("mp4", "hevc"), ("webm", "vp9")]


@pytest.mark.parametrize(("container", "codec"), WAYS)
def test_a_film_becomes_what_was_wished(container: str, codec: str) -> None:
    content, made = converted(film(seconds=1.5), container=container, codec=codec, shorter=120)
    seen = probe(io.BytesIO(content))
    assert (seen.format, seen.video_codec) == (container, codec)
    assert seen.audio_codec == ("opus" if container == "webm" else "aac")
    assert (seen.width, seen.height) == (160, 120) == (made["width"], made["height"])
    assert length(content) == pytest.approx(1.5, abs=0.1)
    assert length(content, "audio") == pytest.approx(1.5, abs=0.1)
    assert made["skipped"] == 0


def test_a_part_is_as_long_as_it_should_be_and_shows_that_part() -> None:
    content, made = converted(film(seconds=6), begin=2.5, end=4)
    assert made["duration_ms"] == 1500
    assert length(content) == pytest.approx(1.5, abs=0.05)
    assert length(content, "audio") == pytest.approx(1.5, abs=0.1)
    with av.open(io.BytesIO(content), "r") as opened:
        first = next(opened.decode(video=0)).to_ndarray(format="rgb24")
    # The grey bar in the middle is a tenth of the width a second.
    row = first[120].astype(int)
    grey = (abs(row - 128) < 20).all(axis=1)
    assert grey.sum() == pytest.approx(0.25 * 320, abs=8)


def test_sound_alone_is_taken_out() -> None:
    content, made = converted(film(seconds=2), container="m4a")
    with av.open(io.BytesIO(content), "r") as opened:
        assert [stream.type for stream in opened.streams] == ["audio"]
    assert length(content, "audio") == pytest.approx(2, abs=0.1)
    assert "width" not in made


def test_sound_may_be_left_out() -> None:
    content, _ = converted(film(seconds=1), sound=False)
    with av.open(io.BytesIO(content), "r") as opened:
        assert [stream.type for stream in opened.streams] == ["video"]


def test_a_lower_quality_is_smaller_and_nothing_is_enlarged() -> None:
    source = film(seconds=1)
    fine, _ = converted(source, crf=15, sound=False)
    coarse, made = converted(source, crf=45, sound=False, shorter=2000)
    assert len(coarse) < len(fine)
    assert (made["width"], made["height"]) == (320, 240)


WISHES: list[tuple[dict[str, Any], str]] = [
    ({"container": "avi"}, "no container"),
    ({"container": "mp4", "codec": "vp9"}, "h264 or hevc"),
    ({"container": "webm", "codec": "h264"}, "choose vp9"),
    ({"container": "mp4", "codec": "av1"}, "no av1 in mp4"),
    ({"crf": 60}, "0 .best. to 51"),
    ({"shorter": 3}, "at least 16"),
    ({"begin": 3.0, "end": 2.0}, "after the beginning"),
    ({"begin": -1.0}, "beginning"),
    ({"begin": float("nan")}, "beginning"),
    ({"container": "m4a", "sound": False}, "nothing but sound"),
]


@pytest.mark.parametrize(("wish", "words"), WISHES)
def test_an_impossible_wish_is_refused_in_words(wish: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FilmWish(**wish)


def test_what_is_not_in_the_film_is_refused_in_words() -> None:
    silent = film(Recipe(audio=None, seconds=1))
    with pytest.raises(Unsupported, match="no sound"):
        converted(silent, container="m4a")
    with pytest.raises(Unsupported, match="ends after 1 seconds"):
        converted(silent, begin=5.0)
    with pytest.raises((Unsupported, Corrupt)):
        converted(b"nothing at all" * 100)


# In the sandbox


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as made:
        yield made


async def asked(sandbox: Sandbox, content: bytes, **wish: Any) -> tuple[Result, bytes]:
    blobs = Gathered()
    with await memory_source(content) as source:
        result = await sandbox.run("convert_film", wish, source, blobs=blobs)
    return result, blobs.blobs.get("film", b"")


@pytest.mark.parametrize(("container", "codec"), WAYS)
async def test_every_codec_works_in_the_sandbox(sandbox: Sandbox, container: str, codec: str) -> None:
    result, content = await asked(sandbox, film(seconds=1), container=container, codec=codec)
    assert (result.verdict, result.detail) == (Verdict.OK, None)
    assert probe(io.BytesIO(content)).video_codec == codec


async def test_what_cannot_be_is_a_verdict(sandbox: Sandbox) -> None:
    result, _ = await asked(sandbox, film(seconds=1), container="avi")
    assert result.verdict is Verdict.UNSUPPORTED
    assert "no container" in (result.detail or "")
    result, _ = await asked(sandbox, film(seconds=1)[:600])
    assert result.verdict in (Verdict.CORRUPT, Verdict.UNSUPPORTED)
