"""Films: what is found out about them, what they look like, and that every browser plays what is made of them."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from archive.media.video import (
    Corrupt,
    PlayPolicy,
    TooMuch,
    Unsupported,
    VideoError,
    VideoProbe,
    clip,
    play,
    poster,
    probe,
)
from archive.media.video.clip import MOST_BYTES
from archive.media.video.tone import to_srgb
from tests.support.films import BLUE, GREEN, MATRICES, QUARTERS, RED, WHITE, Pixels, Recipe, film, with_duration

X265 = {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"}
VP9 = {"deadline": "realtime", "cpu-used": "8"}
RECIPES = {
    "mp4": Recipe(),
    "mp4 without sound": Recipe(audio=None),
    "mov of a phone, hevc": Recipe("mov", "libx265", options=X265),
    "mov of a camera, pcm": Recipe("mov", audio="pcm_s16le"),
    "mov, prores": Recipe("mov", "prores_ks", "pcm_s24le", pixels="yuv422p10le", options={}),
    "mkv, h264": Recipe("matroska"),
    "mkv, vp9": Recipe("matroska", "libvpx-vp9", "libopus", options=VP9),
    "mkv, surround": Recipe("matroska", audio="ac3", layout="5.1"),
    "webm": Recipe("webm", "libvpx-vp9", "libopus", options=VP9),
    "avi, mpeg4": Recipe("avi", "mpeg4", "libmp3lame", options={}),
    "avi, mjpeg": Recipe("avi", "mjpeg", "pcm_s16le", pixels="yuvj420p", options={}),
    "mts": Recipe("mpegts"),
    "mts, mpeg2": Recipe("mpegts", "mpeg2video", "ac3", options={}),
    "3gp": Recipe("3gp", "h263", "libopencore_amrnb", 176, 144, rate=8000, layout="mono", options={}),
    "mpeg": Recipe("mpeg", "mpeg2video", "mp2", options={}),
    "wmv": Recipe("asf", "wmv2", "libmp3lame", options={}),
    "4:4:4, odd size": Recipe(width=321, height=241, pixels="yuv444p"),
}
# Format, codecs, and what is to be done for browsers.
EXPECTED: dict[str, tuple[str, str, str | None, str]] = {
    "mp4": ("mp4", "h264", "aac", "original"),
    "mp4 without sound": ("mp4", "h264", None, "original"),
    "mov of a phone, hevc": ("mov", "hevc", "aac", "encode"),
    "mov of a camera, pcm": ("mov", "h264", "pcm_s16le", "remux"),
    "mov, prores": ("mov", "prores", "pcm_s24le", "encode"),
    "mkv, h264": ("mkv", "h264", "aac", "remux"),
    "mkv, vp9": ("mkv", "vp9", "opus", "encode"),
    "mkv, surround": ("mkv", "h264", "ac3", "remux"),
    "webm": ("webm", "vp9", "opus", "original"),
    "avi, mpeg4": ("avi", "mpeg4", "mp3", "encode"),
    "avi, mjpeg": ("avi", "mjpeg", "pcm_s16le", "encode"),
    "mts": ("mts", "h264", "aac", "remux"),
    "mts, mpeg2": ("mts", "mpeg2video", "ac3", "encode"),
    "3gp": ("3gp", "h263", "amr_nb", "encode"),
    "mpeg": ("mpeg", "mpeg2video", "mp2", "encode"),
    "wmv": ("wmv", "wmv2", "mp3", "encode"),
    "4:4:4, odd size": ("mp4", "h264", "aac", "encode"),
}


def played(content: bytes, policy: PlayPolicy | None = None, **known: Any) -> tuple[bytes, dict[str, Any]]:
    """The playable copy and what is said of it; facts of the original may be overruled."""
    out: list[bytes] = []
    found = dataclasses.replace(probe(io.BytesIO(content)), **known)
    said = play(io.BytesIO(content), out.append, policy, known=found)
    return b"".join(out), said


def encoded(content: bytes, policy: PlayPolicy | None = None) -> bytes:
    return played(content, policy, plays="encode")[0]


def still(content: bytes) -> Image.Image:
    return poster(io.BytesIO(content))


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    w, h = picture.size
    places = ((w // 8, h // 8), (w * 7 // 8, h // 8), (w // 8, h * 7 // 8), (w * 7 // 8, h * 7 // 8))
    return [picture.convert("RGB").getpixel(place) for place in places]  # type: ignore[misc]


def alike(seen: list[tuple[int, ...]], wanted: tuple[tuple[int, int, int], ...], tolerance: int = 14) -> bool:
    return all(abs(a - b) <= tolerance for s, w in zip(seen, wanted, strict=True) for a, b in zip(s, w, strict=True))


def times(content: bytes) -> list[float]:
    with av.open(io.BytesIO(content), "r") as container:
        return [frame.time for frame in container.decode(video=0)]


def sound(content: bytes) -> NDArray[np.float32]:
    """The sound on the film's clock, at 48 kHz, one channel; nothing before zero."""
    whole = np.zeros(48_000 * 20, np.float32)
    with av.open(io.BytesIO(content), "r") as container:
        for frame in container.decode(audio=0):
            assert frame.sample_rate == 48_000
            samples = frame.to_ndarray()[0]
            start = round((frame.time or 0.0) * 48_000)
            whole[start : start + len(samples)] = samples
    return whole


