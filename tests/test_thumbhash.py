"""ThumbHash: the same bytes as the published program gives."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from archive.media.thumbhash import thumbhash

# Made by the author's own program (the package 'thumbhash' for JavaScript, 0.1.1) from the pictures painted below.
VECTORS = [
    (1, 1, "none", "000802070000000000000000000000000000000000000000"),
    (100, 100, "none", "1ff8096f1a7077777077878877776568969748f787808707"),
    (100, 67, "none", "1ff8096d967077778177775887679788738f087877"),
    (50, 100, "none", "1ff809641a710777877765488978747f088878"),
    (100, 13, "none", "5ff811598670777772787878707f17f888"),
    (7, 100, "none", "ded70d511882707777838879837f07a788"),
    (64, 48, "some", "1f18863c8e1890877088887a49f77580a74c77975887707308"),
    (30, 90, "some", "df0786320c1780909837a9837f08887786877877648807"),
    (10, 10, "all", "00088205000000000000000000000000000000000000000000"),
]


def painted(width: int, height: int, alpha: str) -> Image.Image:
    down, across = np.mgrid[0:height, 0:width]
    covered = {"none": np.full((height, width), 255), "some": (across * 3 + down * 7) % 256, "all": 0 * down}[alpha]
    planes = [255 * across // width, (across * 2 + down * 5) % 256, 255 * down // height, covered]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


@pytest.mark.parametrize(("width", "height", "alpha", "expected"), VECTORS)
def test_hashes_are_those_of_the_published_program(width: int, height: int, alpha: str, expected: str) -> None:
    assert thumbhash(painted(width, height, alpha)).hex() == expected


def test_modes_do_not_matter() -> None:
    grey = Image.linear_gradient("L").resize((50, 40))
    assert thumbhash(grey) == thumbhash(grey.convert("RGB")) == thumbhash(grey.convert("RGBA"))


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="101 x 10"):
        thumbhash(Image.new("RGB", (101, 10)))
