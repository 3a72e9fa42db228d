"""Finding lines of text: the detector of PP-OCR (differentiable binarisation) and what follows its map."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.numbers.geometry import Corners, Picture, overlap
from ml.numbers.sessions import Session, packaged

MODEL = "PP-OCRv6_det_small.onnx"
_STEP = 32
_INK, _SURE, _FAINT = 0.3, 0.5, 0.2
_UNCLIP = 1.6
_LEAST_SIDE = 3
_MOST = 400


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text: its corners in the picture, and how sure the detector is."""

    corners: Corners
    score: float


class LineFinder:
    """Finds lines of text, whatever they say."""

    def __init__(self, threads: int = 1) -> None:
        self._session: Session = packaged(MODEL, threads)

    def find(self, picture: Picture, longest: int = 960, enlarge: float = 1.0, faint: float = _SURE) -> list[TextLine]:
        """Find lines at the scale at which the longer side is ``longest``, or as near to it as ``enlarge`` allows."""
        height, width = picture.shape[:2]
        scale = min(longest / max(height, width), enlarge)
        wide, tall = (max(round(side * scale / _STEP), 1) * _STEP for side in (width, height))
        small = cv2.resize(picture, (wide, tall), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        # The detector was trained on blue, green, red.
        ready = (small[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        shares = self._session.run(np.ascontiguousarray(ready))[0][0, 0]
        back = (width / wide, height / tall)
        found = _lines(shares, back, _INK, _SURE)
        if faint >= _SURE:
            return found
        # With less ink asked for, neighbours flow together: what is faint is added to what is sure, never instead.
        more = (line for line in _lines(shares, back, _INK * faint / _SURE, faint) if line.score < _SURE)
        return found + [line for line in more if not any(overlap(line.corners, one.corners) > 0.3 for one in found)]


def _lines(shares: NDArray[np.float32], scale: tuple[float, float], ink: float, least: float) -> list[TextLine]:
    mask = cv2.dilate((shares > ink).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours[:_MOST]:
        middle, sides, angle = cv2.minAreaRect(contour)
        if min(sides) < _LEAST_SIDE:
            continue
        score = _score(shares, np.asarray(cv2.boxPoints((middle, sides, angle)), np.float32))
        if score < least:
            continue
        # The map shows a shrunken core of each line; the line itself is larger by its area over its girth.
        out = 2 * sides[0] * sides[1] * _UNCLIP / (2 * (sides[0] + sides[1]))
        corners = cv2.boxPoints((middle, (sides[0] + out, sides[1] + out), angle))
        found.append(TextLine(_clockwise(np.asarray(corners, np.float32)) * np.array(scale, np.float32), score))
    return found


def _score(shares: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    part = shares[top : bottom + 1, left : right + 1]
    mask = np.zeros(part.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners - [left, top]).astype(np.int32), 1)
    return float(cv2.mean(part, mask)[0])


def _clockwise(corners: Corners) -> Corners:
    """Begin at the upper left: the two leftmost corners are the left side."""
    ordered = corners[np.argsort(corners[:, 0])]
    left, right = ordered[:2], ordered[2:]
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)
