"""Sniffing: what a file is, by its content alone."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from archive.media.file import MemoryFile
from archive.media.sniff import UNKNOWN, MediaKind, sniff
from tests.support.headers import ASCII, LONG, SHORT, dng, ftyp, tiff
from tests.support.photos import heic, saved

SMALL = Image.linear_gradient("L").resize((16, 16)).convert("RGB")
WRITTEN = {
    "JPEG": "jpeg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "TIFF": "tiff", "BMP": "bmp", "AVIF": "avif",
    "JPEG2000": "jp2", "MPO": "jpeg",
}  # fmt: skip
PACKETS = b"\x47" + bytes(187)
XPACKET = '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
HEADERS = {
    "cr2": tiff({271: (ASCII, "Canon")})[:8] + b"CR\2\0" + bytes(50),
    "nef": tiff({271: (ASCII, "NIKON CORPORATION"), 330: (LONG, 8)}, order=">"),
    "arw": tiff({271: (ASCII, "SONY"), 254: (LONG, 1), 259: (SHORT, 6)}),
    "pef": tiff({271: (ASCII, "PENTAX Corporation"), 259: (SHORT, 65535)}, order=">"),
    "srw": tiff({271: (ASCII, "SAMSUNG"), 330: (LONG, 8)}),
    "dng": dng(),
    "orf": tiff({271: (ASCII, "OLYMPUS")}, magic=b"IIRO"),
    "rw2": tiff({271: (ASCII, "Panasonic")}, magic=b"IIU\0"),
    "raf": b"FUJIFILMCCD-RAW 0201" + bytes(100),
    "cr3": ftyp(b"crx ", b"crx ", b"isom"),
    "heic": ftyp(b"heic", b"mif1", b"heic"),
    "heif": ftyp(b"mif1", b"mif1", b"unci"),
    "avif": ftyp(b"avif", b"mif1"),
    "mp4": ftyp(b"isom", b"isom", b"avc1"),
    "mov": ftyp(b"qt  "),
    "m4v": ftyp(b"M4V ", b"mp42"),
    "3gp": ftyp(b"3gp5", b"isom"),
    "3g2": ftyp(b"3g2a"),
    "mkv": b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska" + bytes(50),
    "webm": b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(50),
    "avi": b"RIFF\x10\x00\x00\x00AVI LIST" + bytes(50),
    "mts": bytes(4) + (PACKETS + bytes(4)) * 8,
    "mpeg": b"\0\0\1\xba" + bytes(50),
    "wmv": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(50),
    "psd": b"8BPS\0\1" + bytes(50),
    "j2k": b"\xff\x4f\xff\x51" + bytes(50),
    "jxl": b"\xff\x0a" + bytes(50),
    "xmp": XPACKET.encode(),
}


def name(content: bytes) -> str:
    return sniff(MemoryFile(content)).name


@pytest.mark.parametrize("written", WRITTEN)
def test_what_pillow_writes_is_known(written: str) -> None:
    assert name(saved(SMALL, written)) == WRITTEN[written]


@pytest.mark.parametrize("expected", HEADERS)
def test_formats_are_known_by_their_beginnings(expected: str) -> None:
    assert name(HEADERS[expected]) == expected


def test_more_is_known_by_what_is_inside() -> None:
    assert name(heic(SMALL)) == "heic"
    assert name(bytes(imagecodecs.jpegxl_encode(np.asarray(SMALL), usecontainer=True))) == "jxl"
    assert name(saved(SMALL, "PNG", save_all=True, append_images=[SMALL.rotate(90)])) == "apng"
    assert name(ftyp(b"mif1", b"mif1", b"avif")) == "avif"
    assert name(ftyp(b"msf1", b"hevc")) == "heic"
    assert name(ftyp(b"mp42", b"isom", b"heic")) == "mp4", "the first brand counts where it is a codec's"
    assert name(b"\0\0\0\x08wide\0\0\1\0mdat") == "mov", "old films begin without saying what they are"
    assert name(PACKETS * 8) == "mts"


def test_a_makers_finished_tiff_is_no_raw() -> None:
    assert name(tiff({271: (ASCII, "NIKON CORPORATION"), 254: (LONG, 0), 259: (SHORT, 1), 262: (SHORT, 2)})) == "tiff"
    assert name(tiff({271: (ASCII, "SONY"), 259: (SHORT, 5)}, order=">")) == "tiff"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_sidecars_are_known_in_any_encoding(encoding: str) -> None:
    for text in (XPACKET, '\n <x:xmpmeta xmlns:x="adobe:ns:meta/">', "<?xml version='1.0'?>\n<x:xmpmeta/>"):
        found = sniff(MemoryFile(text.encode(encoding)))
        assert (found.name, found.kind) == ("xmp", MediaKind.SIDECAR)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"\xff\xd8", b"BM", b"BMW is a car", b"RIFF", b"RIFF\0\0\0\0WAVE", b"<svg/>", b"<html>", b"%PDF-1.7",
     b"II*\0", b"II", b"PK\3\4", b"hello", b"version https://git-lfs.github.com/spec/v1\n", bytes(5000), b"G" * 100],
)  # fmt: skip
def test_what_is_nothing_of_ours_is_unknown_or_a_kind_at_least(content: bytes) -> None:
    found = sniff(MemoryFile(content))
    assert found == UNKNOWN or content.startswith(b"II*\0")


def test_media_types_are_those_that_browsers_know() -> None:
    assert sniff(MemoryFile(saved(SMALL, "JPEG"))).media_type == "image/jpeg"
    assert sniff(MemoryFile(HEADERS["mov"])).media_type == "video/quicktime"
    assert sniff(MemoryFile(HEADERS["dng"])).kind is MediaKind.PHOTO


@given(st.binary(max_size=300), st.sampled_from(sorted(HEADERS)), st.integers(0, 40))
def test_no_content_makes_it_fail(noise: bytes, begin: str, kept: int) -> None:
    sniff(MemoryFile(noise))
    sniff(MemoryFile(HEADERS[begin][:kept] + noise))


def test_only_the_first_bytes_are_read() -> None:
    class Watched(MemoryFile):
        most = 0

        def _at(self, start: int, length: int) -> bytes:
            self.most = max(self.most, start + length)
            return super()._at(start, length)

    file = Watched(saved(SMALL, "BMP") + bytes(1 << 20))
    sniff(file)
    assert file.most <= 4096
    assert isinstance(file, io.RawIOBase)
