"""What CTC's frames say: the probability of a text, the best text without grammar, and the best of each shape.

Frames are log probabilities, (frames, 1 + characters), with the blank first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.numbers.alphabet import BLANK, CHARACTERS, INDEX

Floats = NDArray[np.float32]
_NEVER = np.float32(-1e9)


Places = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Path:
    """The best way through the frames for a shape: which shape, its text, and the log probability of that way."""

    shape: int
    text: str
    score: float


def greedy(frames: Floats) -> str:
    """Give the best character of each frame, repetitions once and blanks not at all."""
    best = frames.argmax(axis=1)
    before = np.concatenate([[BLANK], best[:-1]])
    return "".join(CHARACTERS[place - 1] for place in best[(best != BLANK) & (best != before)])


def scores(frames: Floats, texts: Sequence[str]) -> Floats:
    """Give the log probability of each text, over all ways to align it (the forward algorithm)."""
    if not texts:
        return np.zeros(0, np.float32)
    labels, ends = _labels(texts)
    count, states = labels.shape
    skips = np.zeros((count, states), bool)
    skips[:, 2:] = (labels[:, 2:] != BLANK) & (labels[:, 2:] != labels[:, :-2])
    alpha = np.full((count, states), _NEVER)
    alpha[:, 0] = frames[0, BLANK]
    alpha[:, 1] = np.where(ends > 0, frames[0, labels[:, 1]], _NEVER)
    never = np.full((count, 2), _NEVER)
    for frame in frames[1:]:
        one = np.concatenate([never[:, :1], alpha[:, :-1]], axis=1)
        two = np.where(skips, np.concatenate([never, alpha[:, :-2]], axis=1), _NEVER)
        alpha = np.logaddexp(np.logaddexp(alpha, one), two) + frame[labels]
    rows = np.arange(count)
    last = alpha[rows, 2 * ends]
    before = np.where(ends > 0, alpha[rows, np.maximum(2 * ends - 1, 0)], _NEVER)
    total: Floats = np.logaddexp(last, before).astype(np.float32)
    return total


def _labels(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ends = np.array([len(text) for text in texts])
    labels = np.full((len(texts), 2 * max(int(ends.max()), 1) + 1), BLANK, np.int64)
    for place, text in enumerate(texts):
        labels[place, 1 : 2 * len(text) : 2] = [INDEX[character] + 1 for character in text]
    return labels, ends


class Lattice:
    """Shapes prepared for search: the sets of characters that occur at all, and which one each place of each has."""

    def __init__(self, shapes: Sequence[Places]) -> None:
        sets = list(dict.fromkeys(place for shape in shapes for place in shape))
        known = {places: number for number, places in enumerate(sets)}
        self._masks = np.full((len(sets), len(CHARACTERS)), _NEVER)
        for number, places in enumerate(sets):
            self._masks[number, [INDEX[character] for character in places]] = 0
        longest = max((len(shape) for shape in shapes), default=1)
        self._places = np.zeros((len(shapes), longest), np.int64)
        self._lengths = np.array([len(shape) for shape in shapes], np.int64)
        for row, shape in enumerate(shapes):
            self._places[row, : len(shape)] = [known[places] for places in shape]

    def best(self, frames: Floats, count: int, lengths: range | None = None) -> list[Path]:
        """Give the best way of the shapes that fit best (Viterbi), the best first; only shapes as long as asked."""
        rows = np.arange(len(self._lengths))
        if lengths is not None:
            rows = rows[(self._lengths >= lengths.start) & (self._lengths < lengths.stop)]
        if not len(rows):
            return []
        places = self._places[rows, : int(self._lengths[rows].max())]
        inside = frames[:, None, 1:] + self._masks[None]
        value, choice = inside.max(axis=2), inside.argmax(axis=2)
        ends, back = _search(frames[:, BLANK], value, choice, places, self._lengths[rows])
        order = np.argsort(-ends[0])[:count]
        return [
            Path(int(rows[row]), _traced(back[:, row], int(ends[1][row]), choice, places[row]), float(ends[0][row]))
            for row in order
            if ends[0][row] > _NEVER / 2
        ]


def _search(
    blank: Floats, value: Floats, choice: NDArray[np.int64], places: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[tuple[Floats, NDArray[np.int64]], NDArray[np.int8]]:
    """Search all shapes at once. States alternate: blank, place, blank, place, … blank.

    A place may follow another without a blank between only if the two best characters differ, or they would be one.
    """
    count, longest = places.shape
    alpha = np.full((count, 2 * longest + 1), _NEVER)
    alpha[:, 0] = blank[0]
    alpha[:, 1] = value[0][places[:, 0]]
    back = np.zeros((len(blank), count, 2 * longest + 1), np.int8)
    emitted = np.empty_like(alpha)
    for t in range(1, len(blank)):
        emitted[:, 0::2] = blank[t]
        emitted[:, 1::2] = value[t][places]
        best, step = alpha.copy(), back[t]
        nearer = alpha[:, :-1] > best[:, 1:]
        np.copyto(best[:, 1:], alpha[:, :-1], where=nearer)
        step[:, 1:][nearer] = 1
        further = alpha[:, 1:-2:2] > best[:, 3::2]
        further &= choice[t][places[:, 1:]] != choice[t - 1][places[:, :-1]]
        np.copyto(best[:, 3::2], alpha[:, 1:-2:2], where=further)
        step[:, 3::2][further] = 2
        alpha = best + emitted
    rows = np.arange(count)
    last, before = alpha[rows, 2 * lengths], alpha[rows, 2 * lengths - 1]
    states = np.where(last >= before, 2 * lengths, 2 * lengths - 1)
    return (np.maximum(last, before), states), back


def _traced(back: NDArray[np.int8], state: int, choice: NDArray[np.int64], places: NDArray[np.int64]) -> str:
    """Walk back and take, of each place, the character of the frame that is surest to be in the middle of it."""
    frames: dict[int, list[int]] = {}
    for t in range(len(back) - 1, -1, -1):
        if state % 2:
            frames.setdefault(state // 2, []).append(t)
        state -= int(back[t, state])
    text = []
    for place in range(max(frames, default=-1) + 1):
        votes = [int(choice[t, places[place]]) for t in frames.get(place, [])]
        text.append(CHARACTERS[max(set(votes), key=votes.count)] if votes else "")
    return "".join(text)
