"""From many pictures to groups: what is identical, what is the same picture, and what is only similar.

Candidates come from hashes in eight orientations, from marks, and from the moments of a burst; ``compare`` decides.
What is similar never makes anything the same, whatever lies between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from ml.duplicates import hashes
from ml.duplicates.compare import NEAR, Kind, Likeness, Reason, compare
from ml.duplicates.look import Look
from ml.duplicates.pairs import pairs, pairs_between
from ml.duplicates.sharing import sharing

# Shots of a burst: so many seconds apart at most, from one camera, and so near by one of the hashes.
BURST_SECONDS = 2.0
_BURST_NEAR, _BURST_NEAR_LARGE = 20, 110
# A clock set to another zone moves by quarters of an hour.
_ZONE = 900.0
# Of a long burst not every shot is compared with every other one: they are in one group already.
_MOST_SIMILAR = 12
FILM_MS, FILM_PART = 500, 0.02


@dataclass(frozen=True, slots=True)
class Member:
    """One asset to be grouped."""

    number: int
    digest: bytes
    look: Look | None
    # When the camera took it, in seconds of any clock; and which camera. None where nothing says so.
    moment: float | None = None
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Why two members are in one group."""

    first: int
    second: int
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Group:
    """Members that belong together. Its kind is the weakest that holds it together."""

    kind: Kind
    members: tuple[int, ...]
    links: tuple[Link, ...]


@dataclass(slots=True)
class _Sets:
    """Disjoint sets."""

    above: dict[int, int] = field(default_factory=dict)

    def of(self, one: int) -> int:
        while (up := self.above.get(one, one)) != one:
            self.above[one] = self.above.get(up, up)
            one = up
        return one

    def join(self, one: int, other: int) -> None:
        one, other = self.of(one), self.of(other)
        self.above[max(one, other)] = min(one, other)


def group(
    members: Sequence[Member],
    *,
    different: frozenset[tuple[int, int]] = frozenset(),
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Group]:
    """Group members. ``different`` are pairs of numbers, the smaller first, that people said are none."""
    links = list(_identical(members))
    repeated = {link.second for link in links}
    apart = [one for one in members if one.number not in repeated]
    links += _compared(apart, different, threads, progress)
    links = [link for link in links if tuple(sorted((link.first, link.second))) not in different]
    return grouped(links)


def relate(first: Member, second: Member) -> Likeness | None:
    """Compare two members: their bytes, when they were taken, and their pixels."""
    if first.digest == second.digest:
        return Likeness(Kind.IDENTICAL, Reason.BYTES)
    if first.look is None or second.look is None:
        return None
    if two_moments(first, second) and not (first.look.film or second.look.film):
        return _two_shots(first, second)
    return compare(first.look, second.look)


def two_moments(first: Member, second: Member) -> bool:
    """Whether a camera says that these are two shots, however alike they are."""
    if first.moment is None or second.moment is None or first.camera != second.camera:
        return False
    between = abs(first.moment - second.moment)
    return between > 0 and between % _ZONE != 0


def _two_shots(first: Member, second: Member) -> Likeness | None:
    assert first.look
    assert second.look
    assert first.moment is not None
    assert second.moment is not None
    distance = hashes.distance(first.look.hashes[0], second.look.hashes[0])
    large = hashes.distance_large(first.look.large, second.look.large)
    if not (first.look.telling and second.look.telling):
        return None
    soon = abs(first.moment - second.moment) <= BURST_SECONDS
    if distance <= NEAR or (soon and (distance <= _BURST_NEAR or large <= _BURST_NEAR_LARGE)):
        return Likeness(Kind.SIMILAR, Reason.MOMENT, 0, distance, large)
    # A camera that moves changes the hashes more than what is in front of it.
    found = compare(first.look, second.look) if soon else None
    return replace(found, kind=Kind.SIMILAR, reason=Reason.MOMENT) if found else None


def _identical(members: Sequence[Member]) -> Iterator[Link]:
    first: dict[bytes, int] = {}
    for one in members:
        other = first.setdefault(one.digest, one.number)
        if other != one.number:
            yield Link(other, one.number, Likeness(Kind.IDENTICAL, Reason.BYTES))


