"""When it was taken: which of many dates counts. See docs/metadata.md."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from archive.media.facts import Source, Taken
from archive.media.metadata.exif import Exif
from archive.media.metadata.xmp import Value, text

_DATE = re.compile(
    r"\s*(\d{4})(?:[:\-/.](\d{1,2})(?:[:\-/.](\d{1,2}))?)?"
    r"(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?\s*(?:DST)?\s*\0*$"
)
_LONGEST = 64  # no date is longer, and the pattern has no end of patience
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})$")
_EARLIEST = 1826  # the year of the oldest photograph
_LATEST = 9998  # the last year whose every moment has a date in every zone
# Clocks that were never set: the zeros of Unix, of QuickTime and of FAT, and a camera's whose battery died.
_ZERO_DAYS = {(1970, 1, 1), (1969, 12, 31), (1904, 1, 1), (1903, 12, 31)}
_ZERO_MOMENTS = {datetime(1980, 1, 1), datetime(2000, 1, 1)}  # noqa: DTZ001  # wall clocks have no zone
_MOST_OFFSET = 14 * 60
# The quarters of an hour that some zone is off, besides the full hours.
_QUARTERS = {-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825}
_SLACK = timedelta(minutes=5)

_EXIF = [
    ("Exif.Photo.DateTimeOriginal", "Exif.Photo.SubSecTimeOriginal", "Exif.Photo.OffsetTimeOriginal"),
    ("Exif.Image.DateTimeOriginal", "Exif.Photo.SubSecTimeOriginal", "Exif.Photo.OffsetTimeOriginal"),
    ("Exif.Photo.DateTimeDigitized", "Exif.Photo.SubSecTimeDigitized", "Exif.Photo.OffsetTimeDigitized"),
]
_CHANGED = ("Exif.Image.DateTime", "Exif.Photo.SubSecTime", "Exif.Photo.OffsetTime")
_XMP = ["exif:DateTimeOriginal", "photoshop:DateCreated", "exif:DateTimeDigitized", "xmp:CreateDate"]
_IPTC = [("DateCreated", "TimeCreated"), ("DigitizationDate", "DigitizationTime")]


def parse(written: str | None, source: Source, subsecond: str | None = None, offset: str | None = None) -> Taken | None:
    """Read a date as EXIF, XMP and QuickTime write it; nothing where no clock was set."""
    match = _DATE.match(written) if written and len(written) <= _LONGEST else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    fraction = (subsecond or "").strip() or fraction
    fraction = fraction[:9] if fraction and fraction.isascii() and fraction.isdigit() else None
    try:
        local = datetime(  # noqa: DTZ001  # the wall clock
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), min(int(second or 0), 59)
        )
    except ValueError:
        return None
    if not _EARLIEST <= local.year <= _LATEST or local.timetuple()[:3] in _ZERO_DAYS or local in _ZERO_MOMENTS:
        return None
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    return Taken(local.replace(microsecond=micro), source, _minutes(zone or offset), fraction)


def _minutes(zone: str | None) -> int | None:
    zone = (zone or "").strip().strip("\0")
    if zone == "Z":
        return 0
    match = _OFFSET.match(zone)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    return (-minutes if match[1] == "-" else minutes) if minutes <= _MOST_OFFSET else None


def taken(exif: Exif, xmp: dict[str, Value], iptc: dict[str, list[str]]) -> Taken | None:
    """Choose the date."""
    satellites = _of_satellites(exif) or _of_satellites_in_xmp(xmp)
    for date, subsecond, offset in _EXIF:
        if found := parse(exif.text(date), "exif", exif.text(subsecond), exif.text(offset)):
            return _placed(found, satellites)
    for name in _XMP:
        if found := parse(text(xmp.get(name)), "xmp"):
            return _placed(found, satellites)
    for date, time in _IPTC:
        if found := _of_iptc(iptc.get(date), iptc.get(time)):
            return _placed(found, satellites)
    date, subsecond, offset = _CHANGED
    # Programs write it at every change, but old telephones wrote no other.
    if exif.text("Exif.Image.Model") and (
        found := parse(exif.text(date), "exif", exif.text(subsecond), exif.text(offset))
    ):
        return _placed(found, satellites)
    return satellites


def _of_iptc(dates: list[str] | None, times: list[str] | None) -> Taken | None:
    date, time = (dates or [""])[0], (times or [""])[0]
    if not re.fullmatch(r"\d{8}", date):
        return None
    written = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    if re.match(r"\d{6}", time):
        written += f"T{time[:2]}:{time[2:4]}:{time[4:6]}{time[6:]}"
    return parse(written, "iptc") or parse(written[:10], "iptc")


def _of_satellites(exif: Exif) -> Taken | None:
    """Give the moment of the position, in UTC."""
    date, time = exif.text("Exif.GPSInfo.GPSDateStamp"), exif.fractions("Exif.GPSInfo.GPSTimeStamp")
    if date is None or len(time) != 3:  # noqa: PLR2004  # hours, minutes, seconds
        return None
    day = parse(date, "exif")
    seconds = float(time[0] * 3600 + time[1] * 60 + time[2])
    if day is None or not 0 <= seconds <= 86400:  # noqa: PLR2004  # a day
        return None
    return Taken(day.local + timedelta(seconds=int(seconds)), "exif", 0)


def _of_satellites_in_xmp(xmp: dict[str, Value]) -> Taken | None:
    written = text(xmp.get("exif:GPSTimeStamp")) or ""
    # Some write the hour without its day.
    found = parse(written, "xmp", offset="Z") if re.match(r"\d{4}\D.*:", written) else None
    return found and Taken(found.local - timedelta(minutes=found.offset or 0), "xmp", 0, found.subsecond)


def _placed(found: Taken, satellites: Taken | None) -> Taken:
    """Add the zone that the satellites' clock tells, where the file does not."""
    if found.offset is not None or satellites is None:
        return found
    difference = found.local.replace(microsecond=0) - satellites.local.replace(microsecond=0)
    minutes = round(difference / timedelta(minutes=15)) * 15
    possible = abs(minutes) <= _MOST_OFFSET and (minutes % 60 == 0 or minutes in _QUARTERS)
    if not possible or abs(difference - timedelta(minutes=minutes)) > _SLACK:
        return found
    return Taken(found.local, found.source, minutes, found.subsecond)