# What a film is


@pytest.mark.parametrize("name", RECIPES)
def test_what_a_film_is(name: str) -> None:
    recipe, found = RECIPES[name], probe(io.BytesIO(film(RECIPES[name])))
    assert (found.format, found.video_codec, found.audio_codec, found.plays) == EXPECTED[name]
    assert found.duration_ms == pytest.approx(2000, abs=60)
    assert found.fps == pytest.approx(25, abs=0.1)
    assert found.has_audio == (recipe.audio is not None)
    assert found.plays_in_browser == (found.plays == "original")
    assert VideoProbe(**json.loads(json.dumps(dataclasses.asdict(found)))) == found


def test_what_a_film_says_of_itself_is_bounded_text() -> None:
    words = {f"k{n}": "x" for n in range(300)} | {"title": "Sea " * 1000, "com.apple.quicktime.make": "Apple"}
    content = film(metadata=words, muxer={"movflags": "use_metadata_tags"})
    tags = probe(io.BytesIO(content)).tags
    assert len(tags) <= 100
    assert all(len(value) <= 1000 for value in tags.values())
    few = film(
        metadata={"title": "Größe", "com.apple.quicktime.make": "Apple"}, muxer={"movflags": "use_metadata_tags"}
    )
    tags = probe(io.BytesIO(few)).tags
    assert (tags["title"], tags["com.apple.quicktime.make"]) == ("Größe", "Apple")


def test_ten_bits_and_hlg_are_seen() -> None:
    found = probe(io.BytesIO(film(RECIPES["mov of a phone, hevc"])))
    assert (found.bit_depth, found.hdr) == (8, None)
    for transfer, name in ((18, "hlg"), (16, "pq")):
        content = film(Recipe("mov", "libx265", pixels="yuv420p10le", transfer=transfer, options=X265))
        found = probe(io.BytesIO(content))
        assert (found.bit_depth, found.hdr, found.plays) == (10, name, "encode")


@pytest.mark.parametrize("lie", [1, 500, 3_600_000, 300_000_000])
def test_a_lying_duration_is_not_believed(lie: int) -> None:
    assert probe(io.BytesIO(with_duration(film(), lie))).duration_ms == pytest.approx(2000, abs=100)


def test_sound_that_outlasts_the_picture_counts() -> None:
    assert probe(io.BytesIO(film(seconds=2, audio_seconds=9))).duration_ms == pytest.approx(9000, abs=50)


# How it looks


@pytest.mark.parametrize("name", RECIPES)
def test_the_poster_shows_the_right_colours(name: str) -> None:
    picture = still(film(RECIPES[name]))
    assert picture.mode == "RGB"
    assert alike(corners(picture), QUARTERS)


TURNED = {
    (0, False): (RED, GREEN, BLUE, WHITE),
    (90, False): (BLUE, RED, WHITE, GREEN),
    (180, False): (WHITE, BLUE, GREEN, RED),
    (270, False): (GREEN, WHITE, RED, BLUE),
    (0, True): (GREEN, RED, WHITE, BLUE),
    (90, True): (WHITE, GREEN, BLUE, RED),
    (180, True): (BLUE, WHITE, RED, GREEN),
    (270, True): (RED, BLUE, GREEN, WHITE),
}


