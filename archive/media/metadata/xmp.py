"""XMP: RDF in XML, read into plain texts, lists and structures.

Read by expat and not by exiv2, whose time grows with the square of the number of properties and which leaves
extended packets alone. A document type, and with it every entity, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.parsers import expat  # without document types there are no entities to expand

from archive.media.metadata.packets import XMP_BYTES
from archive.media.records import storable

# A structure's keys hold a colon, the languages of an alternative do not.
Value: TypeAlias = "str | list[Value] | dict[str, Value]"

_ELEMENTS = 50_000
_DEEPEST = 64
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML = "http://www.w3.org/XML/1998/namespace"
_START = re.compile(r"<\?xpacket|<\?xml|<[A-Za-z_]")
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.2/": "MP",
    "http://ns.microsoft.com/photo/1.2/t/RegionInfo#": "MPRI",
    "http://ns.microsoft.com/photo/1.2/t/Region#": "MPReg",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://www.metadataworkinggroup.com/schemas/keywords/": "mwg-kw",
    "http://ns.adobe.com/xmp/sType/Area#": "stArea",
    "http://ns.adobe.com/xap/1.0/sType/Dimensions#": "stDim",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://ns.google.com/photos/1.0/container/": "Container",
    "http://ns.google.com/photos/1.0/container/item/": "Item",
    "http://ns.acdsee.com/iptc/1.0/": "acdsee",
}
_NAMESPACES = {prefix: uri for uri, prefix in _PREFIXES.items()}
# What editors write by the megabyte and nobody reads.
_BULKY = {"photoshop:DocumentAncestors", "xmpMM:History", "xmpMM:Ingredients", "xmpMM:Pantry", "xmp:Thumbnails"}


def namespace(prefix: str) -> str:
    """Give the namespace that a prefix stands for here."""
    return _NAMESPACES[prefix]


def parse(packet: bytes) -> dict[str, Value]:
    """Read a packet's properties; of a broken one those that stand before the break."""
    if len(packet) > XMP_BYTES:
        return {}
    text = _text(packet)
    start = _START.search(text)
    tree = _Tree()
    if start is not None:
        tree.feed(text[start.start() :])
    found: dict[str, Value] = {}
    for description in _descriptions(tree.root):
        for name, value in _properties(description):
            found.setdefault(name, value)
    return found


def _text(packet: bytes) -> str:
    for mark, encoding in (
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
        (b"<\0", "utf-16le"),
        (b"\0<", "utf-16be"),
    ):
        if packet.startswith(mark):
            return packet.decode(encoding, "replace")
    return packet.decode("utf-8", "replace")


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    children: list[_Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    closed: bool = False


class _Stop(Exception):  # not an error: enough was read
    pass


class _Tree:
    """Elements as expat tells them, as many as are allowed."""

    def __init__(self) -> None:
        self.root = _Element("", {})
        self._open = [self.root]
        self._count = 0
        self._skipped = 0
        self._prefixes = dict(_PREFIXES)

    def feed(self, text: str) -> None:
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(text.encode("utf-8", "replace"), True)
        except (expat.ExpatError, _Stop, ValueError):
            return  # what was read before stays

    def _refuse(self, *_: object) -> None:
        raise _Stop

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if uri and len(self._prefixes) < 1000:  # noqa: PLR2004  # no packet has as many
            self._prefixes.setdefault(uri, prefix or "ns")

    def _name(self, name: str) -> str:
        uri, _, local = name.rpartition(" ")
        if uri == _RDF:
            return "rdf " + local
        if uri == _XML:
            return "xml " + local
        # Old packets write attributes of RDF without their namespace.
        return f"{self._prefixes.get(uri, 'ns')}:{local}" if uri else "rdf " + local

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        short = self._name(name)
        if self._skipped or short in _BULKY:
            self._skipped += 1
            return
        self._count += 1
        if self._count > _ELEMENTS or len(self._open) > _DEEPEST:
            raise _Stop
        element = _Element(short, {self._name(key): value for key, value in attributes.items()})
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        self._open.pop().closed = True

    def _characters(self, text: str) -> None:
        if not self._skipped:
            self._open[-1].text.append(text)


def _descriptions(element: _Element) -> Iterator[_Element]:
    """Give the outermost descriptions: where x:xmpmeta or rdf:RDF is missing, too."""
    for child in element.children:
        if child.name == "rdf Description":
            yield child
        else:
            yield from _descriptions(child)


def _properties(element: _Element) -> Iterator[tuple[str, Value]]:
    for name, value in element.attributes.items():
        if ":" in name:
            yield name, storable(value)
    for child in element.children:
        said = _value(child) if ":" in child.name else None
        if said is not None:
            yield child.name, said


def _value(element: _Element) -> Value | None:
    for child in element.children:
        if child.name in ("rdf Bag", "rdf Seq", "rdf Alt"):
            return _items(child)
        if child.name == "rdf Description":
            return _structure(child)
        if child.name == "rdf value":
            return _value(child)
    if element.children or any(":" in name for name in element.attributes):
        return _structure(element)
    if "rdf resource" in element.attributes:
        return storable(element.attributes["rdf resource"])
    return storable("".join(element.text)) if element.closed else None


def _structure(element: _Element) -> Value | None:
    for child in element.children:
        if child.name == "rdf value":  # the rest are its qualifiers
            return _value(child)
    return dict(_properties(element))


def _items(array: _Element) -> Value:
    members = [item for item in array.children if item.name == "rdf li"]
    values = [(item.attributes.get("xml lang"), _value(item)) for item in members]
    if array.name == "rdf Alt" and any(language for language, _ in values):
        return {(language or "x-default").replace(":", ""): value for language, value in values if value is not None}
    return [value for _, value in values if value is not None]


# What callers ask for


def text(value: Value | None) -> str | None:
    """Give a value as one text: of languages the default one, of a list the first that says anything."""
    if isinstance(value, dict):
        default = value.get("x-default") if ":" not in next(iter(value), ":") else None
        languages = [one for key, one in value.items() if ":" not in key]
        return text(default) or (text(languages[0]) if languages else None)
    if isinstance(value, list):
        return next((found for one in value if (found := text(one))), None)
    return value.strip() or None if value else None


def texts(value: Value | None) -> list[str]:
    """Give a value as texts."""
    if isinstance(value, list):
        return [found for one in value if (found := text(one))]
    found = text(value)
    return [found] if found else []


def structure(value: Value | None) -> dict[str, Value]:
    """Give a value as a structure, empty if it is none."""
    return value if isinstance(value, dict) else {}


def structures(value: Value | None) -> list[dict[str, Value]]:
    """Give a value's structures."""
    members = value if isinstance(value, list) else [value]
    return [one for one in members if isinstance(one, dict)]
