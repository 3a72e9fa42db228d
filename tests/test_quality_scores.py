"""Scores and verdicts: what is blurred falls, whatever else was done to it, and only what is sure is said."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageFilter

from archive.media.seeing import see
from ml.quality.pages import Sort
from ml.quality.ranking import best_of_burst, merit, percentile, percentiles
from ml.quality.scores import Scores
from ml.quality.sharpness import sharpest_tiles, sharpness, variance_of_laplacian
from ml.quality.tones import noise
from ml.quality.verdicts import Verdict, film_verdicts, verdicts
from tests.support.degrading import BLURRED, SHARP, auc
from tests.support.scenery import landscape, night_sky, page, saved

SCENES = 3


@cache
def scored(image_number: int, degradation: str = "as it is") -> Scores:
    edit = (SHARP | BLURRED)[degradation]
    return see(edit(landscape(image_number, 960, 720)), size=400_000)[1]


def said(image: Image.Image, size: int | None = None) -> tuple[Verdict, ...]:
    return verdicts(see(image, size=size or image.width * image.height // 2)[1])


def test_sharpness_tells_blurred_from_sharp_whatever_else_was_done() -> None:
    sharp = [scored(number, one).sharpness or 0.0 for number in range(SCENES) for one in SHARP]
    blurred = [scored(number, one).sharpness or 0.0 for number in range(SCENES) for one in BLURRED]
    assert auc(sharp, blurred) >= 0.99


def test_the_usual_yardstick_does_not() -> None:
    grey = np.asarray(landscape(1, 640, 480).convert("L"))
    soft = np.asarray(BLURRED["blurred, then noise"](landscape(1, 640, 480)).convert("L"))
    assert variance_of_laplacian(soft) > variance_of_laplacian(grey)
    assert (sharpness(soft) or 0) < (sharpness(grey) or 0) - 1


@pytest.mark.parametrize("degradation", SHARP)
def test_what_is_sharp_is_not_called_blurred(degradation: str) -> None:
    for number in range(SCENES):
        assert Verdict.MAYBE_BLURRED not in verdicts(scored(number, degradation)), number


@pytest.mark.parametrize("degradation", ["blurred", "blurred, then noise", "blurred at night"])
def test_what_is_surely_blurred_is_called_so(degradation: str) -> None:
    called = [Verdict.MAYBE_BLURRED in verdicts(scored(number, degradation)) for number in range(SCENES)]
    assert sum(called) >= SCENES - 1


def test_softness_at_full_size_is_told_from_blur() -> None:
    large = landscape(2, 2400, 1800)
    soft = large.filter(ImageFilter.GaussianBlur(1.6))
    steep, flat = (sharpest_tiles(np.asarray(one.convert("L"))) for one in (large, soft))
    assert steep is not None
    assert flat is not None
    assert steep > 0.4
    assert flat < 0.24
    assert Verdict.MAYBE_BLURRED not in said(soft)
    assert Verdict.SOFT in said(soft)
    assert Verdict.SOFT not in said(large)


def test_a_background_blurred_on_purpose_is_sharp_where_it_matters() -> None:
    tiles = sharpest_tiles(
        np.asarray(SHARP["sharp before a blurred background"](landscape(3, 1600, 1200)).convert("L"))
    )
    assert tiles is not None
    assert tiles > 0.3


@pytest.mark.parametrize("level", [0, 3, 128, 255])
def test_frames_with_nothing_on_them_are_empty(level: int) -> None:
    pixels = np.random.default_rng(1).normal(level, 3, (600, 800, 3)).clip(0, 255).astype(np.uint8)
    assert said(Image.fromarray(pixels)) == (Verdict.EMPTY,)
    assert said(Image.new("RGB", (800, 600), (level,) * 3)) == (Verdict.EMPTY,)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 3), (40, 30), (63, 64)])
def test_small_pictures_are_tiny_and_nothing_fails(size: tuple[int, int]) -> None:
    assert Verdict.TINY in said(landscape(1, 320, 240).resize(size))


def test_night_skies_are_neither_dark_nor_blurred() -> None:
    assert not {Verdict.VERY_DARK, Verdict.MAYBE_BLURRED, Verdict.EMPTY} & set(said(night_sky(1)))


def test_exposure() -> None:
    image = np.asarray(landscape(1, 640, 480)).astype(np.float32)
    black = Image.fromarray((image * 0.06).astype(np.uint8))
    soft = np.asarray(landscape(1, 640, 480).filter(ImageFilter.GaussianBlur(2))).astype(np.float32)
    white = Image.fromarray(np.minimum(255, soft * 0.6 + 220).astype(np.uint8))
    grey = Image.fromarray((image * 0.08 + 120).astype(np.uint8))
    assert Verdict.VERY_DARK in said(black)
    assert Verdict.VERY_LIGHT in said(white)
    assert Verdict.LOW_CONTRAST in said(grey)
    assert said(landscape(1, 640, 480)) == ()


@pytest.mark.parametrize("sigma", [4.0, 10.0, 20.0])
def test_noise_is_estimated(sigma: float) -> None:
    image = np.asarray(landscape(1, 640, 480).filter(ImageFilter.GaussianBlur(3)).convert("L")).astype(np.float32)
    noisy = image + np.random.default_rng(1).normal(0, sigma, image.shape)
    found = noise(noisy.clip(0, 255).astype(np.uint8))
    assert found == pytest.approx(sigma, rel=0.25)


def test_heavy_compression_is_seen_however_it_is_turned() -> None:
    image = landscape(2, 1001, 803)
    content = saved(image, "JPEG", quality=5)
    pressed = Image.open(io.BytesIO(content)).convert("RGB")
    for one in (
        pressed,
        pressed.transpose(Image.Transpose.ROTATE_90),
        pressed.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    ):
        assert Verdict.COMPRESSED in said(one, len(content))
    assert Verdict.COMPRESSED not in said(image)
    fine = saved(image, "JPEG", quality=85)
    assert Verdict.COMPRESSED not in said(Image.open(io.BytesIO(fine)).convert("RGB"), len(fine))


@pytest.mark.parametrize(("size", "letters", "dark", "sort"), [
    ((1240, 1754), 22, False, Sort.DOCUMENT),
    ((1170, 2532), 34, False, Sort.SCREENSHOT),
    ((1170, 2532), 34, True, Sort.SCREENSHOT),
    ((1920, 1080), 18, True, Sort.SCREENSHOT),
])  # fmt: skip
def test_pages_and_screens_are_told_apart(size: tuple[int, int], letters: int, dark: bool, sort: Sort) -> None:
    assert see(page(3, size, letters, dark=dark))[1].sort is sort


def test_photos_are_no_pages() -> None:
    assert {scored(number, one).sort for number in range(SCENES) for one in SHARP | BLURRED} == {Sort.PHOTO}


def test_a_scanned_page_is_a_document() -> None:
    pixels = np.asarray(page(5)).astype(np.float32) * 0.82 + 30
    scanned = pixels + np.random.default_rng(1).normal(0, 4, pixels.shape[:2])[..., None]
    assert see(Image.fromarray(scanned.clip(0, 255).astype(np.uint8)))[1].sort is Sort.DOCUMENT


def test_short_films() -> None:
    assert film_verdicts(700) == (Verdict.SHORT_FILM,)
    assert film_verdicts(8000) == film_verdicts(None) == film_verdicts(0) == ()


def test_percentiles() -> None:
    assert percentiles([3.0, 1.0, None, 2.0, 2.0]) == [0.875, 0.125, None, 0.5, 0.5]
    assert percentiles([]) == []
    assert percentiles([None]) == [None]
    assert percentile([1.0, 2.0, 3.0, 4.0], 3.5) == 0.75
    assert percentile([], 1.0) == 0.5


def test_the_best_of_a_burst_is_the_sharpest_that_is_well_lit() -> None:
    shots = [scored(1, "blurred"), scored(1), scored(1, "moved by 9 pixels")]
    assert best_of_burst(shots) == 1
    assert best_of_burst([]) is None
    spoilt = replace(shots[1], mean=5.0, shadows=0.9, range=60.0, lightest=70.0)
    assert Verdict.VERY_DARK in verdicts(spoilt)
    assert best_of_burst([spoilt, scored(1, "little contrast")]) == 1
    assert merit(shots[1]) > merit(shots[2]) > merit(shots[0])