@pytest.mark.parametrize("turn", TURNED)
def test_turned_films_are_shown_upright(turn: tuple[int, bool]) -> None:
    content = film(matrix=MATRICES[turn], audio=None)
    found = probe(io.BytesIO(content))
    assert (found.rotation, found.mirrored) == turn
    size = (240, 320) if turn[0] in {90, 270} else (320, 240)
    assert (found.width, found.height) == size
    # Browsers turn a film themselves; mirrored ones they do not all show as they are meant.
    assert found.plays == ("encode" if turn[1] else "original")
    moving = Image.open(io.BytesIO(clip(io.BytesIO(content))))
    for picture in (still(content), moving, still(encoded(content)), still(played(content)[0])):
        assert picture.size == size
        assert alike(corners(picture), TURNED[turn])
    assert probe(io.BytesIO(encoded(content))).rotation == 0


def test_pixels_that_are_not_square_are_stretched() -> None:
    content = film(aspect=Fraction(4, 3), audio=None)
    assert still(content).size == (427, 240)
    narrow = film(aspect=Fraction(3, 4), audio=None)
    assert still(narrow).size == (320, 320)
    with av.open(io.BytesIO(encoded(content)), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.sample_aspect_ratio in {None, 1}) == (426, 240, True)


def test_a_poster_is_not_larger_than_wanted() -> None:
    content = film(width=1600, height=200, audio=None, seconds=0.4)
    assert still(content).size == (1440, 180)
    assert poster(io.BytesIO(content), longer=100).size == (100, 12)


def test_a_black_beginning_is_not_the_poster() -> None:
    def fades_in(width: int, height: int, moment: float) -> Pixels:
        picture = Recipe().picture(width, height, moment)
        return picture if moment >= 4 else np.zeros_like(picture)

    content = film(picture=fades_in, seconds=8, audio=None)
    assert alike(corners(still(content)), QUARTERS)
    black = film(picture=lambda w, h, _: np.zeros((h, w, 3), np.uint8), audio=None)
    assert still(black).size == (320, 240)


def test_hdr_is_brought_to_an_ordinary_screen() -> None:
    """White paper (203 nits) is bright, not white; what is dark stays; grey stays grey; nothing overflows."""
    for hdr, white, grey in (("hlg", 0.75, 0.38), ("pq", 0.58, 0.38)):
        signal = np.array([[0.0] * 3, [grey] * 3, [white] * 3, [1.0] * 3])
        shown = to_srgb(signal, hdr) * 255  # type: ignore[arg-type]
        assert np.ptp(shown, axis=1).max() < 3
        assert shown[0].max() < 1
        assert 60 < shown[1, 0] < 140
        assert 200 < shown[2, 0] < 245
        assert shown[3, 0] > 250
    content = film(Recipe("mov", "libx265", pixels="yuv420p10le", transfer=18, options=X265, audio=None))
    flat = film(
        Recipe(
            "mov",
            "libx265",
            pixels="yuv420p10le",
            transfer=18,
            options=X265,
            audio=None,
            picture=lambda w, h, t: (Recipe().picture(w, h, t) * 0.5).astype(np.uint8),
        )
    )
    assert probe(io.BytesIO(content)).hdr == "hlg"
    for picture in (still(flat), still(encoded(flat))):
        red, green, blue, light = (np.array(corner) for corner in corners(picture))
        assert red.argmax() == 0
        assert green.argmax() == 1
        assert blue.argmax() == 2
        assert np.ptp(light) < 8
        # Half of HLG's signal is a twelfth of its light, and on a screen a middle grey.
        wanted = to_srgb(np.array([[115 / 255] * 3]), "hlg")[0, 0] * 255
        assert abs(float(light.mean()) - wanted) < 10


# The clip


def test_a_clip_shows_four_places_of_a_film() -> None:
    content = film(seconds=40, fps=10, audio=None)
    encoded_clip = clip(io.BytesIO(content))
    moving: Any = Image.open(io.BytesIO(encoded_clip))
    assert (moving.format, moving.size, moving.is_animated) == ("WEBP", (320, 240), True)
    assert len(encoded_clip) <= MOST_BYTES
    total, bars = 0, set()
    for number in range(moving.n_frames):
        moving.seek(number)
        moving.load()
        total += moving.info["duration"]
        row = np.asarray(moving.convert("RGB"))[120].astype(int)
        bars.add(int((np.abs(row - 128).max(axis=1) < 40).sum()))
        assert alike(corners(moving), QUARTERS, 25)
    assert 2000 <= total <= 4500
    assert len(bars) > 8


