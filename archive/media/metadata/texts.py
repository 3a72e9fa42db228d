"""Texts whose encoding nobody wrote down."""

from __future__ import annotations

import codecs
import re

from archive.media.records import storable

_LONGEST = 16 * 1024
# Three letters of the upper half in a row: a Cyrillic word, for accents of Western languages stand alone.
_CYRILLIC = re.compile(rb"[\xc0-\xff\xa8\xb8]{3}")
_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")

# Python reads a codec's module at its first use; a child may not open files then.
for _encoding in ("ascii", "latin-1", "utf-8", "utf-16", "utf-16le", "utf-16be", "cp1251", "cp1252"):
    codecs.lookup(_encoding)


def decoded(body: bytes) -> str:
    """Decode as UTF-8, or else as the code page of Windows that it looks like."""
    body = body.split(b"\0", 1)[0]
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1251" if _CYRILLIC.search(body) else "cp1252", "replace")


def clean(text: str | None) -> str | None:
    """Give a text that says something, without what a database or a page would choke on."""
    if not text:
        return None
    return _CONTROLS.sub("", storable(text))[:_LONGEST].strip() or None


def first(*texts: str | None) -> str | None:
    """Give the first text that says something."""
    return next((found for text in texts if (found := clean(text))), None)
