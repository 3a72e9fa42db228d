"""IPTC-IIM: datasets one behind the other."""

from __future__ import annotations

from archive.media.metadata.texts import decoded
from archive.media.records import storable

_DATASETS = 10_000
_UTF8 = b"\x1b%G"
NAMES = {
    (2, 5): "ObjectName",
    (2, 25): "Keywords",
    (2, 55): "DateCreated",
    (2, 60): "TimeCreated",
    (2, 62): "DigitizationDate",
    (2, 63): "DigitizationTime",
    (2, 80): "Byline",
    (2, 90): "City",
    (2, 95): "ProvinceState",
    (2, 101): "CountryName",
    (2, 105): "Headline",
    (2, 116): "Copyright",
    (2, 120): "Caption",
}


def parse(blob: bytes) -> dict[str, list[str]]:
    """Read the texts of the datasets that have a name here."""
    values: dict[str, list[bytes]] = {}
    declared, offset = False, 0
    for _ in range(_DATASETS):
        head = blob[offset : offset + 5]
        length = int.from_bytes(head[3:], "big")
        if len(head) < 5 or head[0] != 0x1C or length >= 0x8000:  # noqa: PLR2004  # longer ones are no texts
            break
        body = blob[offset + 5 : offset + 5 + length]
        if (head[1], head[2]) == (1, 90):
            declared = body.startswith(_UTF8)
        elif name := NAMES.get((head[1], head[2])):
            values.setdefault(name, []).append(body)
        offset += 5 + length
    return {name: [_text(body, declared=declared) for body in bodies] for name, bodies in values.items()}


def _text(body: bytes, *, declared: bool) -> str:
    """Decode a text: as declared, or else as what it can be."""
    return storable(body.decode("utf-8", "replace") if declared else decoded(body)).strip()
