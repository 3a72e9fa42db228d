"""SSIMULACRA 2.1: how much a copy of a picture differs to the eye. 90 is no difference to be seen, 70 a good copy.

The metric is Jon Sneyers' (https://github.com/cloudinary/ssimulacra2). A picture is scored whole or by tiles: what
the maps of errors hold is summed over all tiles before the score is made of it, so that tiles that cover a picture give
what the whole gives, but for their edges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np

from archive.media.lossy.weights import FACTOR, POLYNOMIAL, POWER, WEIGHTS

Array = np.ndarray[Any, Any]

SCALES = 6
# A picture smaller than this has no scales to speak of.
LEAST_SIDE = 8
_STABLE = np.float32(0.0009)
_SIGMA, _RADIUS = 1.5, 5
_BIAS = 0.0037930732552754493
# From linear red, green and blue to what the three kinds of cones take in, and from their cube roots to X, Y and B - Y,
# each brought to about 0 to 1.
_CONES = np.array(
    [
        [0.30, 0.622, 0.078, _BIAS],
        [0.23, 0.692, 0.078, _BIAS],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095536, _BIAS],
    ],
    np.float32,
)
_ROOT = math.cbrt(_BIAS)
_OPPONENTS = np.array([[7.0, -7.0, 0.0, 0.42], [0.5, 0.5, 0.0, 0.01 - _ROOT], [-0.5, -0.5, 1.0, 0.55]], np.float32)


@dataclass(frozen=True, slots=True)
class _Scale:
    """A tile of the original at one scale: its channels, and what blurring made of them and of their squares."""

    channels: Array
    mean: Array
    square: Array


class Reference:
    """The original, prepared once for however many copies are compared with it."""

    def __init__(self, tiles: Sequence[Array]) -> None:
        self._tiles = [[_scale(channels) for channels in _pyramid(tile)] for tile in tiles]

    def score(self, copies: Sequence[Array]) -> float:
        """Score the same tiles of a copy: red, green and blue of eight bits."""
        scales = min(map(len, self._tiles))
        sums, counts = np.zeros((scales, 3, 2, 3)), np.zeros(scales)
        for tile, copy in zip(self._tiles, copies, strict=True):
            for number, (scale, channels) in enumerate(zip(tile[:scales], _pyramid(copy), strict=False)):
                sums[number] += _errors(scale, channels)
                counts[number] += channels.shape[0] * channels.shape[1]
        return _score(sums / counts[:, np.newaxis, np.newaxis, np.newaxis])


def score(original: Array, copy: Array) -> float:
    """Compare two whole pictures."""
    return Reference([original]).score([copy])


def _pyramid(tile: Array) -> list[Array]:
    """Give the channels of a tile at each scale; it is made smaller in linear light."""
    linear = cv2.LUT(np.ascontiguousarray(tile), _linear())
    found: list[Array] = []
    while len(found) < SCALES and min(linear.shape[:2]) >= LEAST_SIDE:
        found.append(_perceived(linear))
        linear = _half(linear)
    return found


@cache
def _linear() -> Array:
    values = np.arange(256) / 255.0
    curve = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - sRGB's
    return curve.astype(np.float32)


def _half(linear: Array) -> Array:
    down, across = (side % 2 for side in linear.shape[:2])
    if down or across:
        linear = cv2.copyMakeBorder(linear, 0, down, 0, across, cv2.BORDER_REPLICATE)
    return cv2.resize(linear, (linear.shape[1] // 2, linear.shape[0] // 2), interpolation=cv2.INTER_AREA)


def _perceived(linear: Array) -> Array:
    return cv2.transform(cv2.pow(cv2.transform(linear, _CONES), 1 / 3), _OPPONENTS)


def _scale(channels: Array) -> _Scale:
    return _Scale(channels, _blur(channels), _blur(channels * channels))


def _errors(scale: _Scale, copy: Array) -> Array:
    """Sum what the three maps of errors hold, and its fourth powers: by channel, norm and map."""
    mean, square, product = _blur(copy), _blur(copy * copy), _blur(scale.channels * copy)
    apart = scale.mean - mean
    both = scale.mean * mean
    structure = (1 - apart * apart) * (2 * (product - both) + _STABLE)
    structure /= scale.square + square - scale.mean * scale.mean - mean * mean + _STABLE
    edges = (1 + np.abs(copy - mean)) / (1 + np.abs(scale.channels - scale.mean)) - 1
    maps = (np.maximum(1 - structure, 0), np.maximum(edges, 0), np.maximum(-edges, 0))
    return np.stack([_norms(one) for one in maps], axis=-1)


def _norms(errors: Array) -> Array:
    """Give the sums of a map and of its fourth powers, a channel each; summed by rows, which keeps them exact."""
    fourth = np.square(np.square(errors))
    return np.stack([one.sum(axis=1).sum(axis=0, dtype=np.float64) for one in (errors, fourth)], axis=-1)


def _score(means: Array) -> float:
    means[:, :, 1] **= 0.25
    by_channel = np.swapaxes(means, 0, 1).ravel()  # as the weights are; a small picture takes the first of them
    distance = FACTOR * float(np.dot(np.abs(by_channel), np.asarray(WEIGHTS[: by_channel.size])))
    distance = sum(factor * distance**power for power, factor in enumerate(POLYNOMIAL, start=1))
    return 100.0 - 10.0 * distance**POWER if distance > 0 else 100.0


def _blur(channels: Array) -> Array:
    kernel = _kernel()
    return cv2.sepFilter2D(channels, -1, kernel, kernel, borderType=cv2.BORDER_CONSTANT)


@cache
def _kernel() -> Array:
    """Make the Gaussian of libjxl: three cosines within a radius (Charalampidis 2016, equations 33 to 57)."""
    omega = np.array([1, 3, 5]) * math.pi / (2 * _RADIUS)
    signs = np.array([1, -1, 1])
    tangents = signs / np.tan(omega / 2)
    squares = signs * tangents**2 / np.sin(omega)
    rho = np.exp(-0.5 * _SIGMA**2 * omega**2) / _RADIUS
    crossed = np.cross(tangents, squares)
    zeta = crossed / crossed[2]
    wanted = np.array([1, _RADIUS**2 - _SIGMA**2, zeta @ rho])
    shares = np.linalg.solve(np.array([tangents, squares, zeta]), wanted)
    places = np.arange(1 - _RADIUS, _RADIUS)
    kernel: Array = shares @ np.cos(np.outer(omega, places))
    return kernel.astype(np.float32)
