"""Each pair of pictures comes into the right class: the same, similar, or nothing to do with each other."""

from __future__ import annotations

import io
import random
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from archive.media.seeing import see
from ml.duplicates.compare import Kind, Likeness, Reason, compare
from ml.duplicates.grouping import Group, Link, Member, bursts, candidate_pairs, group, relate
from ml.duplicates.hashes import orient
from ml.duplicates.look import Look, pack, unpack
from tests.support import scenery
from tests.support.scenery import EDITS, landscape, night_sky, page

SCENES = 4


@cache
def scene(number: int) -> Look:
    return see(landscape(number))[0]


def members(looks: list[Look], **moments: list[float]) -> list[Member]:
    times = moments.get("moments")
    return [
        Member(number, bytes([number >> 8, number & 255]), one, times[number] if times else None, "camera")
        for number, one in enumerate(looks)
    ]


def compared(one: Image.Image, other: Image.Image) -> Likeness | None:
    """Compare, both ways round; which comes first makes no difference to the class."""
    first, second = see(one)[0], see(other)[0]
    found, back = compare(first, second), compare(second, first)
    assert (found and found.kind) == (back and back.kind)
    return found


def kinds(groups: list[Group]) -> list[tuple[Kind, tuple[int, ...]]]:
    return [(one.kind, one.members) for one in groups]


# What people do to photos


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_photo_is_the_same_picture(edit: str) -> None:
    for number in range(SCENES):
        changed = see(EDITS[edit](landscape(number), random.Random(number)))[0]
        found = compare(scene(number), changed)
        assert found is not None, number
        assert found.kind is Kind.SAME, (number, found)
        assert found.reason is (Reason.PART if edit in ("with a border", "cropped by 25 %") else Reason.PIXELS), number


def test_edits_are_candidates_by_hash_or_marks() -> None:
    looks = [scene(0)] + [see(edit(landscape(0), random.Random(3)))[0] for edit in EDITS.values()]
    found = candidate_pairs(members(looks))
    assert {other for one, other in found if one == 0} == set(range(1, len(looks)))


def test_different_photos_are_nothing_to_each_other() -> None:
    looks = [see(landscape(number, 320, 240))[0] for number in range(20)]
    assert [pair for pair in combinations(looks, 2) if compare(*pair)] == []
    assert group(members(looks)) == []


def test_a_crop_says_who_is_the_part_and_a_border_who_has_it() -> None:
    whole = landscape(3)
    crop = compared(whole, whole.crop((60, 40, 560, 420)))
    assert crop
    assert crop.first_shown is not None
    assert crop.second_shown is not None
    assert crop.first_shown < 0.75
    assert crop.second_shown > 0.97
    assert crop.border == 0
    bordered = compared(whole, EDITS["with a border"](whole, random.Random(1)))
    assert bordered
    assert bordered.border == 2


@pytest.mark.parametrize("orientation", range(8))
def test_it_says_how_the_other_is_turned(orientation: int) -> None:
    pixels = np.asarray(landscape(2).convert("L"))
    turned = Image.fromarray(np.ascontiguousarray(orient(pixels, orientation)))
    found = compared(Image.fromarray(pixels), turned)
    assert found
    assert (found.kind, found.orientation) == (Kind.SAME, orientation)
    assert found.distance is not None
    assert found.distance <= 4


def test_half_of_a_picture_is_not_the_picture() -> None:
    whole = landscape(5)
    found = compared(whole, whole.crop((0, 0, 320, 240)))
    assert found is None or found.kind is not Kind.SAME


# What is no photo


@pytest.mark.parametrize("colour", ["black", "white", "#5580a0"])
def test_pictures_of_one_colour_are_the_same_only_by_their_bytes(colour: str) -> None:
    one, other = Image.new("RGB", (640, 480), colour), Image.new("RGB", (800, 600), colour)
    assert not see(one)[0].telling
    assert compared(one, other) is None
    assert compared(one, Image.new("RGB", (640, 480), "red")) is None
    same = [Member(number, b"equal", see(one)[0]) for number in range(3)]
    assert kinds(group(same)) == [(Kind.IDENTICAL, (0, 1, 2))]


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (2, 3), (15, 15)])
def test_pictures_of_a_few_pixels_are_the_same_only_by_their_bytes(size: tuple[int, int]) -> None:
    tiny = landscape(1).resize(size)
    assert compared(tiny, tiny) is None
    assert compared(tiny, landscape(1)) is None


