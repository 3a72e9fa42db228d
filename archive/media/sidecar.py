"""XMP sidecars: laid over a file's own facts, and written for what people corrected. Reading is the child's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, quoteattr

from archive.media.facts import Facts, Person, Position, Taken
from archive.media.metadata.people import turned
from archive.media.metadata.texts import clean
from archive.media.metadata.xmp import namespace

# What a sidecar says about the picture; that it is a sidecar, and what else its editor noted, stays its own.
_LAID_OVER = (
    *("taken", "camera_make", "camera_model", "camera", "camera_serial", "lens", "exposure", "position"),
    *("rating", "title", "description", "keywords", "creator", "copyright"),
)
# Turning one way is undone by turning the other.
_BACK = {6: 8, 8: 6}
_UNITS = 10**7  # of a minute: smaller than a position is known
_USED = ("xmp", "dc", "exif", "photoshop", "lr", "Iptc4xmpExt", "mwg-rs", "stArea", "stDim")
_NO_XML = re.compile("[\ufffe\uffff]")
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# The packet's mark of its beginning, the same in every one.
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'


@dataclass(frozen=True, slots=True)
class Corrections:
    """What people say of a picture. ``None`` is what they did not touch; an empty text is one they took away.

    The orientation, width and height are the original's as stored, for faces are written by them.
    """

    title: str | None = None
    description: str | None = None
    rating: int | None = None
    keywords: tuple[str, ...] | None = None
    taken: Taken | None = None
    position: Position | None = None
    people: tuple[Person, ...] | None = None
    orientation: int = 1
    width: int | None = None
    height: int | None = None


def merge(facts: Facts, sidecar: Facts) -> Facts:
    """Lay a sidecar over a file's facts: field by field, what it says counts."""
    said = {name: value for name in _LAID_OVER if (value := getattr(sidecar, name)) not in (None, ())}
    if said.keys() & {"camera_make", "camera_model"}:
        said["camera"] = sidecar.camera
    if sidecar.people:
        said["people"] = tuple(turned(person, facts.orientation) for person in sidecar.people)
    return replace(facts, **said)


def write_sidecar(corrections: Corrections) -> bytes:
    """Write corrections as a packet of XMP."""
    parts = [
        *_words(corrections),
        *_date(corrections.taken),
        *_place(corrections.position),
        *_people(corrections),
    ]
    spaces = "".join(f"\n    xmlns:{prefix}={quoteattr(namespace(prefix))}" for prefix in _USED)
    body = "".join(f"\n   {part}" for part in parts)
    return (
        f'{_BEGIN}\n<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Tagphoto">\n <rdf:RDF xmlns:rdf="{_RDF}">\n'
        f'  <rdf:Description rdf:about=""{spaces}>{body}\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n'
        '<?xpacket end="w"?>\n'
    ).encode()


def _simple(name: str, value: str) -> str:
    return f"<{name}>{_escaped(value)}</{name}>"


def _escaped(value: str) -> str:
    # Carriage returns would be read back as line feeds, and XML has no U+FFFE and U+FFFF at all.
    return escape(_NO_XML.sub("", clean(value) or ""), {"\r": "&#13;"})


def _localized(name: str, value: str) -> str:
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{_escaped(value)}</rdf:li></rdf:Alt></{name}>'


def _bag(name: str, values: list[str]) -> str:
    members = "".join(f"<rdf:li>{_escaped(value)}</rdf:li>" for value in values)
    return f"<{name}><rdf:Bag>{members}</rdf:Bag></{name}>"