# Names of files

_NAMED = [
    # IMG_20240501_120304, PXL_20240501_120304123, VID-20240501-120304, Screenshot_2024-05-01-12-03-04,
    # 2024-05-01 12.03.04
    re.compile(
        r"(?<!\d)(?P<date>(?:19|20)\d{2}[-_.]?[01]\d[-_.]?[0-3]\d)"
        r"(?:[-_. T]+|_at_| at )(?P<time>[0-2]\d[-_.:h]?[0-5]\d[-_.:m]?[0-5]\d)(?P<more>\d{3})?(?!\d)"
    ),
    # IMG-20240501-WA0001
    re.compile(r"(?<!\d)(?P<date>(?:19|20)\d{2}[01]\d[0-3]\d)-WA\d{4}(?!\d)"),
]


def taken_from_name(name: str) -> Taken | None:
    """Give the date that a file's name says, as telephones and messengers write it."""
    for pattern in _NAMED:
        if match := pattern.search(name):
            parts = match.groupdict()
            date, time = re.sub(r"\D", "", parts["date"]), re.sub(r"\D", "", parts.get("time") or "000000")
            # What Pixels name PXL_ is in UTC.
            zone = "Z" if name.startswith("PXL_") else None
            written = f"{date[:4]}-{date[4:6]}-{date[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}"
            return parse(written, "name", parts.get("more"), zone)
    return None
