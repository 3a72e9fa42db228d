"""What is made of films, in a real browser: it knows the length at once, plays, and jumps to any moment by ranges."""

from __future__ import annotations

import dataclasses
import io
import os
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from archive.media.video import play, probe
from tests.support.films import QUARTERS, Pixels, film, quarters
from tests.support.ranges import served_film

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required"]
WATCH = """async (moment) => {
  const video = document.querySelector('video'), said = {};
  const heard = (name) => new Promise((done, failed) => {
    video.addEventListener(name, done, {once: true});
    video.addEventListener('error', () => failed(new Error(video.error.message)), {once: true});
    setTimeout(() => failed(new Error('waited in vain for ' + name)), 30000);
  });
  let next = heard('loadedmetadata');
  video.src = '/film';
  await next;
  Object.assign(said, {duration: video.duration, width: video.videoWidth, height: video.videoHeight});
  said.seekable = video.seekable.length ? video.seekable.end(0) : 0;
  next = heard('seeked');
  // The event may come before the new picture does, on a busy machine.
  const shown = new Promise((done) => { video.requestVideoFrameCallback(done); setTimeout(done, 5000); });
  video.currentTime = moment;
  await next;
  await shown;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const paper = canvas.getContext('2d');
  paper.drawImage(video, 0, 0);
  const seen = (x, y) => [...paper.getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3);
  said.corners = [seen(.1, .1), seen(.9, .1), seen(.1, .9), seen(.9, .9)];
  said.bar = [...paper.getImageData(0, canvas.height / 2, canvas.width, 1).data]
    .filter((_, n) => n % 4 === 0).filter((value) => Math.abs(value - 128) < 25).length / canvas.width;
  next = heard('timeupdate');
  await video.play();
  await next;
  while (video.currentTime < moment + .3) await new Promise((done) => setTimeout(done, 50));
  said.error = video.error;
  return said;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set and there is no chromium")
        pytest.skip("no chromium on this machine; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


def watched(
    browser: Browser, content: bytes, moment: float, kind: str = "video/mp4"
) -> tuple[dict[str, Any], list[int]]:
    """What the browser says of a film when it is asked to go to a moment, and the ranges it asked for."""
    with served_film(content, kind) as served:
        page = browser.new_page()
        page.goto(served.url)
        said = page.evaluate(WATCH, moment)
        page.close()
        return said, served.starts


def right(said: dict[str, Any], seconds: float, moment: float) -> bool:
    corners = zip(said["corners"], QUARTERS, strict=True)
    return (
        said["duration"] == pytest.approx(seconds, abs=0.1)
        and said["seekable"] == pytest.approx(seconds, abs=0.1)
        and all(abs(a - b) < 30 for corner, wanted in corners for a, b in zip(corner, wanted, strict=True))
        # The bar in the middle of the picture says what time it is: a tenth of the width is a second.
        and said["bar"] == pytest.approx(moment % 10 / 10, abs=0.03)
    )


@pytest.mark.parametrize("plays", ["remux", "encode"])
def test_a_browser_plays_and_seeks(browser: Browser, plays: str) -> None:
    content, out = (
        film(format="matroska", seconds=28, fps=10, options={"preset": "ultrafast", "bf": "2"}),
        list[bytes](),
    )
    play(io.BytesIO(content), out.append, known=dataclasses.replace(probe(io.BytesIO(content)), plays=plays))  # type: ignore[arg-type]
    said, _ = watched(browser, b"".join(out), 25)
    assert right(said, 28, 25), said


@pytest.mark.parametrize("rotation", [90, 180])
def test_a_browser_turns_what_is_copied(browser: Browser, rotation: int) -> None:
    from tests.support.films import MATRICES

    # Filmed with the camera turned the other way, so that it is upright when it is shown.
    def turned(width: int, height: int, moment: float) -> Pixels:
        upright = quarters(*((height, width) if rotation == 90 else (width, height)), moment)
        return np.ascontiguousarray(np.rot90(upright, rotation // 90))

    content, out = film(matrix=MATRICES[rotation, False], picture=turned, seconds=6, fps=10), list[bytes]()
    assert play(io.BytesIO(content), out.append)["video"] == "copied"
    said, _ = watched(browser, b"".join(out), 5)
    assert (said["width"], said["height"]) == ((240, 320) if rotation == 90 else (320, 240))
    assert right(said, 6, 5), said


def test_a_browser_does_not_read_a_large_film_to_seek_in_it(browser: Browser) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (5, 480, 640, 3), np.uint8)

    def busy(width: int, height: int, moment: float) -> Pixels:
        picture = quarters(width, height, moment)
        picture[100:180] = noise[round(moment * 10) % 5][100:180]
        return picture

    options = {"preset": "ultrafast", "crf": "2", "g": "20"}
    content = film(format="matroska", width=640, height=480, seconds=58, fps=10, picture=busy, options=options)
    out: list[bytes] = []
    assert play(io.BytesIO(content), out.append)["video"] == "copied"
    made = b"".join(out)
    assert len(made) > 20_000_000
    said, starts = watched(browser, made, 54)
    assert right(said, 58, 54), said
    assert len(starts) < 20
    assert max(starts) > len(made) // 2


@pytest.mark.parametrize(("box", "kind"), [("mp4", "video/mp4"), ("webm", "video/webm")])
def test_what_is_said_to_play_as_it_is_does(browser: Browser, box: str, kind: str) -> None:
    codecs: dict[str, Any] = {"video": "libvpx-vp9", "audio": "libopus", "options": {"deadline": "realtime"}}
    content = film(format=box, seconds=6, fps=10, **(codecs if box == "webm" else {}))
    assert probe(io.BytesIO(content)).plays_in_browser
    said, _ = watched(browser, content, 4, kind)
    assert right(said, 6, 4), said