@pytest.mark.parametrize(("size", "letters"), [((1240, 1754), 22), ((2480, 3508), 40)])
def test_pages_that_differ_by_a_word_are_similar(size: tuple[int, int], letters: int) -> None:
    first = page(1, size, letters)
    for word in (5, 130):
        found = compared(first, page(1, size, letters, word=word))
        assert found
        assert (found.kind, found.reason) == (Kind.SIMILAR, Reason.WRITING), word
        assert found.ink is not None
        assert found.ink > 10


def test_a_page_saved_again_is_the_same() -> None:
    first = page(1)
    again = Image.open(io.BytesIO(scenery.saved(first, quality=60)))
    for other in (
        again,
        first.resize((930, 1316), Image.Resampling.LANCZOS),
        first.transpose(Image.Transpose.ROTATE_90),
    ):
        found = compared(first, other)
        assert found
        assert (found.kind, found.reason) == (Kind.SAME, Reason.PIXELS)


def test_pages_with_other_words_are_never_the_same() -> None:
    looks = [see(page(seed, (620, 877), 14))[0] for seed in range(8)]
    assert all(one.page for one in looks)
    for pair in combinations(looks, 2):
        found = compare(*pair)
        assert found is None or found.kind is Kind.SIMILAR


@pytest.mark.parametrize("dark", [False, True])
def test_screens_that_differ_by_a_line_are_similar(dark: bool) -> None:
    size = (1170, 2532)
    first = page(4, size, 34, dark=dark)
    second = first.copy()
    ground = first.getpixel((0, 0))
    ImageDraw.Draw(second).rectangle((0, 1200, 1170, 1245), fill=ground)
    assert see(first)[0].page
    found = compared(first, second)
    assert found
    assert (found.kind, found.reason) == (Kind.SIMILAR, Reason.WRITING)


def test_night_skies_are_not_each_other() -> None:
    looks = [see(night_sky(seed))[0] for seed in range(8)]
    assert [pair for pair in combinations(looks, 2) if compare(*pair)] == []


def test_a_night_sky_is_itself_when_saved_again_or_nothing_at_all() -> None:
    sky = night_sky(3)
    found = compared(sky, Image.open(io.BytesIO(scenery.saved(sky, quality=85))))
    assert found is None or found.kind is Kind.SAME


def test_panoramas() -> None:
    wide = landscape(9, 2400, 400)
    assert (found := compared(wide, wide.resize((1200, 200), Image.Resampling.LANCZOS)))
    assert found.kind is Kind.SAME
    assert (found := compared(wide, wide.transpose(Image.Transpose.ROTATE_90)))
    assert found.kind is Kind.SAME
    assert compared(wide, landscape(10, 2400, 400)) is None
    half = compared(wide, wide.crop((0, 0, 1000, 400)))
    assert half is None or half.kind is not Kind.SAME


def test_animations_are_at_most_similar_to_what_begins_alike() -> None:
    image = landscape(4)
    still, moving = see(image)[0], see(image, frames=12)[0]
    for pair in ((still, moving), (moving, moving)):
        found = compare(*pair)
        assert found
        assert (found.kind, found.reason) == (Kind.SIMILAR, Reason.ANIMATION)


def test_transparent_pictures_are_compared_as_they_look() -> None:
    logo = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    ImageDraw.Draw(logo).text((30, 60), "Logo & Co", fill=(10, 10, 10, 255), font_size=70)
    onto_white = Image.new("RGB", logo.size, "white")
    onto_white.paste(logo, mask=logo.getchannel("A"))
    assert see(logo)[0].hashes == see(onto_white)[0].hashes
    # What cannot be seen may hold anything.
    pixels = np.array(logo)
    pixels[pixels[..., 3] == 0, :3] = 200
    assert see(Image.fromarray(pixels))[0].hashes == see(logo)[0].hashes
    light = Image.new("RGBA", (400, 300), (255, 255, 255, 0))
    ImageDraw.Draw(light).text((30, 60), "Logo & Co", fill=(255, 255, 255, 255), font_size=70)
    assert see(light)[0].telling, "white on nothing is laid on black"


