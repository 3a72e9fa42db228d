"""The search for the coarsest setting whose copy still reaches a score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from archive.media.lossy import tiles
from archive.media.lossy.codecs import ENCODERS, decoded
from archive.media.lossy.keeping import Kept
from archive.media.lossy.ssimulacra2 import Reference
from archive.media.lossy.target import Target
from archive.media.verdict import Unsupported

Array = np.ndarray[Any, Any]
Progress = Callable[[int, int], object]
_BARE = Kept()
# What a search on tiles settles on may be a little off for the whole; so many finer settings are tried.
_CORRECTIONS = 8
_STEPS = 8


class Search:
    """One picture, one target: tiles are encoded again and again, the whole only at the end."""

    def __init__(self, pixels: Array, target: Target, progress: Progress) -> None:
        self._pixels = pixels
        self._target = target
        self._encoder = ENCODERS[target.codec]
        self._progress = progress
        self._places = tiles.places(pixels)
        self._tiles = tiles.tiles(pixels, self._places)
        self._joined = tiles.joined(self._tiles)
        self._reference = Reference(self._tiles)
        self._done = 0

    def found(self, kept: Kept) -> tuple[bytes, float, float]:
        """Give the copy, its setting and its score."""
        settings = self._encoder.settings
        first = self._coarsest()
        for place in range(first, min(first + _CORRECTIONS, len(settings))):
            content = self._encoder.write(self._pixels, settings[place], self._target.score, kept)
            score = self.score(decoded(content, self._target.codec))
            if score >= self._target.score:
                return content, settings[place], score
        raise Unsupported(f"{self._target.codec} does not reach a score of {self._target.score:g} with this picture")

    def score(self, copy: Array) -> float:
        """Score a whole copy, at the tiles."""
        return self._reference.score(tiles.tiles(copy, self._places))

    def _coarsest(self) -> int:
        """Halve the settings until one is left; a finer setting never has a much lower score."""
        low, high = 0, len(self._encoder.settings) - 1
        while low < high:
            middle = (low + high) // 2
            if self._tried(middle) >= self._target.score:
                high = middle
            else:
                low = middle + 1
        return low

    def _tried(self, place: int) -> float:
        setting = self._encoder.settings[place]
        content = self._encoder.write(self._joined, setting, self._target.score, _BARE)
        copies = tiles.parted(decoded(content, self._target.codec), self._tiles)
        self._done += 1
        self._progress(min(self._done, _STEPS - 1), _STEPS)
        return self._reference.score(copies)