def _compared(
    members: list[Member],
    different: frozenset[tuple[int, int]],
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Link]:
    candidates = sorted(candidate_pairs(members, threads=threads).items(), key=lambda one: (one[1], one[0]))
    similar: dict[int, int] = defaultdict(int)
    same, akin = _Sets(), _Sets()
    for done, ((one, other), _) in enumerate(candidates, 1):
        if progress:
            progress(done, len(candidates))
        first, second = members[one], members[other]
        often = min(similar[one], similar[other]) >= _MOST_SIMILAR
        known = same.of(one) == same.of(other) or (often and akin.of(one) == akin.of(other))
        if known or tuple(sorted((first.number, second.number))) in different:
            continue
        if found := relate(first, second):
            akin.join(one, other)
            if found.kind is Kind.SIMILAR:
                similar[one] += 1
                similar[other] += 1
            else:
                same.join(one, other)
            yield Link(first.number, second.number, found)


def candidate_pairs(members: Sequence[Member], *, threads: int = 1) -> dict[tuple[int, int], int]:
    """Give places of pairs that are worth comparing, and how far apart their hashes are; what only marks say is far."""
    rows = [place for place, one in enumerate(members) if one.look and one.look.telling and not one.look.film]
    looks = [look for place in rows if (look := members[place].look)]
    found: dict[tuple[int, int], int] = {}

    def add(first: int, second: int, distance: int) -> None:
        key = (min(rows[first], rows[second]), max(rows[first], rows[second]))
        if key[0] != key[1]:
            found[key] = min(distance, found.get(key, distance))

    turned = np.array([look.hashes for look in looks], np.uint64).reshape(-1, hashes.ORIENTATIONS)
    upright = np.ascontiguousarray(turned[:, 0])
    for orientation in range(hashes.ORIENTATIONS):
        other = np.ascontiguousarray(turned[:, orientation])
        joined = pairs(upright, threads=threads) if not orientation else pairs_between(other, upright, threads=threads)
        for firsts, seconds, distances in joined:
            for first, second, distance in zip(firsts.tolist(), seconds.tolist(), distances.tolist(), strict=True):
                add(first, second, distance)
    for first, second in zip(*(part.tolist() for part in sharing([look.marks for look in looks])), strict=True):
        add(first, second, NEAR + 1)
    for first, second in (*_in_a_row(members), *_films(members)):
        key = (min(first, second), max(first, second))
        found.setdefault(key, NEAR + 1)
    return found


def bursts(members: Sequence[Member], alike: Callable[[Member, Member], Link | None]) -> list[list[int]]:
    """Give places of shots in a row that are alike, a list a burst."""
    sets = _Sets()
    for one, other in _in_a_row(members):
        if alike(members[one], members[other]):
            sets.join(one, other)
    found: dict[int, list[int]] = defaultdict(list)
    for place in sorted({*sets.above, *sets.above.values()}):
        found[sets.of(place)].append(place)
    return list(found.values())


def _in_a_row(members: Sequence[Member]) -> Iterator[tuple[int, int]]:
    """Give each shot with the next of the same camera, if that came soon."""
    timed = sorted(
        (one.camera or "", one.moment, place)
        for place, one in enumerate(members)
        if one.moment is not None and one.look and not one.look.film
    )
    for (camera, moment, place), (next_camera, next_moment, next_place) in pairwise(timed):
        if camera == next_camera and next_moment - moment <= BURST_SECONDS:
            yield place, next_place


def _films(members: Sequence[Member]) -> Iterator[tuple[int, int]]:
    """Give films that are about as long as each other."""
    films = sorted(
        (one.look.duration_ms or 0, place) for place, one in enumerate(members) if one.look and one.look.film
    )
    for number, (length, place) in enumerate(films):
        for other, other_place in films[number + 1 :]:
            if other - length > max(FILM_MS, FILM_PART * other):
                break
            yield place, other_place


def grouped(links: Sequence[Link]) -> list[Group]:
    """Put together what links hold together; what is only similar makes groups of its own."""
    same, akin = _Sets(), _Sets()
    for link in links:
        akin.join(link.first, link.second)
        if link.likeness.kind is not Kind.SIMILAR:
            same.join(link.first, link.second)
    strong = [link for link in links if link.likeness.kind is not Kind.SIMILAR]
    weak = [link for link in links if same.of(link.first) != same.of(link.second)]
    found = [_group(some) for some in _by_set(strong, same)]
    found += [replace(_group(some), kind=Kind.SIMILAR) for some in _by_set(weak, akin)]
    return sorted(found, key=lambda one: (list(Kind).index(one.kind), one.members))


def _by_set(links: list[Link], sets: _Sets) -> list[list[Link]]:
    found: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        found[sets.of(link.first)].append(link)
    return list(found.values())


def _group(links: list[Link]) -> Group:
    members = sorted({number for link in links for number in (link.first, link.second)})
    alike = all(link.likeness.kind is Kind.IDENTICAL for link in links)
    return Group(Kind.IDENTICAL if alike else Kind.SAME, tuple(members), tuple(links))
