"""EXIF and the makers' notes, as exiv2 reads them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import exiv2

from archive.media.metadata.texts import clean, decoded

# Its complaints about the files of strangers would fill the log.
exiv2.LogMsg.setLevel(exiv2.LogMsg.Level.mute)

_TAGS = 5000
_VALUE_BYTES = 4096
_BLOB_BYTES = 64
_TEXT_TYPES = {int(exiv2.TypeId.asciiString), int(exiv2.TypeId.string), int(exiv2.TypeId.comment)}
_BLOB_TYPES = {int(exiv2.TypeId.undefined), int(exiv2.TypeId.unsignedByte), int(exiv2.TypeId.signedByte)}
_NUMBER_TYPES = {
    int(kind)
    for kind in (
        exiv2.TypeId.unsignedShort,
        exiv2.TypeId.unsignedLong,
        exiv2.TypeId.signedShort,
        exiv2.TypeId.signedLong,
        exiv2.TypeId.tiffIfd,
        *(exiv2.TypeId.unsignedByte, exiv2.TypeId.signedByte),
    )
}
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:/[+-]?\d{1,20})?$")
_WARM = b"II*\0\x08\0\0\0" + b"\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0" + bytes(4)


class Exif:
    """Tags by exiv2's names. One that is not there is nothing, and so is one that cannot be read."""

    def __init__(self, blob: bytes = b"") -> None:
        self._image: Any = None
        self._data: Any = None
        self._texts: dict[str, str] = {}
        self._types: dict[str, int] = {}
        self.sizes: dict[str, int] = {}
        self.xmp = b""
        if blob:
            try:
                self._load(blob)
            except Exception:  # noqa: BLE001  # whatever exiv2 or its binding says of a broken file: it has no more tags
                return

    def _load(self, blob: bytes) -> None:
        image = exiv2.ImageFactory.open(blob)
        image.readMetadata()
        # Kept, because the data points into it.
        self._image, self._data = image, image.exifData()
        for number, datum in enumerate(self._data):
            if number >= _TAGS:
                break
            self._add(datum)
        packet = self.blob("Exif.Image.XMLPacket") or image.xmpPacket().encode("utf-8", "replace")
        self.xmp = packet

    def _add(self, datum: Any) -> None:  # noqa: ANN401  # exiv2 has no types
        key, kind, size = datum.key(), int(datum.typeId()), datum.size()
        if key in self.sizes:  # the first one counts, as with every reader
            return
        self._types[key], self.sizes[key] = kind, size
        if size > _VALUE_BYTES or (kind in _BLOB_TYPES and size > _BLOB_BYTES):
            return
        text = datum.toString()
        if kind in _TEXT_TYPES:
            text = decoded(text.encode("utf-8", "surrogateescape"))
        self._texts[key] = text

    def text(self, *keys: str) -> str | None:
        """Give the first of these tags that says something, as it is written."""
        return next((found for key in keys if (found := clean(self._texts.get(key)))), None)

    def printed(self, key: str) -> str | None:
        """Give a tag as exiv2 explains it."""
        if self._data is None or key not in self.sizes:
            return None
        try:
            explain = self._data.findKey(exiv2.ExifKey(key)).print
            return clean(_plain(explain(self._data)))
        except Exception:  # noqa: BLE001  # as above
            return None

    def number(self, *keys: str) -> float | None:
        """Give the first of these tags that is a number."""
        return next((float(found[0]) for key in keys if (found := self.fractions(key))), None)

    def fractions(self, key: str) -> list[Fraction]:
        """Give a tag's numbers; none if one of them is none."""
        try:
            return [_fraction(part) for part in self._texts.get(key, "").split()]
        except (ValueError, ZeroDivisionError, OverflowError):
            return []

    def blob(self, key: str) -> bytes:
        """Give a tag's bytes."""
        try:
            if self._data is None or key not in self.sizes:
                return b""
            value = self._data.findKey(exiv2.ExifKey(key)).value()
            return bytes(value.data()) if hasattr(value, "data") else b""
        except Exception:  # noqa: BLE001  # as above
            return b""

    def wide(self, key: str) -> str | None:
        """Give a text of Windows' own tags."""
        return clean(self.blob(key).decode("utf-16le", "replace").split("\0", 1)[0])

    def raw(self) -> dict[str, Any]:
        """Give all tags as JSON."""
        return {key: self._raw(key) for key in self.sizes}

    def _raw(self, key: str) -> Any:  # noqa: ANN401  # JSON
        text, kind = self._texts.get(key), self._types[key]
        if text is None:
            return f"({self.sizes[key]} bytes)"
        if kind in _NUMBER_TYPES:
            try:
                numbers = [int(part) for part in text.split()]
            except ValueError:
                return text
            return numbers[0] if len(numbers) == 1 else numbers
        return text


def _fraction(written: str) -> Fraction:
    """Read a number; not one like 1e999999999, on which ``Fraction`` works for ever."""
    return Fraction(written) if _NUMBER.match(written) else Fraction(float(written))


def _plain(text: str) -> str:
    return decoded(text.encode("utf-8", "surrogateescape"))


# What exiv2 sets up at its first use it sets up now: a child may not open files.
Exif(_WARM).printed("Exif.Image.Orientation")
