"""How the camera was set."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from archive.media.facts import Exposure
from archive.media.metadata.exif import Exif
from archive.media.metadata.positions import number
from archive.media.metadata.xmp import Value, structure, text

_PROGRAMS = {
    1: "manual",
    2: "auto",
    3: "aperture",
    4: "shutter",
    5: "creative",
    6: "action",
    7: "portrait",
    8: "landscape",
}
_METERINGS = {1: "average", 2: "center", 3: "spot", 4: "multi-spot", 5: "pattern", 6: "partial"}
# Where only the makers' notes say it; as exiv2 explains them.
_ISOS = ("Exif.CanonCs.ISOSpeed", "Exif.Nikon3.ISOSpeed", "Exif.Nikon2.ISOSpeed", "Exif.Pentax.ISO")
_LONGEST = 7 * 24 * 3600
_SHORTEST = 1e-7
_HIGHEST_ISO = 10_000_000


def exposure(exif: Exif, xmp: dict[str, Value]) -> Exposure | None:
    """Give the settings, EXIF's before XMP's."""
    time = _time(exif, xmp)
    found = Exposure(
        aperture=_aperture(exif, xmp),
        time=_written(time) if time else None,
        seconds=float(time) if time else None,
        iso=_iso(exif, xmp),
        focal_mm=_positive(exif.number("Exif.Photo.FocalLength", "Exif.Image.FocalLength"), xmp, "exif:FocalLength"),
        focal_35mm=_positive(exif.number("Exif.Photo.FocalLengthIn35mmFilm"), xmp, "exif:FocalLengthIn35mmFilm"),
        flash=_flash(exif, xmp),
        bias=_bias(exif, xmp),
        program=_PROGRAMS.get(_whole(exif, "Exif.Photo.ExposureProgram", "Exif.Image.ExposureProgram")),
        metering=_METERINGS.get(_whole(exif, "Exif.Photo.MeteringMode", "Exif.Image.MeteringMode")),
    )
    return None if found == Exposure() else found


def _whole(exif: Exif, *keys: str) -> int:
    found = exif.number(*keys)
    return int(found) if found is not None else -1


def _positive(found: float | None, xmp: dict[str, Value], name: str, most: float = 100_000) -> float | None:
    value = number(text(xmp.get(name))) if found is None else found
    return round(value, 2) if value is not None and 0 < value <= most else None


def _time(exif: Exif, xmp: dict[str, Value]) -> Fraction | None:
    for key in ("Exif.Photo.ExposureTime", "Exif.Image.ExposureTime"):
        if (parts := exif.fractions(key)) and _SHORTEST <= parts[0] <= _LONGEST:
            return parts[0]
    written = number(text(xmp.get("exif:ExposureTime")))
    if written is not None and _SHORTEST <= written <= _LONGEST:
        return Fraction(written).limit_denominator(1_000_000)
    speed = exif.number("Exif.Photo.ShutterSpeedValue", "Exif.Image.ShutterSpeedValue")
    if speed is not None and -math.log2(_LONGEST) <= speed <= -math.log2(_SHORTEST):
        return Fraction(2**-speed).limit_denominator(1_000_000)
    return None


def _written(time: Fraction) -> str:
    """Write it as cameras do: 1/250, or 2.5 from a third of a second on."""
    if 3 * time >= 1:
        return f"{float(time):.3g}" if time < 1000 else str(round(time))  # noqa: PLR2004  # three digits
    return f"1/{round(1 / time)}"


def _aperture(exif: Exif, xmp: dict[str, Value]) -> float | None:
    found = _positive(exif.number("Exif.Photo.FNumber", "Exif.Image.FNumber"), xmp, "exif:FNumber", 1000)
    if found is not None:
        return found
    value = exif.number("Exif.Photo.ApertureValue", "Exif.Image.ApertureValue")
    return round(2 ** (value / 2), 1) if value is not None and 0 < value < 20 else None  # noqa: PLR2004  # f/1024


def _iso(exif: Exif, xmp: dict[str, Value]) -> int | None:
    found = exif.number("Exif.Photo.ISOSpeedRatings", "Exif.Image.ISOSpeedRatings")
    if found is None or found == 65535:  # noqa: PLR2004  # does not fit into two bytes
        found = exif.number("Exif.Photo.RecommendedExposureIndex", "Exif.Photo.ISOSpeed") or found
    if found is None:
        found = next((value for key in _ISOS if (value := _begin(exif.printed(key)))), None)
    if found is None:
        found = number(text(xmp.get("exif:ISOSpeedRatings")) or text(xmp.get("exifEX:PhotographicSensitivity")))
    return int(found) if found is not None and 0 < found <= _HIGHEST_ISO else None


def _begin(printed: str | None) -> float | None:
    match = re.match(r"\d+", printed or "")
    return float(match[0]) if match else None


def _flash(exif: Exif, xmp: dict[str, Value]) -> bool | None:
    value = _whole(exif, "Exif.Photo.Flash", "Exif.Image.Flash")
    if value >= 0:
        return bool(value & 1)
    fired = (text(structure(xmp.get("exif:Flash")).get("exif:Fired")) or "").casefold()
    return {"true": True, "false": False}.get(fired)


def _bias(exif: Exif, xmp: dict[str, Value]) -> float | None:
    found = exif.number("Exif.Photo.ExposureBiasValue", "Exif.Image.ExposureBiasValue")
    if found is None:
        found = number(text(xmp.get("exif:ExposureBiasValue")))
    return round(found, 2) if found is not None and abs(found) <= 20 else None  # noqa: PLR2004  # stops
