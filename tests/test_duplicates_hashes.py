"""Hashes: the bits of ImageHash, in all eight orientations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ml.duplicates import hashes
from tests.support.scenery import landscape, page

imagehash = pytest.importorskip("imagehash")
SEEDS = st.integers(0, 1 << 32)


def square(image: Image.Image, side: int = hashes.SIDE) -> hashes.Grey:
    return np.asarray(image.convert("L").resize((side, side), Image.Resampling.LANCZOS))


def random_picture(seed: int) -> Image.Image:
    """Anything at all: noise of a random size, made smooth by a random factor."""
    chance = np.random.default_rng(seed)
    width, height, factor = (int(one) for one in chance.integers((8, 8, 1), (300, 300, 9)))
    small = Image.fromarray(chance.integers(0, 256, (height // factor + 1, width // factor + 1, 3), np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def reference(image: Image.Image, size: int = 8) -> str:
    return str(imagehash.phash(image, hash_size=size))


@given(SEEDS)
@settings(max_examples=150, deadline=None)
def test_bits_are_those_of_imagehash(seed: int) -> None:
    image = random_picture(seed)
    assert f"{hashes.phash(square(image)):016x}" == reference(image)
    assert hashes.phash_large(square(image, hashes.LARGE_SIDE)).hex() == reference(image, 16)


@pytest.mark.parametrize("seed", range(6))
def test_bits_of_photos_and_pages_are_those_of_imagehash(seed: int) -> None:
    for image in (landscape(seed), page(seed, (600, 800), 14)):
        assert f"{hashes.phash(square(image)):016x}" == reference(image)
        assert hashes.phash_large(square(image, hashes.LARGE_SIDE)).hex() == reference(image, 16)


@given(SEEDS)
@settings(max_examples=80, deadline=None)
def test_orientations_are_those_of_the_turned_square(seed: int) -> None:
    grey = square(random_picture(seed))
    turned = [hashes.phash(np.ascontiguousarray(hashes.orient(grey, one))) for one in range(hashes.ORIENTATIONS)]
    assert list(hashes.phashes(grey)) == turned
    assert len(set(turned)) == hashes.ORIENTATIONS


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_the_larger_hash_turns_likewise(seed: int) -> None:
    grey = square(random_picture(seed), hashes.LARGE_SIDE)
    turned = [hashes.phash_large(np.ascontiguousarray(hashes.orient(grey, one))) for one in range(hashes.ORIENTATIONS)]
    assert list(hashes.phashes_large(grey)) == turned


@pytest.mark.parametrize("orientation", range(hashes.ORIENTATIONS))
def test_a_turned_photo_has_nearly_the_hash_that_was_foretold(orientation: int) -> None:
    for seed in range(5):
        image = landscape(seed).convert("L")
        foretold = hashes.phashes(square(image))[orientation]
        turned = Image.fromarray(np.ascontiguousarray(hashes.orient(np.asarray(image), orientation)))
        assert hashes.distance(foretold, hashes.phash(square(turned))) <= 4, "pixels are rounded another way"


def test_orientations_are_all_eight_and_the_first_is_as_it_is() -> None:
    picture = np.arange(6).reshape(2, 3)
    seen = [hashes.orient(picture, one).tolist() for one in range(hashes.ORIENTATIONS)]
    assert seen[0] == picture.tolist()
    everything = [np.rot90(side, turns).tolist() for side in (picture, picture[:, ::-1]) for turns in range(4)]
    assert sorted(map(str, seen)) == sorted(map(str, everything))


def test_distances_count_bits() -> None:
    assert hashes.distance(0b1011, 0b0110) == 3
    assert hashes.distance((1 << 64) - 1, 0) == 64
    assert hashes.distance_large(bytes(32), bytes([255]) * 32) == 256


def test_a_square_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 x 32"):
        hashes.phash(np.zeros((8, 8), np.uint8))
