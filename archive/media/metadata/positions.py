"""Where it was taken; a place that cannot be is none."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from archive.media.facts import Position
from archive.media.metadata.xmp import Value, text

if TYPE_CHECKING:
    from archive.media.metadata.exif import Exif

_HIGHEST = 100_000.0  # metres: above it nobody takes photos that say so
_ACCURACY = 1_000_000.0
_LONGEST = 64  # no number is longer
_XMP = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?(?:,(\d{1,2}(?:\.\d+)?))?\s*([NSEWnsew])\s*$")
_ISO6709 = re.compile(r"\s*([+-]\d{2,6}(?:\.\d+)?)([+-]\d{3,7}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?")


def position(exif: Exif, xmp: dict[str, Value]) -> Position | None:
    """Choose the position: EXIF's before XMP's."""
    return _of_exif(exif) or _of_xmp(xmp)


def sane(
    latitude: float | None,
    longitude: float | None,
    altitude: float | None = None,
    direction: float | None = None,
    accuracy: float | None = None,
) -> Position | None:
    """Give a position that can be; 0, 0 is what receivers write that know nothing."""
    if latitude is None or longitude is None or not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or (latitude == 0 and longitude == 0):  # noqa: PLR2004  # degrees
        return None
    return Position(
        round(latitude, 7),
        round(longitude, 7),
        _within(altitude, -_HIGHEST, _HIGHEST, 2),
        _within(direction, 0, 360, 2),
        _within(accuracy, 0, _ACCURACY, 2),
    )


def _within(value: float | None, least: float, most: float, digits: int) -> float | None:
    return round(value, digits) if value is not None and least <= value <= most else None


def _of_exif(exif: Exif) -> Position | None:
    gps = "Exif.GPSInfo.GPS"
    if exif.text(gps + "Status") == "V":  # the receiver says that it is void
        return None
    altitude = exif.number(gps + "Altitude")
    if altitude is not None and exif.text(gps + "AltitudeRef") == "1":
        altitude = -altitude
    return sane(
        _degrees(exif, gps + "Latitude", "S"),
        _degrees(exif, gps + "Longitude", "W"),
        altitude,
        exif.number(gps + "ImgDirection"),
        exif.number(gps + "HPositioningError"),
    )


def _degrees(exif: Exif, key: str, negative: str) -> float | None:
    parts = exif.fractions(key)
    if not 1 <= len(parts) <= 3:  # noqa: PLR2004  # degrees, minutes, seconds
        return None
    degrees = sum(float(part) / 60.0**power for power, part in enumerate(parts))
    return -degrees if (exif.text(key + "Ref") or "").upper().startswith(negative) else degrees


def _of_xmp(xmp: dict[str, Value]) -> Position | None:
    altitude = number(text(xmp.get("exif:GPSAltitude")))
    if altitude is not None and text(xmp.get("exif:GPSAltitudeRef")) == "1":
        altitude = -altitude
    return sane(
        _xmp_degrees(text(xmp.get("exif:GPSLatitude"))),
        _xmp_degrees(text(xmp.get("exif:GPSLongitude"))),
        altitude,
        number(text(xmp.get("exif:GPSImgDirection"))),
        number(text(xmp.get("exif:GPSHPositioningError"))),
    )


def _xmp_degrees(written: str | None) -> float | None:
    match = _XMP.match(written) if written and len(written) <= _LONGEST else None
    if match is None:
        return number(written)
    degrees = sum(float(part or 0) / 60.0**power for power, part in enumerate(match.groups()[:3]))
    return -degrees if match[4] in "SWsw" else degrees


def number(written: str | None) -> float | None:
    """Read a number or a fraction, as XMP writes them."""
    above, _, below = (written if written and len(written) <= _LONGEST else "").partition("/")
    try:
        found = float(above) / (float(below) if below else 1.0)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def from_iso6709(written: str) -> Position | None:
    """Read ``+55.7558+037.6173+150/``, also with minutes and seconds in place of decimals."""
    match = _ISO6709.match(written)
    if match is None:
        return None
    altitude = float(match[3]) if match[3] else None
    return sane(_sexagesimal(match[1], 2), _sexagesimal(match[2], 3), altitude)


def _sexagesimal(written: str, wide: int) -> float:
    """Read ±DD.D, ±DDMM.M or ±DDMMSS.S; longitudes have a digit more."""
    sign, digits = (-1 if written[0] == "-" else 1), written[1:]
    whole = digits.partition(".")[0]
    degrees = float(digits[:wide] if len(whole) > wide else digits)
    if len(whole) > wide + 2:
        return sign * (degrees + float(digits[wide : wide + 2]) / 60 + float(digits[wide + 2 :]) / 3600)
    if len(whole) > wide:
        return sign * (degrees + float(digits[wide:]) / 60)
    return sign * degrees