def _words(corrections: Corrections) -> list[str]:
    parts = []
    if corrections.title is not None:
        parts.append(_localized("dc:title", corrections.title))
    if corrections.description is not None:
        parts.append(_localized("dc:description", corrections.description))
    if corrections.rating is not None:
        parts.append(_simple("xmp:Rating", str(corrections.rating)))
    if corrections.keywords is not None:
        leaves = dict.fromkeys(one.rpartition("/")[2] for one in corrections.keywords)
        parts.append(_bag("dc:subject", list(leaves)))
        # What is below another stands beside it once more, for those who know of that.
        if nested := [one.replace("/", "|") for one in corrections.keywords if "/" in one]:
            parts.append(_bag("lr:hierarchicalSubject", nested))
    return parts


def _date(taken: Taken | None) -> list[str]:
    if taken is None:
        return []
    written = taken.local.replace(microsecond=0).isoformat()
    if taken.subsecond or taken.local.microsecond:
        written += "." + (taken.subsecond or f"{taken.local.microsecond:06}")
    if taken.offset is not None:
        sign, minutes = "-" if taken.offset < 0 else "+", abs(taken.offset)
        written += f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    return [_simple(name, written) for name in ("exif:DateTimeOriginal", "photoshop:DateCreated")]


def _place(position: Position | None) -> list[str]:
    if position is None:
        return []
    parts = [
        _simple("exif:GPSVersionID", "2.3.0.0"),
        _simple("exif:GPSLatitude", _degrees(position.latitude, "NS")),
        _simple("exif:GPSLongitude", _degrees(position.longitude, "EW")),
    ]
    if position.altitude is not None:
        parts.append(_simple("exif:GPSAltitudeRef", "1" if position.altitude < 0 else "0"))
        parts.append(_simple("exif:GPSAltitude", f"{round(abs(position.altitude) * 100)}/100"))
    if position.direction is not None:
        parts.append(_simple("exif:GPSImgDirectionRef", "T"))
        parts.append(_simple("exif:GPSImgDirection", f"{round(position.direction * 100)}/100"))
    if position.accuracy is not None:
        parts.append(_simple("exif:GPSHPositioningError", f"{round(position.accuracy * 100)}/100"))
    return parts


def _degrees(value: float, sides: str) -> str:
    """Write degrees and decimal minutes, as XMP wants them."""
    degrees, rest = divmod(round(abs(value) * 60 * _UNITS), 60 * _UNITS)
    minutes, fraction = divmod(rest, _UNITS)
    return f"{degrees},{minutes}.{fraction:07}{sides[value < 0]}"


def _people(corrections: Corrections) -> list[str]:
    if corrections.people is None:
        return []
    stored = [
        turned(person, _BACK.get(corrections.orientation, corrections.orientation)) for person in corrections.people
    ]
    size = ""
    if corrections.width and corrections.height:
        size = (
            '<mwg-rs:AppliedToDimensions rdf:parseType="Resource">'
            f"<stDim:w>{corrections.width}</stDim:w><stDim:h>{corrections.height}</stDim:h>"
            "<stDim:unit>pixel</stDim:unit></mwg-rs:AppliedToDimensions>"
        )
    regions = "".join(_region(person) for person in stored)
    names = list(dict.fromkeys(person.name for person in stored))
    listed = f"<mwg-rs:RegionList><rdf:Bag>{regions}</rdf:Bag></mwg-rs:RegionList>"
    return [
        f'<mwg-rs:Regions rdf:parseType="Resource">{size}{listed}</mwg-rs:Regions>',
        _bag("Iptc4xmpExt:PersonInImage", names),
    ]


def _region(person: Person) -> str:
    numbers = {
        "x": person.left + person.width / 2,
        "y": person.top + person.height / 2,
        "w": person.width,
        "h": person.height,
    }
    area = "".join(_simple("stArea:" + name, f"{value:.6f}") for name, value in numbers.items())
    return (
        f'<rdf:li rdf:parseType="Resource">{_simple("mwg-rs:Name", person.name)}<mwg-rs:Type>Face</mwg-rs:Type>'
        f'<mwg-rs:Area rdf:parseType="Resource">{area}<stArea:unit>normalized</stArea:unit></mwg-rs:Area></rdf:li>'
    )