# Shots


def test_a_burst_is_similar_by_its_moments_and_not_compared_pixel_by_pixel() -> None:
    # Fifty shots ten times over, as a camera on a tripod sees them.
    looks = 10 * [see(one)[0] for one in scenery.burst(50)]
    found = group(members(looks, moments=[number * 0.1 for number in range(500)]))
    assert kinds(found) == [(Kind.SIMILAR, tuple(range(500)))]
    assert {link.likeness.reason for link in found[0].links} == {Reason.MOMENT}


def test_two_shots_are_never_the_same_and_copies_with_another_zone_are() -> None:
    first, second = members([scene(1), scene(1)], moments=[100.0, 100.5])
    found = relate(first, second)
    assert found
    assert (found.kind, found.reason) == (Kind.SIMILAR, Reason.MOMENT)
    for moment in (100.0, 100.0 + 3600, 100.0 - 2 * 3600):
        one, other = members([scene(1), scene(1)], moments=[100.0, moment])
        assert (found := relate(one, other))
        assert found.kind is Kind.SAME


def test_as_many_pixels_in_another_place_are_two_shots() -> None:
    wide = landscape(6, 700, 520)
    found = compared(wide.crop((0, 0, 640, 480)), wide.crop((40, 25, 680, 505)))
    assert found
    assert (found.kind, found.reason) == (Kind.SIMILAR, Reason.MOVED)


def test_shots_in_a_row_are_found_as_bursts() -> None:
    looks = [see(one)[0] for one in scenery.burst(6)] + [scene(2)]
    made = members(looks, moments=[0, 0.5, 1, 30, 30.5, 31, 31.5])

    def alike(first: Member, second: Member) -> Link | None:
        found = relate(first, second)
        return Link(first.number, second.number, found) if found else None

    assert bursts(made, alike) == [[0, 1, 2], [3, 4, 5]]


# Groups


def test_groups_keep_classes_apart() -> None:
    other = see(EDITS["grey"](landscape(1), random.Random(1)))[0]
    made = [
        Member(1, b"a", scene(1)), Member(2, b"a", scene(1)), Member(3, b"b", other), Member(4, b"c", scene(2)),
        Member(5, b"c", scene(2)), Member(6, b"d", scene(3)), Member(7, b"e", None), Member(8, b"e", None),
    ]  # fmt: skip
    assert kinds(group(made)) == [
        (Kind.IDENTICAL, (4, 5)),
        (Kind.IDENTICAL, (7, 8)),
        (Kind.SAME, (1, 2, 3)),
    ]


def test_what_is_said_to_be_different_stays_apart() -> None:
    other = see(EDITS["grey"](landscape(1), random.Random(1)))[0]
    made = [Member(3, b"a", scene(1)), Member(9, b"b", other)]
    assert kinds(group(made)) == [(Kind.SAME, (3, 9))]
    assert group(made, different=frozenset({(3, 9)})) == []


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    looks = [see(EDITS[edit](landscape(1), random.Random(1)))[0] for edit in ("grey", "warmer", "mirrored")]
    group(members(looks), progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


# What is kept


def test_a_look_comes_back_as_it_was() -> None:
    for seen in (scene(1), see(page(2))[0], see(landscape(1).resize((3, 2)))[0]):
        again = unpack(pack(seen))
        assert (again.hashes, again.large, again.page, again.frames) == (
            seen.hashes,
            seen.large,
            seen.page,
            seen.frames,
        )
        assert np.array_equal(again.preview, seen.preview)
        assert np.array_equal(again.marks.keys, seen.marks.keys)
        assert np.allclose(again.marks.x, seen.marks.x, atol=0.01)
        assert pack(again) == pack(seen)


def test_what_is_no_look_is_refused() -> None:
    good = pack(scene(1))
    for place in range(0, len(good), 997):
        with pytest.raises(ValueError, match=r"look|preview|mark|orientation"):
            unpack(good[:place])
    chance = random.Random(1)
    for _ in range(300):
        broken = bytearray(good)
        for _ in range(3):
            broken[chance.randrange(120)] = chance.randrange(256)
        try:
            seen = unpack(bytes(broken))
        except ValueError:
            continue
        assert seen.preview.size <= 640 * 640
