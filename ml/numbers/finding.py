"""The first step, *find*: lines of text in the whole picture, then a second look where it is small or faint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.numbers.geometry import Picture, alike, bounds, size
from ml.numbers.text_lines import LineFinder, TextLine

_LONGEST, _ENLARGED = 1088, 2.0
_FAINT, _SURE = 0.22, 0.5
_SMALL = 20.0  # pixels of a line's height in the picture, below which a second look pays
_ZOOMED_TO, _MOST_ZOOM = 30.0, 4.0
_WINDOWS = 3
_ACROSS, _DOWN = 2.5, 4.0
_TILE = 640
_OVERLAPPING = 0.58


def find(finder: LineFinder, picture: Picture, *, zoom: bool = True, longest: int = _LONGEST) -> list[TextLine]:
    """Find lines of text."""
    lines = finder.find(picture, longest, _ENLARGED, _FAINT)
    found = [line for line in lines if line.score >= _SURE]
    if not zoom:
        return found
    scale = min(_ENLARGED, longest / max(picture.shape[:2]))
    for window in _windows(lines, picture.shape[1], picture.shape[0], scale):
        found = _merged(found, _looked(finder, picture, window))
    return found


def find_in_tiles(finder: LineFinder, picture: Picture, longest: int = _LONGEST) -> list[TextLine]:
    """Look for small numbers everywhere, in tiles that overlap, enlarged. Dear: only where nothing was found."""
    height, width = picture.shape[:2]
    lines: list[TextLine] = []
    for top, bottom in _halves(height, width / 1.4):
        for left, right in _halves(width, height / 1.4):
            zoom = min(longest / max(bottom - top, right - left), _MOST_ZOOM)
            lines = _merged(lines, _looked(finder, picture, (left, top, right, bottom, zoom), longest))
    return lines


def _halves(length: int, enough: float) -> list[tuple[int, int]]:
    """Give two overlapping halves of a side, or the side where it is short beside the other."""
    if length < enough:
        return [(0, length)]
    reach = round(length * _OVERLAPPING)
    return [(0, reach), (length - reach, length)]


_Window = tuple[int, int, int, int, float]


def _windows(lines: Sequence[TextLine], width: int, height: int, scale: float) -> list[_Window]:
    """Choose where to look again: around small and faint lines of a number's shape, the most promising first."""
    windows: list[_Window] = []
    for line in sorted(lines, key=lambda line: -line.score):
        wide, tall = size(line.corners)
        seen = tall * scale
        if (seen >= _SMALL and line.score >= _SURE) or not 0.8 <= wide / max(tall, 1) <= 8:
            continue
        left, top, right, bottom = bounds(line.corners)
        if any(w[0] <= left and w[1] <= top and w[2] >= right and w[3] >= bottom for w in windows):
            continue
        zoom = float(np.clip(_ZOOMED_TO / max(tall, 1), 1.0, _MOST_ZOOM))
        windows.append(
            (
                max(round(left - _ACROSS * wide), 0),
                max(round(top - _DOWN * tall), 0),
                min(round(right + _ACROSS * wide), width),
                min(round(bottom + _DOWN * tall), height),
                zoom,
            )
        )
        if len(windows) == _WINDOWS:
            break
    return windows


def _looked(finder: LineFinder, picture: Picture, window: _Window, most: int = _TILE) -> list[TextLine]:
    left, top, right, bottom, zoom = window
    part = picture[top:bottom, left:right]
    longest = min(round(max(part.shape[:2]) * zoom), most)
    shift = np.array([left, top], np.float32)
    lines = finder.find(part, longest, zoom, _SURE)
    return [TextLine(np.asarray(line.corners + shift, np.float32), line.score) for line in lines]


def _merged(found: list[TextLine], closer: Sequence[TextLine]) -> list[TextLine]:
    """Add what the closer look sees anew or otherwise; what both see alike is taken from the closer one."""
    kept = [line for line in found if not any(alike(line.corners, other.corners) for other in closer)]
    return kept + list(closer)
