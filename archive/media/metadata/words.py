"""What people wrote: title, description, keywords, rating, who made it and whose it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive.media.metadata.exif import Exif
from archive.media.metadata.positions import number
from archive.media.metadata.texts import clean, first
from archive.media.metadata.xmp import Value, structures, text, texts

_MOST_KEYWORDS = 1000
_LONGEST_KEYWORD = 500
# What cameras write into a description that nobody gave.
_JUNK = re.compile(
    r"(?:olympus|sony|minolta|konica|samsung|kodak|lumix|default|digital|camera|dsc|dcf 1\.0|user comments?|"
    r"exif[_ -]?jpeg[_ -]?\w*|untitled|cof|hdr\w*|ptr|sdr|jpeg|mde|rhdr|dav|vhdr|oznor\w*|cof_\w*|dig)"
    r"(?:[\s_-]*+(?:digital|camera|dsc|picture|photo|\d++))*+\W*+$",
    re.IGNORECASE,
)
_PERCENT = [(1, 0), (13, 1), (38, 2), (63, 3), (88, 4)]


@dataclass(frozen=True, slots=True)
class Words:
    """All of it."""

    title: str | None
    description: str | None
    keywords: tuple[str, ...]
    rating: int | None
    creator: str | None
    copyright: str | None


def words(exif: Exif, xmp: dict[str, Value], iptc: dict[str, list[str]]) -> Words:
    """Choose: XMP's before IPTC's before EXIF's."""
    described = (
        text(xmp.get("dc:description")),
        _one(iptc, "Caption"),
        exif.text("Exif.Image.ImageDescription"),
        exif.wide("Exif.Image.XPComment"),
    )
    return Words(
        title=first(text(xmp.get("dc:title")), _one(iptc, "ObjectName"), exif.wide("Exif.Image.XPTitle")),
        description=first(*(one for one in described if not _JUNK.match(one or ""))),
        keywords=_keywords(exif, xmp, iptc),
        rating=_rating(exif, xmp),
        creator=first(
            ", ".join(texts(xmp.get("dc:creator"))),
            ", ".join(iptc.get("Byline", [])),
            exif.text("Exif.Image.Artist"),
            exif.wide("Exif.Image.XPAuthor"),
        ),
        copyright=first(text(xmp.get("dc:rights")), _one(iptc, "Copyright"), exif.text("Exif.Image.Copyright")),
    )


def _one(iptc: dict[str, list[str]], name: str) -> str | None:
    return first(*iptc.get(name, []))


def _keywords(exif: Exif, xmp: dict[str, Value], iptc: dict[str, list[str]]) -> tuple[str, ...]:
    """Give all keywords once: ``a/b`` for b below a, and no b of its own beside it."""
    nested = [_path(one, "|") for one in texts(xmp.get("lr:hierarchicalSubject"))]
    nested += [_path(one, "/") for one in texts(xmp.get("digiKam:TagsList"))]
    nested += [_path(one, "/") for one in texts(xmp.get("MicrosoftPhoto:LastKeywordXMP"))]
    flat = texts(xmp.get("dc:subject")) or iptc.get("Keywords", [])
    flat = flat or (exif.wide("Exif.Image.XPKeywords") or "").split(";")
    within = {part.casefold() for path in nested for part in path.split("/")}
    whole = {path.casefold().rpartition("/")[0] for path in nested}
    found: dict[str, str] = {}
    for one in nested:
        if one.casefold() not in whole:
            found.setdefault(one.casefold(), one)
    for one in flat:
        keyword = _path(one, "|")
        if keyword.casefold() not in within and keyword.rpartition("/")[2].casefold() not in within:
            found.setdefault(keyword.casefold(), keyword)
    kept = [one for key, one in found.items() if key and len(one) <= _LONGEST_KEYWORD]
    return tuple(kept[:_MOST_KEYWORDS])


def _path(written: str, divider: str) -> str:
    return "/".join(part for one in (clean(written) or "").split(divider) if (part := one.strip()))


def _rating(exif: Exif, xmp: dict[str, Value]) -> int | None:
    """Give -1 (rejected) to 5; 0 is no opinion, and said only if somebody said it."""
    found = number(text(xmp.get("xmp:Rating")))
    if found is None:
        found = exif.number("Exif.Image.Rating")
    if found is not None:
        return round(found) if -1 <= found <= 5 else None  # noqa: PLR2004  # stars
    percent = number(text(xmp.get("MicrosoftPhoto:Rating")))
    if percent is None:
        percent = exif.number("Exif.Image.RatingPercent")
    if percent is None or not 0 <= percent <= 100:  # noqa: PLR2004  # percent
        return None
    return next((stars for least, stars in _PERCENT if percent < least), 5)


def google_items(xmp: dict[str, Value]) -> list[dict[str, Value]]:
    """Give the items of Google's container, each without its wrapping."""
    items = structures(xmp.get("Container:Directory"))
    inner = [one.get("Container:Item", one) for one in items]
    return [one for one in inner if isinstance(one, dict)]