@pytest.mark.parametrize("seconds", [0.04, 0.3, 0.9])
def test_a_very_short_film_gives_something(seconds: float) -> None:
    content = film(seconds=seconds, audio=None)
    assert Image.open(io.BytesIO(clip(io.BytesIO(content)))).size == (320, 240)
    assert still(content).size == (320, 240)
    assert len(times(encoded(content))) == round(seconds * 25)


def test_noise_is_made_small_enough() -> None:
    noise = np.random.default_rng(7).integers(0, 256, (50, 320, 320, 3), np.uint8)
    content = film(width=320, height=320, audio=None, seconds=4, picture=lambda _w, _h, t: noise[round(t * 25) % 50])
    assert len(clip(io.BytesIO(content))) <= MOST_BYTES


# What browsers play


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_made_plays_everywhere(name: str) -> None:
    content, said = played(film(RECIPES[name]))
    found = probe(io.BytesIO(content))
    assert (found.format, found.video_codec, found.plays) == ("mp4", "h264", "original")
    assert found.audio_codec == ("aac" if RECIPES[name].audio else None)
    assert found.duration_ms == pytest.approx(2000, abs=100)
    assert alike(corners(still(content)), QUARTERS)
    copied = EXPECTED[name][1] == "h264" and EXPECTED[name][3] != "encode"
    assert said["video"] == ("copied" if copied else "encoded")
    assert (said["frames"], said["skipped"], said["bytes"]) == (50, 0, len(content))
    if not copied:
        assert found.width % 2 == found.height % 2 == 0
    shown = times(content)
    assert shown[0] == pytest.approx(0, abs=0.01)
    assert shown == sorted(set(shown))


def test_the_header_comes_first_and_knows_the_length() -> None:
    content = encoded(film(seconds=25, fps=10))
    assert content[4:8] == b"ftyp"
    assert content.index(b"moov") < content.index(b"moof")
    assert b"mfra" not in content
    mehd = content.index(b"mehd")
    assert struct.unpack_from(">Q", content, mehd + 8)[0] == pytest.approx(25_000, abs=60)
    mvhd = content.index(b"mvhd")
    scale, duration = struct.unpack_from(">II", content, mvhd + 16)
    assert duration / scale == pytest.approx(25, abs=0.06)


def test_there_is_a_keyframe_every_two_seconds() -> None:
    with av.open(io.BytesIO(encoded(film(seconds=9))), "r") as container:
        packets = [p for p in container.demux(video=0) if p.is_keyframe and p.pts is not None]
    assert [round(float(p.pts * p.time_base), 2) for p in packets if p.pts is not None] == [0, 2, 4, 6, 8]


def test_a_large_film_is_made_smaller_and_a_small_one_is_not_made_larger() -> None:
    content = film(width=320, height=640, audio=None, seconds=0.4)
    with av.open(io.BytesIO(played(content, PlayPolicy(cap=120))[0])) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (120, 240)
    assert played(content, PlayPolicy(cap=120))[1]["video"] == "encoded"
    assert played(content, PlayPolicy(cap=320))[1]["video"] == "copied"


def test_uneven_times_are_kept_and_many_frames_are_thinned() -> None:
    uneven = [0, 0.1, 0.15, 0.5, 0.52, 1, 1.7, 1.9]
    assert times(encoded(film(times=uneven, audio=None))) == pytest.approx(uneven, abs=0.002)
    fast = times(encoded(film(fps=120, seconds=1, audio=None)))
    assert len(fast) == 60
    assert np.diff(fast) == pytest.approx(1 / 60, abs=0.001)


def flash(width: int, height: int, moment: float) -> Pixels:
    return np.full((height, width, 3), 235 if 1.2 <= moment < 1.4 else 20, np.uint8)


