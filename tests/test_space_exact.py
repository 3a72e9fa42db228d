"""The exact form by itself: it gives back every byte, or says why it does not take a file."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable
from typing import Any

import imagecodecs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.media.exact import container, jpeg, packing, unpacking
from archive.media.exact.container import Broken, Codec
from archive.media.exact.packing import NoGain
from archive.media.file import MemoryFile
from tests.support import photos

SCENE = photos.scene(320, 240)
JPEG = photos.saved(SCENE, "JPEG", quality=88)
NOISE = hashlib.shake_256(b"noise").digest(6_000_000)


def packed(plain: bytes) -> bytes:
    written = io.BytesIO()
    said = packing.pack(MemoryFile(plain), written.write)
    assert said.size == len(written.getvalue())
    return written.getvalue()


def unpacked(content: bytes) -> bytes:
    file, written = MemoryFile(content), io.BytesIO()
    unpacking.unpack(file, unpacking.read(file).segments, written.write)
    return written.getvalue()


def codecs(content: bytes) -> list[Codec]:
    return [one.codec for one in unpacking.read(MemoryFile(content)).segments]


def refusal(plain: bytes) -> str:
    with pytest.raises(NoGain) as refused:
        packed(plain)
    return str(refused.value)


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(JPEG, id="baseline"),
        pytest.param(photos.saved(SCENE, "JPEG", quality=97, subsampling=0), id="444"),
        pytest.param(photos.saved(SCENE, "JPEG", quality=80, subsampling=1), id="422"),
        pytest.param(photos.saved(SCENE, "JPEG", progressive=True), id="progressive"),
        pytest.param(photos.saved(SCENE, "JPEG", restart_marker_rows=1), id="restarts"),
        pytest.param(photos.saved(SCENE.convert("L"), "JPEG"), id="grey"),
        pytest.param(photos.saved(SCENE, "JPEG", exif=b"Exif\0\0" + bytes(5000), comment=b"hello"), id="metadata"),
        pytest.param(JPEG[:2] + b"\xff\xff\xff" + JPEG[3:], id="fill bytes"),
    ],
)
def test_jpegs_come_back_bit_for_bit_and_smaller(plain: bytes) -> None:
    content = packed(plain)
    assert unpacked(content) == plain
    assert codecs(content) == [Codec.JXL]
    assert len(content) < len(plain)


@pytest.mark.parametrize("tail", [b"\0", b"text" * 5000, JPEG[:300], NOISE[:300_000]])
def test_what_follows_the_end_is_kept_apart(tail: bytes) -> None:
    plain = photos.saved(photos.scene(1600, 1200), "JPEG", quality=95) + tail
    content = packed(plain)
    assert unpacked(content) == plain
    assert codecs(content)[0] is Codec.JXL
    assert len(codecs(content)) == 2


def test_a_tail_larger_than_libjxl_takes_is_no_hindrance() -> None:
    plain = photos.saved(photos.scene(2000, 1500), "JPEG", quality=95) + NOISE
    content = packed(plain)
    assert unpacked(content) == plain
    assert codecs(content) == [Codec.JXL, Codec.STORED, Codec.STORED]


def test_a_second_picture_behind_the_first_is_transcoded_too() -> None:
    plain = JPEG + photos.saved(SCENE.convert("L"), "JPEG") + b"the rest"
    content = packed(plain)
    assert unpacked(content) == plain
    assert codecs(content)[:2] == [Codec.JXL, Codec.JXL]


@pytest.mark.parametrize("name", ["TIFF", "BMP", "PPM"])
def test_what_is_not_compressed_is_compressed(name: str) -> None:
    plain = photos.saved(photos.scene(1600, 1200), name)
    content = packed(plain)
    assert unpacked(content) == plain
    assert set(codecs(content)) <= {Codec.ZSTD, Codec.STORED}
    assert len(content) < 0.9 * len(plain)


def test_refusals_say_why() -> None:
    assert "CMYK" in refusal(photos.saved(SCENE.convert("CMYK"), "JPEG"))
    assert "cut off" in refusal(JPEG[:-2])
    assert "cut off" in refusal(JPEG[: len(JPEG) // 2])
    assert "arithmetic" in refusal(JPEG.replace(b"\xff\xc0\0\x11", b"\xff\xc9\0\x11", 1))
    assert "nothing to gain" in refusal(NOISE)
    assert "nothing to gain" in refusal(photos.saved(SCENE, "WEBP"))
    assert "nothing to gain" in refusal(b"")
    assert "libjxl" in refusal(JPEG[:400] + bytes(20) + JPEG[420:])


def test_what_hardly_shrinks_is_kept_as_it_is() -> None:
    assert "instead of" in refusal(photos.saved(SCENE.resize((16, 16)), "JPEG") + NOISE)


def test_too_large_to_be_decoded_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LARGEST_SEGMENT", 10_000)
    assert "too large" in refusal(JPEG)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_jpeg_is_given_back_as_it_is_or_refused(data: st.DataObject) -> None:
    plain = bytearray(JPEG)
    for place in data.draw(st.lists(st.integers(3, len(plain) - 1), min_size=1, max_size=4)):
        plain[place] ^= data.draw(st.integers(1, 255))
    try:
        content = packed(bytes(plain))
    except NoGain:
        return
    try:
        given_back = unpacked(content)
    except imagecodecs.JpegxlError:
        return  # the proof refuses it: it is decoded before it is kept
    assert given_back == bytes(plain)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000))
def test_finding_the_end_never_fails(content: bytes) -> None:
    found = jpeg.find(memoryview(jpeg.START + content))
    assert found.end is None or 2 < found.end <= 3 + len(content)


def test_an_index_that_does_not_describe_its_container_is_refused() -> None:
    content = packed(JPEG + b"tail" * 1000)
    for length in range(len(content)):
        with pytest.raises(Broken):
            unpacking.read(MemoryFile(content[:length]))
    begin = len(content) - container.TAIL_BYTES - 2 * 41
    for place in [*range(8), *range(begin, len(content))]:
        changed = bytearray(content)
        changed[place] ^= 0x40
        try:
            found = unpacking.read(MemoryFile(bytes(changed)))
        except Broken:
            continue
        # What is left are hashes, and sizes that go up to what others go down: the parent compares both.
        assert [one.sha256 for one in found.segments] != [
            one.sha256 for one in unpacking.read(MemoryFile(content)).segments
        ] or found.segments[0].codec is not Codec.JXL


def test_the_container_is_what_its_document_says() -> None:
    """Read one by the table of docs/space.md alone."""
    plain = JPEG + b"tail" * 1000
    content = packed(plain)
    assert content[:8] == b"TPEXACT1"
    count, size, end = struct.unpack(">IQ8s", content[-20:])
    assert (count, size, end) == (2, len(plain), b"TPINDEX1")
    decoders: dict[int, Callable[..., Any]] = {
        1: bytes,
        2: imagecodecs.zstd_decode,
        3: imagecodecs.jpegxl_decode_jpeg,
    }
    given_back, offset = b"", 8
    for number in range(count):
        place = len(content) - 20 - 41 * (count - number)
        codec, stored, length, sha256 = struct.unpack(">BII32s", content[place : place + 41])
        part = decoders[codec](content[offset : offset + stored])
        assert (len(part), hashlib.sha256(part).digest()) == (length, sha256)
        given_back, offset = given_back + part, offset + stored
    assert given_back == plain


def test_a_range_touches_only_its_segments() -> None:
    plain = photos.saved(photos.scene(2000, 1500), "TIFF")
    found = unpacking.read(MemoryFile(packed(plain)))
    assert [one.start for one in found.segments] == [0, 4 << 20, 8 << 20]
    assert [one.start for one in found.touched(4 << 20, 1)] == [4 << 20]
    assert [one.start for one in found.touched((4 << 20) - 1, 2)] == [0, 4 << 20]
    assert found.touched(len(plain), 10) == []
    assert found.touched(0, 0) == []
