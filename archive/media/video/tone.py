"""From HDR (HLG and PQ) to what an ordinary screen shows: a table of colours, for this FFmpeg lacks the filter.

Light is computed in nits on a screen of 1000, as phones grade. What is below about 90 nits stays as it is; above, the
roll-off of ITU-R BT.2390 brings 1000 down to 203, the white of printed paper in HDR (BT.2408), which becomes white.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Hdr = Literal["hlg", "pq"]
_Floats = NDArray[np.float64]
_TRANSFERS: dict[int, Hdr] = {16: "pq", 18: "hlg"}  # numbers of ITU-T H.273
LEVEL = 8  # of the Hald picture: 64 steps a colour, and a side of 512
_PEAK, _WHITE = 1000.0, 203.0
_2020_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
_2020_LUMA = np.array([0.2627, 0.6780, 0.0593])


def hdr_of(transfer: int) -> Hdr | None:
    """Name the HDR transfer of a stream, by its number."""
    return _TRANSFERS.get(transfer)


@cache
def hald(hdr: Hdr) -> NDArray[np.uint16]:
    """Give the table as the picture that FFmpeg's ``haldclut`` reads: red runs fastest, blue slowest."""
    side, steps = LEVEL**3, LEVEL**2
    scale = np.linspace(0.0, 1.0, steps)
    blue, green, red = np.meshgrid(scale, scale, scale, indexing="ij")
    colours = to_srgb(np.stack([red, green, blue], axis=-1), hdr)
    return np.round(colours * 65535).astype(np.uint16).reshape(side, side, 3)


def to_srgb(signal: _Floats, hdr: Hdr) -> _Floats:
    """Turn HDR colours, 0 to 1 in BT.2020, into sRGB ones."""
    nits = _pq_to_nits(signal) if hdr == "pq" else _hlg_to_nits(signal)
    brightest = np.maximum(nits.max(axis=-1, keepdims=True), 1e-6)
    # The roll-off is that of the brightest colour for all three, or bright colours would change their hue.
    shown = nits * (_roll_off(brightest) / brightest) / _WHITE
    linear = np.clip(shown @ _2020_TO_709.T, 0.0, 1.0)
    low, high = linear * 12.92, 1.055 * np.power(linear, 1 / 2.4) - 0.055
    srgb: _Floats = np.where(linear <= 0.0031308, low, high)  # noqa: PLR2004 - sRGB's own number
    return srgb


def _pq_to_nits(signal: _Floats) -> _Floats:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.power(signal, 1 / m2)
    return 10_000 * np.power(np.maximum(power - c1, 0.0) / (c2 - c3 * power), 1 / m1)


def _nits_to_pq(nits: _Floats) -> _Floats:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.power(nits / 10_000, m1)
    return np.power((c1 + c2 * power) / (1 + c3 * power), m2)


def _hlg_to_nits(signal: _Floats) -> _Floats:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)  # noqa: PLR2004
    luma = np.maximum(scene @ _2020_LUMA, 1e-9)[..., np.newaxis]
    nits: _Floats = _PEAK * scene * np.power(luma, 0.2)  # the system's gamma of 1.2 at 1000 nits
    return nits


def _roll_off(nits: _Floats) -> _Floats:
    """Apply BT.2390's curve from the peak to white, in PQ."""
    top = float(_nits_to_pq(np.array(_PEAK)))
    most = float(_nits_to_pq(np.array(_WHITE))) / top
    knee = 1.5 * most - 0.5
    level = np.minimum(_nits_to_pq(nits) / top, 1.0)
    t = np.maximum((level - knee) / (1 - knee), 0.0)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return _pq_to_nits(np.where(level < knee, level, bent) * top)