def beep(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where((t >= 1.2) & (t < 1.4), 0.5 * np.sin(2 * np.pi * 1000 * t), 0)


@pytest.mark.parametrize("plays", ["remux", "encode"])
@pytest.mark.parametrize(
    "starts",
    [
        {},
        {"audio_from": 0.7, "audio_seconds": 1.3},
        {"video_from": 0.72},
        {"audio_from": 5.0, "video_from": 5.0, "late": 5.0},
    ],
    ids=["together", "sound later", "picture later", "both late"],
)
@pytest.mark.parametrize("box", [("matroska", "libopus"), ("mp4", "aac"), ("mpegts", "aac"), ("mov", "pcm_s16le")])
def test_sound_and_picture_stay_together(plays: str, starts: dict[str, float], box: tuple[str, str]) -> None:
    late = starts.get("late", 0.0)
    changes: dict[str, Any] = {key: value for key, value in starts.items() if key != "late"}
    content = film(
        format=box[0],
        audio=box[1],
        picture=lambda w, h, t: flash(w, h, t - late),
        tone=lambda t: beep(t - late),
        **changes,
    )
    made, _ = played(content, plays=plays)
    with av.open(io.BytesIO(made), "r") as container:
        seen = next(float(f.time) for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 128)
    loud = np.flatnonzero(np.abs(sound(made)) > 0.2)[0] / 48_000
    assert seen == pytest.approx(loud, abs=0.045)


def test_progress_is_told_and_may_end_the_work() -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        assert 0 <= done <= total == pytest.approx(60_000, abs=100)
        raise Enough

    content, out = film(width=640, height=480, seconds=60, fps=5, audio=None), list[bytes]()
    known = dataclasses.replace(probe(io.BytesIO(content)), plays="encode")
    with pytest.raises(Enough):
        play(io.BytesIO(content), out.append, progress=stop, known=known)

    def full(_: bytes) -> None:
        raise OSError(28, "no space")

    with pytest.raises(OSError, match="no space"):
        play(io.BytesIO(film()), full)


def test_errors_of_the_file_come_out_as_they_are() -> None:
    class Gone(io.BytesIO):
        left = 3

        def read(self, size: int | None = -1, /) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise ConnectionResetError("the parent is gone")
            return super().read(size)

    content = film(seconds=30, audio="pcm_s16le", format="mov")
    for work in (probe, poster, clip, lambda file: play(file, lambda _: None)):
        for left in range(2):
            file = Gone(content)
            file.left = left
            with pytest.raises(ConnectionResetError, match="parent is gone"):
                work(file)


def test_broken_packets_are_passed_over() -> None:
    content = bytearray(film(format="mpegts", seconds=6, audio=None))
    for start in range(len(content) // 2, len(content) // 2 + 2000):
        content[start] ^= 0x5A
    made, said = played(bytes(content), plays="encode")
    assert said["frames"] > 100
    assert times(made)[-1] == pytest.approx(6, abs=0.3)


def test_no_threads_are_started() -> None:
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("threads are counted in /proc")
    content = film(RECIPES["mov of a phone, hevc"])
    before, seen = len(list(tasks.iterdir())), list[int]()

    def write(_: bytes) -> None:
        seen.append(len(list(tasks.iterdir())))

    play(io.BytesIO(content), write, progress=lambda _d, _t: write(b""))
    clip(io.BytesIO(content))
    poster(io.BytesIO(content))
    write(b"")
    assert max(seen) <= before


# What strangers send


def tried(content: bytes) -> list[type[BaseException] | None]:
    """What each function says; anything but our own errors comes out and fails the test."""
    said: list[type[BaseException] | None] = []
    for work in (probe, poster, clip, lambda file: play(file, lambda _: None)):
        try:
            work(io.BytesIO(content))
            said.append(None)
        except VideoError as error:
            said.append(type(error))
    return said


@pytest.mark.parametrize("content", [b"", b"\0", b"\0" * 100_000, b"RIFF", bytes(range(256)) * 64], ids=len)
def test_what_is_no_film_is_refused(content: bytes) -> None:
    for work in (probe, poster, clip):
        with pytest.raises((Corrupt, Unsupported)):
            work(io.BytesIO(content))


PLAYLISTS = {
    "hls": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period></Period></MPD>',
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "pgm": b"P5 4 4 255\n" + bytes(16),
    "ass": b"[Script Info]\nScriptType: v4.00+\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_what_names_other_files_is_no_film(name: str) -> None:
    for content in (PLAYLISTS[name], PLAYLISTS[name] * 200):
        with pytest.raises((Unsupported, Corrupt)):
            probe(io.BytesIO(content))


def test_pictures_and_sound_alone_are_no_films() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), RED).save(picture, "PNG")
    for content in (picture.getvalue(), film(format="mp4", video=None), film(format="matroska", video=None)):
        with pytest.raises((Unsupported, Corrupt)):
            probe(io.BytesIO(content))
        with pytest.raises((Unsupported, Corrupt)):
            play(io.BytesIO(content), lambda _: None)


def followed(content: bytes) -> list[bytes]:
    """The other files that FFmpeg would open if it were let."""
    asked: list[bytes] = []

    def note(url: Any, _flags: int, _options: dict[str, str]) -> object:
        asked.append(bytes(url) if isinstance(url, bytes) else url.encode())
        return io.BytesIO()

    options = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(io.BytesIO(content), "r", options=options, io_open=note) as container:
        assert len(container.streams.video) == 1
    return asked


def test_a_film_in_another_file_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "secret.mp4"
    other.write_bytes(film(audio=None))
    content = film(format="mov", audio=None)
    path = str(other).encode()
    # An alias as QuickTime writes them: a reference whose last part is the absolute path.
    reference = b"\0\0\0\0" + bytes(150) + struct.pack(">hh", 2, len(path)) + path + b"\0" * (len(path) & 1)
    alias = struct.pack(">I", len(reference) + 12) + b"alis" + bytes(4) + reference[4:] + struct.pack(">hh", -1, 0)
    alias = struct.pack(">I", len(alias)) + alias[4:]
    at = content.index(b"dref") - 4
    size = struct.unpack_from(">I", content, at)[0]
    dref = struct.pack(">I4sII", 16 + len(alias), b"dref", 0, 1) + alias
    changed = bytearray(content[:at] + dref + content[at + size :])
    for name in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        start = changed.rindex(name, 0, at if name != b"dinf" else at + 4) - 4
        struct.pack_into(">I", changed, start, struct.unpack_from(">I", changed, start)[0] + len(dref) - size)
    assert path in followed(bytes(changed))
    said = tried(bytes(changed))
    assert said[1:] == [Corrupt, Corrupt, Corrupt]


@pytest.mark.parametrize("name", ["mp4", "mov of a phone, hevc", "mkv, vp9", "avi, mjpeg", "mts, mpeg2", "wmv"])
def test_cut_off_films_give_what_they_have_or_say_why(name: str) -> None:
    content = film(RECIPES[name])
    for tenth in range(1, 10):
        tried(content[: len(content) * tenth // 10])
    first = film(muxer={"movflags": "faststart"})
    assert tried(first[: len(first) // 2]) == [None] * 4


@pytest.mark.parametrize("name", ["mp4", "mov of a phone, hevc", "mkv, vp9", "avi, mpeg4", "mts", "3gp", "mpeg", "wmv"])
def test_damaged_films_never_raise_anything_else(name: str) -> None:
    content, dice = film(RECIPES[name]), random.Random(name)
    for _ in range(6):
        damaged = bytearray(content)
        for _ in range(dice.choice([1, 10, 200])):
            damaged[dice.choice([dice.randrange(len(damaged)), dice.randrange(min(3000, len(damaged)))])] ^= 1 << 3
        tried(bytes(damaged))


def test_a_picture_of_any_size_in_the_header_is_not_believed() -> None:
    content = bytearray(film(format="mov", video="mjpeg", pixels="yuvj420p", options={}, audio=None))
    start = content.index(b"jpeg", content.index(b"stsd"))
    struct.pack_into(">HH", content, start + 28, 65_000, 65_000)
    begun = 0
    while (begun := content.find(b"\xff\xc0", begun + 1)) > 0:
        struct.pack_into(">HH", content, begun + 5, 65_000, 65_000)
    said = tried(bytes(content))
    assert None not in said


@pytest.mark.parametrize("box", ["mp4", "avi", "matroska"])
def test_too_many_streams_are_too_much(box: str) -> None:
    out = io.BytesIO()
    with av.open(out, "w", format=box) as target:
        streams = [target.add_stream("mpeg4", rate=25, width=16, height=16) for _ in range(90)]
        for stream in streams:
            frame = av.VideoFrame(16, 16, "yuv420p")
            frame.pts, frame.time_base = 0, Fraction(1, 25)
            target.mux(stream.encode(frame))
    if box == "matroska":  # FFmpeg forgets the rest
        assert probe(io.BytesIO(out.getvalue())).format == "mkv"
        return
    with pytest.raises(TooMuch):
        probe(io.BytesIO(out.getvalue()))


def test_a_film_is_read_in_few_places() -> None:
    class Counting(io.BytesIO):
        read_bytes = 0

        def read(self, size: int | None = -1, /) -> bytes:
            content = super().read(size)
            self.read_bytes += len(content)
            return content

    content = film(seconds=60, fps=5, audio="pcm_s16le", format="mov", muxer={"movflags": "faststart"})
    file = Counting(content)
    probe(file)
    assert file.read_bytes < len(content) // 4
